import type { DeployedInstance } from '#db/instance.ts'
import { planLimits, type ContainerLimits } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { saidOf, toNumber } from './row-form.ts'
import type { Values } from './sent-form.ts'

export const changeForm = 'change'

interface ChangeField {
  /** As the form sends it: `limits.web.memory_mib`, `variables.GREETING`. */
  readonly name: string
  readonly label: string
  /** What was given; empty: nothing. */
  readonly given: string
  readonly hint: string
}

const limits = [
  { key: 'memoryMib', name: 'memory_mib', label: 'memory in MiB' },
  { key: 'cpus', name: 'cpus', label: 'processors' },
  { key: 'pids', name: 'pids', label: 'processes' },
] as const satisfies readonly { key: keyof ContainerLimits; name: string; label: string }[]

/** Everything of an instance that can be changed in place, as it was given until now. */
export function changeFields({ definition, planned }: DeployedInstance): ChangeField[] {
  const ofServices = definition.services.flatMap((service) =>
    limits.map(({ key, name, label }) => ({
      name: `limits.${service.name}.${name}`,
      label: `${service.name}: ${label}`,
      given: String(planned.limits?.[service.name]?.[key] ?? ''),
      hint: `Empty: its own, ${ownLimit(planned, service, key)}.`,
    })),
  )
  const asked = (definition.variables ?? []).filter(({ source }) => source === 'asked')
  const known = planned.variables ?? {}
  const ofVariables = asked
    .filter(({ name }) => known[name] !== null)
    .map(({ name, isRequired }) => ({
      name: `variables.${name}`,
      label: name,
      given: known[name] ?? '',
      hint: isRequired ? 'It cannot be without one.' : 'Empty: its own.',
    }))
  return [...ofVariables, ...ofServices]
}

/** What a service has without being given anything; what would be refused is told as asked for. */
function ownLimit(
  { ceiling }: DeployedInstance['planned'],
  service: DeployedInstance['definition']['services'][number],
  key: keyof ContainerLimits,
): number {
  try {
    return planLimits({ ceiling }, service)[key]
  } catch (error) {
    if (error instanceof BusinessError) return service[key] ?? ceiling[key]
    throw error
  }
}

/** What differs from what was given; emptied, it is taken back. For the schema of the API to read. */
export function toInstanceChange(instance: DeployedInstance, values: Values): Record<string, unknown> {
  const variables: Record<string, string | null> = {}
  const given: Record<string, Record<string, unknown>> = {}
  for (const { name, given: before } of changeFields(instance)) {
    const said = values[name]?.trim()
    if (said === undefined || said === before) continue
    const [kind = '', ...rest] = name.split('.')
    if (kind === 'variables') variables[rest.join('.')] = said === '' ? null : said
    else
      given[rest.slice(0, -1).join('.')] = {
        ...given[rest.slice(0, -1).join('.')],
        [rest.at(-1) ?? '']: said === '' ? null : toNumber(said),
      }
  }
  const { reason } = saidOf(values)
  return {
    ...(Object.keys(variables).length === 0 ? {} : { variables }),
    ...(Object.keys(given).length === 0 ? {} : { limits: given }),
    ...(reason === undefined ? {} : { reason }),
    apply: values['apply'] !== 'later',
  }
}

export function isUnchanged(change: Readonly<Record<string, unknown>>): boolean {
  return change['variables'] === undefined && change['limits'] === undefined
}
