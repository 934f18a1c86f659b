import type { LinkOffer, LinkWant } from './application.ts'
import { BusinessError } from './errors.ts'
import { linkedVariables, linkReasons, offeredNames, type LinkReason } from './link-plan.ts'

/** `waiting`: for an offer. `planned`: for an offer that was taken. `taken_back`: one of both is gone. */
export type LinkState = 'waiting' | 'planned' | 'made' | 'taken_back'

/** Where an instance stands, by ids; `instance` may be a provisional one, while it is only ordered. */
export interface LinkPlace {
  readonly instance: string
  readonly subscription: string
  readonly environment: string
  /** Null: not placed yet, and free to go where its offers are. */
  readonly server: string | null
  /** What people know it by, in refusals. */
  readonly name: string
}

export interface WantingInstance extends LinkPlace {
  readonly wants: readonly LinkWant[]
  /** Targets that the order names, by the names of the wants. */
  readonly named: Readonly<Record<string, string>>
}

export interface OfferingInstance extends LinkPlace {
  readonly offers: readonly LinkOffer[]
  /** Kinds of which an operator prefers this one on its server. */
  readonly preferredFor: readonly string[]
}

export interface ChosenOffer {
  readonly offering: OfferingInstance
  readonly offer: LinkOffer
  readonly reason: LinkReason
}

/** A want of an instance and what it comes to; nothing chosen: it waits. */
export interface DecidedLink {
  readonly instance: string
  readonly want: LinkWant
  readonly chosen: ChosenOffer | null
}

/**
 * The offer that a want takes, or null. Named target, same subscription, same environment, preferred target, shared offer with
 * all wanted tags; of several alike the first. An offer on another server is none: containers reach each other on one engine.
 * @param candidates oldest first
 */
export function chooseOffer(
  want: LinkWant,
  wanting: WantingInstance,
  candidates: readonly OfferingInstance[],
): ChosenOffer | null {
  const offers = candidates.flatMap((offering) =>
    wanting.server === null || offering.server === wanting.server
      ? offering.offers.filter(({ kind }) => kind === want.kind).map((offer) => ({ offering, offer }))
      : [],
  )
  const named = wanting.named[want.name]
  if (named !== undefined) {
    const found = offers.find(({ offering }) => offering.instance === named)
    return found === undefined ? null : { ...found, reason: 'named' }
  }
  if (!want.isAutomatic) return null
  for (const reason of linkReasons) {
    // Its own offer is the last that it takes, and where that is the only one the order is refused as a circle.
    const found = [false, true].flatMap((isSelf) =>
      offers.filter(
        ({ offering, offer }) =>
          (offering.instance === wanting.instance) === isSelf &&
          (!isSelf || want.isRequired) &&
          isBy[reason](want, wanting, { offering, offer }),
      ),
    )
    if (found[0] !== undefined) return { ...found[0], reason }
  }
  return null
}

type Rule = (want: LinkWant, wanting: LinkPlace, found: Omit<ChosenOffer, 'reason'>) => boolean

const isBy: Readonly<Record<LinkReason, Rule>> = {
  named: () => false,
  same_subscription: (_want, wanting, { offering }) => offering.subscription === wanting.subscription,
  same_environment: (_want, wanting, { offering }) => offering.environment === wanting.environment,
  preferred: (want, _wanting, { offering }) => offering.preferredFor.includes(want.kind),
  shared: (want, _wanting, { offer }) =>
    offer.isShared && want.tags.every((wanted) => offer.tags.includes(wanted)),
}

/**
 * Decides all links of instances that are ordered together.
 * @throws `link_missing` with each required want that finds no offer, each named target that is none, and an offer that lacks a value
 */
export function decideLinks(
  wanting: readonly WantingInstance[],
  candidates: readonly OfferingInstance[],
): DecidedLink[] {
  const decided = wanting.flatMap((instance) =>
    instance.wants.map((want) => ({
      instance: instance.instance,
      want,
      chosen: chooseOffer(want, instance, candidates),
      of: instance,
    })),
  )
  const missing = decided.filter(
    ({ want, chosen, of }) => chosen === null && (want.isRequired || Object.hasOwn(of.named, want.name)),
  )
  if (missing.length > 0) {
    const details = missing.map(({ want, of }) => tellMissing(want, of))
    throw new BusinessError('link_missing', details.join(' '))
  }
  for (const { want, chosen } of decided)
    if (chosen !== null) linkedVariables(want, offeredNames(chosen.offer))
  return decided.map(({ instance, want, chosen }) => ({ instance, want, chosen }))
}

function tellMissing(want: LinkWant, { name, named }: WantingInstance): string {
  const target = named[want.name]
  if (target !== undefined)
    return `${name} is to be linked to ${target} as ${want.name}, which offers no ${want.kind} to it.`
  const tags = want.tags.length === 0 ? '' : ` with the tags ${want.tags.join(', ')}`
  return `${name} needs a ${want.kind}, and nothing that it may use offers one${tags}: order one with it, or name one.`
}

/**
 * Instances so that each comes after those that its required links lead to; otherwise their order is kept.
 * @throws `link_cycle` with the circle: `shop -> database -> shop`
 */
export function orderByLinks<T extends { readonly instance: string; readonly name: string }>(
  instances: readonly T[],
  links: readonly DecidedLink[],
): T[] {
  const byId = new Map(instances.map((instance) => [instance.instance, instance]))
  const needs = Map.groupBy(
    links.filter(({ want, chosen }) => want.isRequired && chosen !== null),
    ({ instance }) => instance,
  )
  const ordered = new Set<T>()
  const visit = (instance: T, path: readonly T[]): void => {
    if (ordered.has(instance)) return
    if (path.includes(instance)) {
      const circle = [...path.slice(path.indexOf(instance)), instance].map(({ name }) => name)
      throw new BusinessError(
        'link_cycle',
        `The links lead back to where they begin: ${circle.join(' -> ')}.`,
      )
    }
    for (const { chosen } of needs.get(instance.instance) ?? []) {
      const target = byId.get(chosen?.offering.instance ?? '')
      if (target !== undefined) visit(target, [...path, instance])
    }
    ordered.add(instance)
  }
  for (const instance of instances) visit(instance, [])
  return [...ordered]
}
