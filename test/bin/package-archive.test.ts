import assert from 'node:assert/strict'
import test from 'node:test'
import { readPackageSource } from '#bin/platform/package-archive.ts'

test("a base takes its packages from where the machine takes the distribution's own, with updates and fixes", () => {
  const targets = [
    'http://mirror.example/debian/ bookworm main',
    'http://mirror.example/debian/ bookworm contrib',
    'http://mirror.example/debian/ bookworm-updates main',
    'http://fixes.example/debian/ bookworm-security main',
    'https://vendor.example/linux bookworm stable',
    'https://vendor.example/apt nodistro main',
    'http://mirror.example/debian/ bookworm main',
  ]
  assert.deepEqual(readPackageSource('bookworm', targets.join('\n')), {
    release: 'bookworm',
    mirror: 'http://mirror.example/debian/',
    lines: [
      'deb http://mirror.example/debian/ bookworm main',
      'deb http://mirror.example/debian/ bookworm-updates main',
      'deb http://fixes.example/debian/ bookworm-security main',
    ],
  })
})

test('where the machine names no mirror that a container could reach, debootstrap takes its own', () => {
  for (const targets of ['', 'mirror+file:/etc/apt/mirrors.txt noble main'])
    assert.deepEqual(readPackageSource('noble', targets), { release: 'noble', mirror: '', lines: [] })
})
