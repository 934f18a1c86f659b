import assert from 'node:assert/strict'
import test from 'node:test'
import type Docker from 'dockerode'
import { planBuild } from '#domain/build-plan.ts'
import { ContainerStuck } from '#domain/runner.ts'
import { ensureContainer } from '#docker/container.ts'
import { startContainer } from '#docker/start.ts'
import { build, context, docker, dockerRunner, standIn, stepOf, testInstance } from './support.ts'

/** What an engine says of a container in whose start it was killed, however often it is asked, and until the container is removed. */
function stuckEngine(of: Docker): Docker {
  let stuckId: string | undefined
  return new Proxy(of, {
    get(target, key, receiver) {
      if (key !== 'getContainer') return Reflect.get(target, key, receiver)
      return (nameOrId: string): Docker.Container => {
        const container = target.getContainer(nameOrId)
        const start = container.start.bind(container)
        container.start = async () => {
          const { Id: id } = await container.inspect()
          stuckId ??= id
          if (id !== stuckId) return await start({})
          const error = new Error(`(HTTP code 409) conflict - task ${id}: already exists`)
          throw Object.assign(error, { statusCode: 409 })
        }
        return container
      }
    },
  })
}

test('a container that its engine cannot start any more is told apart, and its step makes it anew', async (t) => {
  const runner = dockerRunner()
  const instance = await testInstance(t)
  const steps = await build(runner, { definition: standIn, instance }, context())
  const step = stepOf(planBuild(standIn, instance), 'container')
  await docker.getContainer(step.name).stop({ t: 0 })
  const before = await docker.getContainer(step.name).inspect()
  const stuck = stuckEngine(docker)
  await assert.rejects(startContainer(stuck, step.name, context()), ContainerStuck)

  const ctx = context()
  const { externalId } = await ensureContainer(stuck, step, ctx)
  assert.notEqual(externalId, before.Id)
  assert.equal((await docker.getContainer(externalId).inspect()).State.Running, true)
  assert.ok(ctx.said.some((text) => text.includes('it is made anew')))
  // It has its volume, and answers as the old one did.
  await runner.ensure(stepOf(steps, 'ready'), context())
})
