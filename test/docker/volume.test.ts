import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { planBuild, type PlannedInstance } from '#domain/build-plan.ts'
import { build, context, docker, dockerRunner, standIn, stepOf, testInstance } from './support.ts'

const runner = dockerRunner()

/** What an engine has that was killed between the folder of a volume and its labels: one that a container asked for is the same. */
async function makeHalf(t: TestContext, { instance, path }: { instance: PlannedInstance; path: string }) {
  const { name } = stepOf(planBuild(standIn, instance), 'volume')
  const [image] = await docker.listImages({ filters: { reference: ['clouder/demo-odoo'] } })
  const container = await docker.createContainer({
    Image: image?.Id ?? '',
    HostConfig: { Binds: [`${name}:${path}`] },
  })
  t.after(
    async () =>
      await docker
        .getVolume(name)
        .remove()
        .catch(() => undefined),
  )
  return { name, container }
}

test('a volume that its engine had not made to the end is made anew, once nothing uses it and where nothing is in it', async (t) => {
  await build(runner, { definition: standIn, instance: await testInstance(t) }, context())
  const instance = await testInstance(t)
  const step = stepOf(planBuild(standIn, instance), 'volume')
  const { name, container } = await makeHalf(t, { instance, path: '/nowhere' })
  assert.equal((await docker.getVolume(name).inspect()).Labels, null)
  const { installation } = instance
  const observed = await runner.observeServer({ installation, steps: [step], instances: [] }, context())
  assert.deepEqual(
    observed.map((one) => [one.name, one.labels]),
    [[name, {}]],
  )
  await assert.rejects(runner.ensure(step, context()), { code: 'name_taken_on_server' })
  await container.remove()
  await runner.ensure(step, context())
  assert.deepEqual((await docker.getVolume(name).inspect()).Labels, step.labels)
})

test('one in which something is stays as it is, and is said to be of others', async (t) => {
  const instance = await testInstance(t)
  const steps = planBuild(standIn, instance)
  // What the image has at this place is copied into it.
  const { name, container } = await makeHalf(t, { instance, path: '/bin' })
  await container.start()
  await container.remove({ force: true })
  await assert.rejects(runner.ensure(stepOf(steps, 'volume'), context()), { code: 'name_taken_on_server' })
  await assert.rejects(runner.remove(stepOf(steps, 'volume'), context()), { code: 'name_taken_on_server' })
  assert.equal((await docker.getVolume(name).inspect()).Name, name)
})
