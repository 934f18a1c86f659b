import assert from 'node:assert/strict'
import test from 'node:test'
import Docker from 'dockerode'
import { removeLabelled } from '#bin/platform/test-objects.ts'

test('what an interrupted test left is removed by its label, and what others made stays', async (t) => {
  const docker = new Docker()
  const make = async (owner: string) => {
    const Name = `clouder-test-${process.pid}-${owner}`
    const Labels = { 'io.clouder.installation': `test-${process.pid}-${owner}` }
    const network = await docker.createNetwork({ Name, Labels })
    await docker.createVolume({ Name, Labels })
    t.after(async () => {
      await network.remove().catch(() => undefined)
      await docker
        .getVolume(Name)
        .remove()
        .catch(() => undefined)
    })
    return Name
  }
  const [ours, theirs] = [await make('ours'), await make('theirs')]
  const host = process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock'
  await removeLabelled(host, `test-${process.pid}-ours`)
  const names = async () => {
    const networks = await docker.listNetworks()
    const { Volumes } = await docker.listVolumes()
    return [...networks.map(({ Name }) => Name), ...Volumes.map(({ Name }) => Name)]
  }
  const left = await names()
  assert.equal(left.filter((name) => name === ours).length, 0)
  assert.equal(left.filter((name) => name === theirs).length, 2)
})
