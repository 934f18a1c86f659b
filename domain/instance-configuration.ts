import type { ApplicationDefinition } from './application.ts'
import type { ContainerLimits, GivenLimits, PlannedInstance } from './build-plan.ts'
import type { ContainerDifference } from './container-difference.ts'
import { fieldError } from './errors.ts'
import type { ContainerChange } from './replacement.ts'
import { refuseShellWords, type VariableValues } from './variable.ts'

/** What is asked of an instance in place. What is left out stays; null takes back what was given. */
export interface AskedConfiguration {
  /** By name: values of the application's variables, never secrets. */
  readonly variables?: Readonly<Record<string, string | null>>
  /** By service. */
  readonly limits?: Readonly<Record<string, AskedLimits>>
}

export type AskedLimits = { readonly [Key in keyof ContainerLimits]?: number | null | undefined }

/**
 * The instance with what is asked: with `{ limits: { web: { memoryMib: 4096 } } }` its service web has 4 GiB, whatever its file says.
 * @throws `field_invalid` for a service, variable or value that there cannot be, `variable_missing` for one without which it is not built
 */
export function configure(
  { definition, planned }: { definition: ApplicationDefinition; planned: PlannedInstance },
  asked: AskedConfiguration,
): PlannedInstance {
  return {
    ...planned,
    variables: changeVariables(definition, planned.variables ?? {}, asked.variables ?? {}),
    limits: changeLimits(definition, planned.limits ?? {}, asked.limits ?? {}),
  }
}

function changeVariables(
  { variables = [], code }: ApplicationDefinition,
  known: VariableValues,
  asked: Readonly<Record<string, string | null>>,
): VariableValues {
  for (const [name, value] of Object.entries(asked)) {
    const pointer = `/variables/${name}`
    const variable = variables.find((one) => one.name === name && one.source === 'asked')
    const isSealed = Object.hasOwn(known, name) && known[name] === null
    if (variable === undefined || isSealed) {
      const names = variables.filter(({ source }) => source === 'asked').map((one) => one.name)
      const detail = isSealed
        ? `${name} is kept in secret: it is not changed here.`
        : `${code} asks for no variable ${name}; it asks for: ${names.join(', ') || 'none'}.`
      throw fieldError(pointer, 'field_invalid', detail)
    }
    if (value === null && variable.isRequired)
      throw fieldError(pointer, 'variable_missing', `${code} cannot be built without a value for ${name}.`)
  }
  const places = Object.fromEntries(Object.keys(asked).map((name) => [name, `/variables/${name}`]))
  refuseShellWords(variables, asked, places)
  const given = Object.entries({ ...known, ...asked })
  return Object.fromEntries(given.filter(([name, value]) => value !== null || !Object.hasOwn(asked, name)))
}

function changeLimits(
  { services, code }: ApplicationDefinition,
  known: GivenLimits,
  asked: Readonly<Record<string, AskedLimits>>,
): GivenLimits {
  for (const service of Object.keys(asked)) {
    if (services.some(({ name }) => name === service)) continue
    const detail = `${code} has no service ${service}; it has: ${services.map(({ name }) => name).join(', ')}.`
    throw fieldError(`/limits/${service}`, 'field_invalid', detail)
  }
  const changed = Object.entries(asked).map(([service, limits]) => {
    const said = Object.entries(limits).filter(([, value]) => value !== undefined)
    const given = Object.entries({ ...known[service], ...Object.fromEntries(said) })
    return [service, Object.fromEntries(given.filter(([, value]) => value !== null))] as const
  })
  const all = Object.entries({ ...known, ...Object.fromEntries(changed) })
  return Object.fromEntries(all.filter(([, limits]) => Object.keys(limits).length > 0))
}

/** One difference of a container, by its service. */
export interface ServiceDifference extends ContainerDifference {
  readonly service: string
}

/**
 * What will be seen when something else is wanted and nothing was done yet: of what was seen before, what is still so, with what is
 * wanted now; and what was as wanted and is not any more.
 */
export function expectDifferences(
  seen: readonly ServiceDifference[],
  changes: readonly ContainerChange[],
): ServiceDifference[] {
  const keyOf = ({ service, key }: ServiceDifference): string => `${service}/${key}`
  const known = new Map(seen.map((one) => [keyOf(one), one]))
  for (const { service, differences } of changes) {
    for (const difference of differences) {
      const one = { service, ...difference }
      const running = known.get(keyOf(one))?.running ?? difference.running
      known.set(keyOf(one), { ...one, running })
    }
  }
  return [...known.values()].filter(({ wanted, running }) => wanted !== running)
}
