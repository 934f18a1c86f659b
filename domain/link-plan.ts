import type { ApplicationDefinition, LinkOffer, LinkWant } from './application.ts'
import { BusinessError } from './errors.ts'
import { interpolate, variablesOf } from './interpolation.ts'
import { valueIn, type VariableValues } from './variable.ts'

/** Why an offer was taken, in the order of precedence. */
export const linkReasons = ['named', 'same_subscription', 'same_environment', 'preferred', 'shared'] as const
export type LinkReason = (typeof linkReasons)[number]

/** A link of an instance, as far as its server has to know it. A plain JSON value without secrets. */
export interface PlannedLink {
  /** `lnk_…` */
  readonly link: string
  readonly name: string
  readonly kind: string
  readonly reason: LinkReason
  /** The services that reach the offer. */
  readonly services: readonly string[]
  /** What it sets in the wanting application; null stands for a secret of the offering instance. */
  readonly variables: VariableValues
  /** The offer is in another environment: only a network of the link's own leads there. */
  readonly isAcross: boolean
  readonly offer: {
    /** `inst_…` */
    readonly instance: string
    readonly name: string
    /** On the server. */
    readonly container: string
    readonly host: string
  }
}

/** A network on which an offering container is reached from another environment. */
export interface LinkNetwork {
  readonly service: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Two containers are on it: the one that offers, and the one that wants. */
export function linkNetworkName({ link }: Pick<PlannedLink, 'link'>): string {
  return `clouder_${link}`
}

/** Why an offer was taken, for people. */
export function explainReason(reason: LinkReason): string {
  return {
    named: 'it was named',
    same_subscription: 'same subscription',
    same_environment: 'same environment',
    preferred: 'preferred on this server',
    shared: 'shared with all',
  }[reason]
}

/** What a link needs to know of an offering instance to say its values. */
export interface OfferedBy {
  readonly definition: Pick<ApplicationDefinition, 'secrets'>
  /** Of its application's variables; null stands for a secret. */
  readonly variables: VariableValues
  /** Under which the offering service is reached. */
  readonly host: string
}

/**
 * The values of an offer by name: `host`, `port`, and its own. Null stands for one that holds a secret, which is told only where a
 * container or a command is given it.
 * @example `{ host: 'database.postgresql-x1', port: '5432', user: 'customer', password: null }`
 */
export function offeredValues(offer: LinkOffer, by: OfferedBy): Record<string, string | null> {
  return allValues(offer, by.host, (template) => {
    const isSecret = variablesOf(template).some(
      ({ name }) =>
        by.definition.secrets.some((secret) => secret.name === name) || by.variables[name] === null,
    )
    return isSecret ? null : interpolate(template, valueIn(by.variables))
  })
}

/** The same with the secrets in it: for the moment in which they are needed, and never to be kept. */
export function openedValues(
  offer: LinkOffer,
  by: Pick<OfferedBy, 'variables' | 'host'>,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  return allValues(offer, by.host, (template) =>
    interpolate(template, valueIn({ ...by.variables, ...secrets })),
  )
}

function allValues<T>(
  { port, values }: LinkOffer,
  host: string,
  fill: (template: string) => T,
): Record<string, T | string> {
  return {
    host,
    ...(port === null ? {} : { port: String(port) }),
    ...Object.fromEntries(Object.entries(values).map(([name, template]) => [name, fill(template)])),
  }
}

/** The variables that a link sets in the wanting application, from the values of its offer. */
export function linkedVariables<T>(
  want: Pick<LinkWant, 'variables' | 'name' | 'kind'>,
  values: Readonly<Record<string, T>>,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(want.variables).map(([variable, name]) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined
      if (value !== undefined) return [variable, value]
      const known = Object.keys(values).join(', ')
      throw new BusinessError(
        'link_missing',
        `${want.name} wants the value ${name} of a ${want.kind}; this offer has ${known}.`,
      )
    }),
  )
}

/** The names of what an offer has, each with nothing yet: to be checked before anything is made. */
export function offeredNames(offer: LinkOffer): Record<string, null> {
  return {
    host: null,
    ...(offer.port === null ? {} : { port: null }),
    ...Object.fromEntries(Object.keys(offer.values).map((name) => [name, null])),
  }
}

/** Values as a link command finds them in its environment: `port` is `LINK_PORT`. */
export function linkEnvironment(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`LINK_${name.toUpperCase()}`, value]),
  )
}

/** The offering service's name for others: unique in its environment, and a name that every program takes for a host. */
export function offeredHost(instanceName: string, service: string): string {
  return `${service.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-')}.${instanceName}`
}
