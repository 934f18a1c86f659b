import type { ServiceDefinition, VariableDefinition, ApplicationDefinition } from './application.ts'
import { BusinessError, fieldError } from './errors.ts'
import { interpolateKnown } from './interpolation.ts'

/** Values by name; null stands for a secret, which is filled where the container is made. */
export type VariableValues = Readonly<Record<string, string | null>>

/** The values that an application is given: of what was said for a subscription, what it uses. */
export function valuesFor(
  { variables = [], secrets }: Pick<ApplicationDefinition, 'variables' | 'secrets'>,
  values: VariableValues,
): VariableValues {
  const used = new Set([...variables, ...secrets].map(({ name }) => name))
  return Object.fromEntries(Object.entries(values).filter(([name]) => used.has(name)))
}

/**
 * The address of an instance, for the variables of its application that stand for it: on port 8069 `SERVICE_URL_ODOO` is
 * `http://127.0.0.1:8069`, and `SERVICE_FQDN_ODOO` is `127.0.0.1`.
 * @param hostPort null: it publishes nothing, and has none
 */
export function addressValues(
  { variables = [] }: Pick<ApplicationDefinition, 'variables'>,
  hostPort: number | null,
): VariableValues {
  if (hostPort === null) return {}
  return Object.fromEntries(
    variables.flatMap(({ name, source }) => {
      if (source === 'asked' || source === 'link') return []
      return [[name, source === 'address_url' ? `http://127.0.0.1:${hostPort}` : '127.0.0.1']]
    }),
  )
}

/**
 * Refuses what could not be built for want of a value, before anybody pays for it.
 * @param pointer of the order line
 * @throws `variable_missing` with each of them
 */
export function refuseMissing(
  { code, variables = [], public: isPublic }: Pick<ApplicationDefinition, 'code' | 'variables' | 'public'>,
  values: VariableValues,
  pointer: string,
): void {
  const missing = variables.filter(({ name, source, isRequired }) => {
    // Which link gives it is decided by the order as a whole, and refused there.
    if (source === 'link') return false
    const isKnown = Object.hasOwn(values, name) || (source !== 'asked' && isPublic !== null)
    return isRequired && !isKnown
  })
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name).join(', ')
  throw new BusinessError('variable_missing', `${code} cannot be built without a value for ${names}.`, {
    fields: missing.map(({ name }) => ({
      pointer: `${pointer}/fields/${name}`,
      code: 'variable_missing',
      detail: `${code} cannot be built without a value for ${name}.`,
    })),
  })
}

/** Every text of a service that may hold variables. */
export function templatesOf(service: ServiceDefinition): { text: string; isInShellLine: boolean }[] {
  const plain = [
    ...Object.values(service.environment),
    ...Object.values(service.special?.labels ?? {}),
    ...(service.special?.files ?? []).map((file) => file.content),
  ]
  const isShell = service.healthCheck?.test[0] === 'CMD-SHELL'
  const commands = [...(service.entrypoint ?? []), ...(service.command ?? [])]
  // A line for `sh -c` is one argument: whatever is put into it is read by that shell.
  const runsShell = commands.some((word) => /(?:^|\/)(?:ba|da|a)?sh$/.test(word))
  return [
    ...plain.map((text) => ({ text, isInShellLine: false })),
    ...commands.map((text) => ({ text, isInShellLine: runsShell })),
    ...(service.healthCheck?.test ?? []).map((text) => ({ text, isInShellLine: isShell })),
  ]
}

/** The value of a variable by its name; undefined where it has none, or is a secret that is filled elsewhere. */
export function valueIn(values: VariableValues): (name: string) => string | undefined {
  return (name) => (Object.hasOwn(values, name) ? (values[name] ?? undefined) : undefined)
}

/** A service with what is known of its variables, wherever it uses them; what is secret stays a template. */
export function fillService(service: ServiceDefinition, values: VariableValues): ServiceDefinition {
  const known = valueIn(values)
  const fill = (template: string) => interpolateKnown(template, known)
  const fillAll = (record: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(record).map(([key, template]) => [key, fill(template)]))
  const { special, healthCheck } = service
  const passedOn = (special?.passedOn ?? []).filter((name) => known(name) !== undefined)
  return {
    ...service,
    command: service.command?.map(fill) ?? null,
    entrypoint: service.entrypoint?.map(fill) ?? null,
    environment: {
      ...Object.fromEntries(passedOn.map((name) => [name, fill(`\${${name}}`)])),
      ...fillAll(service.environment),
    },
    healthCheck: healthCheck && { ...healthCheck, test: healthCheck.test.map(fill) },
    ...(special === undefined
      ? {}
      : {
          special: {
            ...special,
            ...(special.labels === undefined ? {} : { labels: fillAll(special.labels) }),
            ...(special.files === undefined
              ? {}
              : { files: special.files.map((file) => ({ ...file, content: fill(file.content) })) }),
          },
        }),
  }
}

/** A value that a shell inside the container will read: nothing in it means anything to a shell. */
const harmlessInShell = /^[A-Za-z0-9._:/@+-]*$/

/**
 * Refuses a value that a shell could take for something else.
 * @param places pointers by variable
 * @throws `field_invalid`
 */
export function refuseShellWords(
  variables: readonly VariableDefinition[],
  values: Readonly<Record<string, string | null | undefined>>,
  places: Readonly<Record<string, string>>,
): void {
  for (const { name, isInShellLine } of variables) {
    const value = Object.hasOwn(values, name) ? values[name] : null
    if (!isInShellLine || value == null || harmlessInShell.test(value)) continue
    const detail = 'It is read by a shell of the application: letters, digits and . _ : / @ + - only.'
    throw fieldError(places[name] ?? '', 'field_invalid', detail)
  }
}
