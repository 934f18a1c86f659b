import type { ApplicationDefinition } from './application.ts'
import type { EngineStep, ContainerLimits, ContainerStep } from './build-plan.ts'
import type { ContainerDifference } from './container-difference.ts'
import { interpolate, variablesOf } from './interpolation.ts'
import { fillService } from './variable.ts'

/** What a changed plan means for one container. */
export interface ContainerChange {
  readonly service: string
  /** Its name on the server. */
  readonly container: string
  /** `updated`: it runs on, with other limits. `replaced`: it is stopped and made anew, on its volumes. */
  readonly effect: 'kept' | 'updated' | 'replaced'
  /** `running` is what the plan said before. */
  readonly differences: readonly ContainerDifference[]
}

const limitKeys: Readonly<Record<keyof ContainerLimits, string>> = {
  memoryMib: 'memory_mib',
  cpus: 'cpus',
  pids: 'pids',
}

/**
 * Compares two plans of one instance, container by container, in the plan's order: other limits are set while it runs, everything
 * else has to be in it from its start. Generations are left out: they follow from what this finds.
 * @param secrets names of what is kept in secret: of a value that holds one is only told that it is another one
 */
export function compareContainers(
  before: readonly EngineStep[],
  after: readonly EngineStep[],
  secrets: ReadonlySet<string> = new Set(),
): ContainerChange[] {
  const known = new Map(containersOf(before).map((step) => [step.name, step]))
  return containersOf(after).map((step) => {
    const old = known.get(step.name)
    const of = { service: step.service, container: step.name }
    if (old === undefined) return { ...of, effect: 'replaced', differences: [] }
    const made = [...compareMaking(old, step), ...compareEnvironments(old, step, secrets)]
    const limits = compareLimits(old.limits, step.limits)
    const effect = made.length > 0 ? 'replaced' : limits.length > 0 ? 'updated' : 'kept'
    return { ...of, effect, differences: [...limits, ...made] }
  })
}

function containersOf(steps: readonly EngineStep[]): ContainerStep[] {
  return steps.filter((step) => step.kind === 'container')
}

function compareLimits(before: ContainerLimits, after: ContainerLimits): ContainerDifference[] {
  return (['memoryMib', 'cpus', 'pids'] as const)
    .filter((key) => before[key] !== after[key])
    .map((key) => ({ key: limitKeys[key], wanted: String(after[key]), running: String(before[key]) }))
}

function compareEnvironments(
  before: ContainerStep,
  after: ContainerStep,
  secrets: ReadonlySet<string>,
): ContainerDifference[] {
  const names = new Set([...Object.keys(before.environment), ...Object.keys(after.environment)])
  return [...names]
    .filter((name) => before.environment[name] !== after.environment[name])
    .map((name) => ({
      key: `environment.${name}`,
      wanted: shownValue(after.environment[name], secrets),
      running: shownValue(before.environment[name], secrets),
    }))
}

/** As the container gets it: `hello` of `${GREETING:-hello}`, where nothing else was said. */
function shownValue(template: string | undefined, secrets: ReadonlySet<string>): string | null {
  if (template === undefined) return null
  const used = variablesOf(template)
  if (used.some(({ name }) => secrets.has(name))) return '(secret)'
  return used.every(({ isOptional }) => isOptional) ? interpolate(template, () => undefined) : template
}

/** What is compared by itself, or says nothing of how a container is made. */
const comparedApart: ReadonlySet<string> = new Set([
  'labels',
  'title',
  'limits',
  'environment',
  'hasGivenLimits',
])

function compareMaking(before: ContainerStep, after: ContainerStep): ContainerDifference[] {
  const making = (step: ContainerStep) => Object.entries(step).filter(([key]) => !comparedApart.has(key))
  const text = (value: unknown): string | null =>
    value === undefined || value === null ? null : JSON.stringify(value)
  const old = new Map(making(before))
  const made = new Map(making(after))
  return [...new Set([...old.keys(), ...made.keys()])]
    .map((key) => ({ key, wanted: text(made.get(key)), running: text(old.get(key)) }))
    .filter(({ wanted, running }) => wanted !== running)
}

/**
 * The services that are made with one of these variables or secrets, in the order of the file: those whose containers have to be
 * replaced when its value is another one.
 */
export function servicesUsing(
  { services }: Pick<ApplicationDefinition, 'services'>,
  names: readonly string[],
): string[] {
  const values = Object.fromEntries(names.map((name) => [name, name]))
  return services
    .filter(
      (service) => JSON.stringify(fillService(service, values)) !== JSON.stringify(fillService(service, {})),
    )
    .map(({ name }) => name)
}
