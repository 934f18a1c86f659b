import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { createClouder, type Clouder } from '#test/support/clouder.ts'

let clouder: Clouder
let folder = ''
before(async () => {
  clouder = await createClouder()
  folder = await mkdtemp(join(tmpdir(), 'clouder-compose-'))
})
after(async () => {
  await clouder.close()
  await rm(folder, { recursive: true })
})

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, text)
  return path
}

const plain = 'services:\n  web:\n    image: nginx:1\n    ports: ["8080:80"]\n'

test('files are said to be accepted, to need permissions, or to be refused, each with line, key and reason', async () => {
  const files = [
    await file('plain.yml', plain),
    await file('root.yml', `${plain}    privileged: true\n`),
    await file('bad.yml', `${plain}    userns_mode: host\n`),
    await file('broken.yml', 'services: ['),
    join(folder, 'absent.yml'),
  ]
  const ran = await clouder.run(['applications', 'check', ...files, '--json'])
  assert.equal(ran.code, 7)
  const checked = JSON.parse(ran.stdout) as {
    file: string
    status: string
    reasons: { key: string; line: number | null; reason: string; remedy: string; permission: string | null }[]
  }[]
  assert.deepEqual(
    checked.map((one) => [
      one.status,
      one.reasons.map((reason) => [reason.key, reason.line, reason.permission]),
    ]),
    [
      ['accepted', []],
      ['needs_permission', [['services.web.privileged', 5, 'privileged']]],
      ['refused', [['services.web.userns_mode', 5, null]]],
      ['refused', [['', null, null]]],
      ['refused', [['', null, null]]],
    ],
  )
  assert.deepEqual(
    checked.map((one) => one.file),
    files,
  )
})

test('a permission that would be granted is counted as granted, and the code says whether all is accepted', async () => {
  const path = await file('root.yml', `${plain}    privileged: true\n`)
  const ran = await clouder.run(['applications', 'check', path, '--grant', 'privileged'])
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stdout, /accepted/)
})

test('files beside a compose file are read with it, and never those outside its folder, by link neither', async () => {
  await file('secret.txt', 'outside')
  await file('shop/site.conf', 'inside')
  await symlink(join(folder, 'secret.txt'), join(folder, 'shop', 'link.conf'))
  const inside = await file('shop/compose.yaml', `${plain}    volumes: ["./site.conf:/site.conf"]\n`)
  assert.equal((await clouder.run(['applications', 'check', inside])).code, 0)
  await file('shop/compose.yaml', `${plain}    volumes: ["./link.conf:/site.conf"]\n`)
  const linked = await clouder.run(['applications', 'check', inside, '--json'])
  assert.match(linked.stdout, /link.conf is mounted, and is not in the application's folder/)
  await file('shop/other.yml', `${plain}    volumes: ["../secret.txt:/secret.txt"]\n`)
  const outside = await clouder.run(['applications', 'check', join(folder, 'shop', 'other.yml'), '--json'])
  assert.match(outside.stdout, /leads out of the application's folder/)
})

test('a compose file becomes an application and a product, with the files that it mounts', async () => {
  await file('blog/site.conf', 'listen 80;')
  await file('blog/notes.txt', 'not for the server')
  const compose = `${plain}    privileged: true\n    environment: { MAIL: "\${MAIL}" }\n    volumes: ["./site.conf:/site.conf"]\n`
  const path = await file('blog/compose.yaml', compose)
  const refused = await clouder.run(['applications', 'import', path, '--price', '9.50'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /grant privileged to this application/)
  const grant = ['--grant', 'privileged', '--reason', 'our own blog']
  const ran = await clouder.run(['applications', 'import', path, '--price', '9.50', ...grant])
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stdout, /application\tblog, version 1/)
  assert.match(ran.stdout, /asked for\tMAIL/)
  assert.match(ran.stdout, /product\tblog: 9\.50 USD/)
  const listed = await clouder.run(['applications'])
  assert.match(listed.stdout, /^blog\tBlog\t1\tweb$/m)
})
