import assert from 'node:assert/strict'
import test from 'node:test'
import { planBuild } from '#domain/build-plan.ts'
import { imageName, pinnedName, pinStep, repositoryDigestOf, repositoryOf } from '#domain/image-pin.ts'
import { registryOf } from '#domain/registry.ts'
import { shop, shopInstance } from './application-fixture.ts'

const pin = { reference: 'web:1', repositoryDigest: 'sha256:d', imageId: 'sha256:i' }

test('the name of an image without tag and digest, whatever its registry is called', () => {
  const names = {
    'wordpress:6': 'wordpress',
    'ghcr.io/acme/shop:2@sha256:1': 'ghcr.io/acme/shop',
    'registry.example.com:5000/shop': 'registry.example.com:5000/shop',
    'registry.example.com:5000/shop:1': 'registry.example.com:5000/shop',
  }
  for (const [reference, name] of Object.entries(names)) assert.equal(repositoryOf(reference), name)
})

test('an image without a host is from the public registry', () => {
  const hosts = {
    'wordpress:6': 'docker.io',
    'acme/shop': 'docker.io',
    'index.docker.io/acme/shop': 'docker.io',
    'ghcr.io/acme/shop': 'ghcr.io',
    'localhost/shop': 'localhost',
    'registry:5000/shop': 'registry:5000',
  }
  for (const [reference, host] of Object.entries(hosts)) assert.equal(registryOf(reference), host)
})

test('of the digests that an engine knows, that of the image’s own repository counts', () => {
  const known = ['mirror.example.com/library/wordpress@sha256:1', 'wordpress@sha256:2']
  assert.equal(repositoryDigestOf('wordpress:6', known), 'sha256:2')
  assert.equal(repositoryDigestOf('docker.io/library/wordpress:6', known), 'sha256:2')
  assert.equal(repositoryDigestOf('clouder/demo-site:1', known), null)
})

test('a plan says its images by digest once they are known, and a step that was planned before is carried out so', () => {
  const steps = planBuild(shop, { ...shopInstance, images: [pin] })
  const webs = steps.filter((step) => step.kind === 'container' && step.service === 'web')
  assert.deepEqual(
    webs.map((step) => step.kind === 'container' && [step.image, step.imageId]),
    [['web@sha256:d', 'sha256:i']],
  )
  const before = planBuild(shop, shopInstance)
  assert.deepEqual(
    before.map((step) => pinStep(step, [pin])),
    steps,
  )
  assert.deepEqual(
    steps.map((step) => pinStep(step, [pin])),
    steps,
  )
})

test('what no registry has is asked for by the engine’s own id', () => {
  assert.equal(pinnedName({ ...pin, repositoryDigest: null }), 'sha256:i')
  const image = { from: 'registry', reference: 'web:1' } as const
  assert.equal(imageName({ image }), 'web:1')
  assert.equal(imageName({ image, pin }), 'web@sha256:d')
})
