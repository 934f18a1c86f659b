import type { SecretDefinition, ServiceDefinition, VariableDefinition } from '#domain/application.ts'
import { variablesOf } from '#domain/interpolation.ts'
import { templatesOf } from '#domain/variable.ts'
import { secretLength, type XClouder } from './x-clouder.ts'

/** A variable as the services of a file use it, over all its uses. */
interface Use {
  readonly name: string
  isOptional: boolean
  fallback: string | null
  isInShellLine: boolean
}

/** What the variables of a file are: secrets that are made for each instance, and values that are asked for or have a fallback. */
export interface Variables {
  readonly secrets: readonly SecretDefinition[]
  readonly variables: readonly VariableDefinition[]
}

/**
 * The variables of the services, as the `x-clouder` block declares them, else by their names: the template collections that
 * people use have names that mean something (`SERVICE_PASSWORD_X` is made, `SERVICE_URL_X` is the instance's address).
 * @example `${DB_PASSWORD}` without a fallback is a secret of 20 characters, `${JWT_SECRET}` one of 50; `${SMTP_HOST}` is asked for; `${TZ:-UTC}` has a fallback
 */
export function declareVariables(services: readonly ServiceDefinition[], block: XClouder): Variables {
  const declared = new Set(block.secrets.map((one) => one.name))
  const linked = new Set(block.wants.flatMap((want) => Object.keys(want.variables)))
  const secrets: SecretDefinition[] = [...block.secrets]
  const variables: VariableDefinition[] = []
  for (const use of usesOf(services)) {
    if (declared.has(use.name)) continue
    if (linked.has(use.name)) {
      variables.push({ ...toVariable(use), source: 'link', isRequired: true, fallback: null })
      continue
    }
    const secret = secretFor(use)
    if (secret === null) variables.push(toVariable(use))
    else secrets.push(secret)
  }
  return { secrets, variables }
}

function usesOf(services: readonly ServiceDefinition[]): Use[] {
  const uses = new Map<string, Use>()
  const add = (name: string, isOptional: boolean, fallback: string | null, isInShellLine: boolean): void => {
    const known = uses.get(name)
    if (known === undefined) {
      uses.set(name, { name, isOptional, fallback, isInShellLine })
      return
    }
    known.isOptional &&= isOptional
    known.fallback ??= fallback
    known.isInShellLine ||= isInShellLine
  }
  for (const service of services) {
    for (const { text, isInShellLine } of templatesOf(service))
      for (const { name, isOptional, fallback } of variablesOf(text))
        add(name, isOptional, fallback, isInShellLine)
    for (const name of service.special?.passedOn ?? []) add(name, true, null, false)
  }
  return [...uses.values()]
}

const MAGIC_SECRET = /^SERVICE_(USER|PASSWORD|BASE64|REALBASE64|HEX)(?:_(\d{2,3}))?_/
const LENGTHS: Readonly<Record<string, number>> = {
  USER: 16,
  PASSWORD: 32,
  BASE64: 32,
  REALBASE64: 32,
  HEX: 32,
}
const SECRET_WORD =
  /(?:^|_)(?:PASSWORD|PASSWD|PASS|SECRET|SALT|JWT|ENCRYPTION_KEY|SECRET_KEY|APP_KEY|ADMIN_KEY|MASTER_KEY)(?:_|$)/
/** Secrets of services elsewhere: nobody here can make them up. */
const FOREIGN_WORD =
  /(?:^|_)(?:AWS|S3|SMTP|MAIL|EMAIL|OAUTH|CLIENT|GOOGLE|GITHUB|STRIPE|OPENAI|API|ACCESS|LDAP|OIDC|TWILIO|SENDGRID|WEBHOOK|BOT|TOKEN)(?:_|$)/

function secretFor(use: Use): SecretDefinition | null {
  const magic = MAGIC_SECRET.exec(use.name)
  if (magic !== null) {
    const [, kind = '', digits] = magic
    const length = Math.min(Math.max(Number(digits ?? LENGTHS[kind]), 12), 128)
    return { name: use.name, length, ...(kind === 'HEX' ? { alphabet: 'hex' as const } : {}) }
  }
  const isSecret = !use.isOptional && SECRET_WORD.test(use.name) && !FOREIGN_WORD.test(use.name)
  return isSecret ? { name: use.name, length: secretLength(use.name) } : null
}

function toVariable(use: Use): VariableDefinition {
  return {
    name: use.name,
    source: sourceOf(use.name),
    isRequired: !use.isOptional,
    fallback: use.fallback,
    isInShellLine: use.isInShellLine,
  }
}

function sourceOf(name: string): VariableDefinition['source'] {
  if (name.startsWith('SERVICE_URL_')) return 'address_url'
  if (name.startsWith('SERVICE_FQDN_')) return 'address_host'
  return 'asked'
}

/** `SERVICE_URL_UMAMI_3000` names the port by which the service UMAMI is reached. */
export function portOfMagicName(name: string): number | null {
  const digits = /^SERVICE_(?:URL|FQDN)_.+_(\d{2,5})$/.exec(name)?.[1]
  return digits === undefined ? null : Number(digits)
}
