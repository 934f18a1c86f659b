import { limitCommand, type CommandLimit } from '#domain/application.ts'
import { containerName } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import type { ExecuteRequest, ExecuteResult, InstanceRef, LimitObservation } from '#domain/runner.ts'

type Execute = (request: ExecuteRequest) => Promise<ExecuteResult>

/** Sets a ceiling inside the instance and reads it back: what counts is what the instance says afterwards. */
export async function applyLimit(
  ref: InstanceRef,
  limit: { readonly code: string; readonly value: number },
  execute: Execute,
): Promise<LimitObservation> {
  const definition = findLimit(ref, limit.code)
  const container = containerName(ref.instance, definition.service)
  const set = await execute({ container, argv: limitCommand(definition, limit.value) })
  if (set.exitCode !== 0) throw notInForce(definition, describe(set))
  const observed = await readLimit(ref, limit.code, execute)
  if (observed.inForce !== limit.value) {
    throw notInForce(definition, `asked for ${limit.value}, the instance reports ${observed.inForce}`)
  }
  return { ...observed, commands: [set, ...observed.commands] }
}

export async function readLimit(ref: InstanceRef, code: string, execute: Execute): Promise<LimitObservation> {
  const definition = findLimit(ref, code)
  const container = containerName(ref.instance, definition.service)
  const read = await execute({ container, argv: definition.read })
  const use = await execute({ container, argv: definition.use })
  const inForce = wholeNumber(definition, read)
  return { limit: code, inForce, inUse: wholeNumber(definition, use), commands: [read, use] }
}

/** How much of it is used now; what is in force is not asked. */
export async function readUse(ref: InstanceRef, code: string, execute: Execute): Promise<number> {
  const definition = findLimit(ref, code)
  const container = containerName(ref.instance, definition.service)
  return wholeNumber(definition, await execute({ container, argv: definition.use }))
}

/** One that the application enforces by commands. */
export function findLimit({ definition }: InstanceRef, code: string): CommandLimit {
  const found = definition.limits.find((limit) => limit.code === code)
  if (found !== undefined && 'use' in found) return found
  const known = definition.limits.map((limit) => limit.code).join(', ') || 'none'
  throw new BusinessError('limit_unknown', `${definition.title} has no limit ${code}; it has: ${known}`)
}

function wholeNumber(definition: CommandLimit, result: ExecuteResult): number {
  const text = result.stdout.trim()
  if (result.exitCode !== 0 || !/^\d{1,15}$/.test(text)) throw notInForce(definition, describe(result))
  return Number(text)
}

function notInForce(definition: CommandLimit, detail: string): BusinessError {
  return new BusinessError('limit_not_in_force', `limit ${definition.title} is not in force: ${detail}`)
}

function describe({ argv, exitCode, stdout, stderr }: ExecuteResult): string {
  const said = `${stderr} ${stdout}`.trim().slice(0, 300)
  return `${argv.join(' ')} ended with exit code ${exitCode}${said ? `: ${said}` : ''}`
}
