import { z } from 'zod'
import { containerName } from '#domain/build-plan.ts'
import { argumentList, objectName } from '../compose/object-name.ts'
import { execute } from '../execution.ts'
import { findContainer } from '../observation.ts'
import { defineSource, plainNumber, withoutValue } from './source.ts'

/** A number printed by a command that runs in a container, in the metric's own unit. */
export const command = defineSource({
  type: 'command',
  schema: z.strictObject({ type: z.literal('command'), service: objectName, command: argumentList }),
  imagined: 'service',
  deadlineMs: 30_000,
  async read({ docker, ref, ctx }, metric, source) {
    const container = containerName(ref.instance, source.service)
    const found = await findContainer(docker, container, ctx)
    if (found === undefined || !found.State.Running) return []
    const { exitCode, stdout, stderr } = await execute(docker, { container, argv: source.command }, ctx)
    const value = stdout.trim()
    if (exitCode !== 0) throw new Error(`${source.command[0]} ended with ${exitCode}: ${stderr || value}`)
    if (value === '') throw withoutValue(`${source.command[0]} printed nothing.`)
    if (!plainNumber.test(value))
      throw new Error(`${source.command[0]} printed no number: ${JSON.stringify(value)}`)
    return [{ series: `command:${found.Id}`, value, unit: metric.unit }]
  },
})
