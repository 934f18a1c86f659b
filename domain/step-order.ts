import { unreachable } from './assert.ts'
import type { StepPlan } from './backup-plan.ts'
import type { ContainerStep, LinkStep, PeerStep } from './build-plan.ts'
import { imageName } from './image-pin.ts'

/** Which steps each step waits for: positions by position, and all of them come before it. A plain JSON value. */
export type StepOrder = readonly (readonly number[])[]

/** How many steps of one build are under way at once; a server carries out more, of several builds. */
export const stepsAtOnce = 4

/** A step with the place of its instance in the bill of materials. */
export interface PlacedStep {
  /** Lower first; what is equal may go on side by side. */
  readonly sequence: number
  readonly step: StepPlan
}

/**
 * What each step of a build waits for: an instance for all of a lower sequence, a link for its offer to be ready, a container
 * for its network, its image, its volumes, its links and the containers that it depends on, the ready check for all containers.
 * Networks, volumes and images wait for nothing else.
 * @param steps in an order in which they could be carried out one by one
 * @example network, volume, image, container, ready: `[[], [], [], [0, 1, 2], [3]]`
 */
export function orderBuild(steps: readonly PlacedStep[]): StepOrder {
  return orderStages(steps, needs)
}

/** The same for the way back: what others need goes after them, a higher sequence before a lower one. */
export function orderUnbuild(steps: readonly PlacedStep[]): StepOrder {
  return orderStages(steps, (step, other) => needs(other, step))
}

/** One by one, as plans were walked that say nothing of their order. */
export function orderInTurn(count: number): StepOrder {
  return Array.from({ length: count }, (_, position) => (position === 0 ? [] : [position - 1]))
}

/** The order backwards: each waits for those that waited for it. */
export function reverseOrder(order: StepOrder): StepOrder {
  const reversed: number[][] = order.map(() => [])
  for (const [position, before] of order.entries()) {
    for (const other of before) reversed[other]?.push(position)
  }
  return reversed
}

/** A step and all that wait for it, also through others: what is carried out once more when the step is. */
export function dependentsOf(order: StepOrder, from: number): number[] {
  const dependents = new Set([from])
  for (const [position, before] of order.entries()) {
    if (before.some((other) => dependents.has(other))) dependents.add(position)
  }
  return [...dependents]
}

/**
 * Which steps begin next.
 * @param walked which have begun, and which of them have ended
 * @param atOnce how many may be under way
 */
export function stepsToBegin(
  order: StepOrder,
  walked: { readonly begun: ReadonlySet<number>; readonly ended: ReadonlySet<number> },
  atOnce: number,
): number[] {
  const free = order.flatMap((before, position) =>
    !walked.begun.has(position) && before.every((other) => walked.ended.has(other)) ? [position] : [],
  )
  return free.slice(0, Math.max(0, atOnce - (walked.begun.size - walked.ended.size)))
}

function orderStages(
  steps: readonly PlacedStep[],
  waitsFor: (step: StepPlan, other: StepPlan) => boolean,
): StepOrder {
  const order: number[][] = []
  let first = 0
  let before: readonly number[] = []
  for (const [position, { sequence, step }] of steps.entries()) {
    if (sequence !== steps[first]?.sequence) {
      before = lastOf(order, first)
      first = position
    }
    const own = steps
      .slice(first, position)
      .flatMap((other, offset) => (waitsFor(step, other.step) ? [first + offset] : []))
    // Whoever waits for one of its own stage waits for the stage before through it.
    order.push(own.length > 0 ? own : [...before])
  }
  return order
}

/** Of the steps from a position on, those that no other waits for: once they have ended, all have. */
function lastOf(order: StepOrder, from: number): number[] {
  const awaited = new Set(order.slice(from).flat())
  return order.flatMap((_, position) => (position >= from && !awaited.has(position) ? [position] : []))
}

/** What is made or removed under one name is made or removed once, by the first; the others find it done. */
function needs(step: StepPlan, other: StepPlan): boolean {
  if (step.kind === other.kind && step.name === other.name) return true
  switch (step.kind) {
    case 'network':
    case 'volume':
    case 'image':
    case 'backup':
      return false
    case 'restore':
      return other.kind === 'volume' && step.copies.some(({ volume }) => volume === other.name)
    case 'link':
      return linkNeeds(step, other)
    case 'container':
      return containerNeeds(step, other)
    case 'ready':
      return other.kind === 'container' && step.containers.includes(other.name)
    case 'peer':
      return peerNeeds(step, other)
    default:
      return unreachable(step)
  }
}

/** It is asked while it runs: once it is ready, and, on the way back, before it is stopped to be saved. */
function peerNeeds({ labels }: PeerStep, other: StepPlan): boolean {
  const isAsked = other.kind === 'ready' || other.kind === 'backup'
  return isAsked && other.labels['io.clouder.instance'] === labels['io.clouder.instance']
}

/** What is offered is to be ready, and not only to run. */
function linkNeeds({ network, offer }: LinkStep, other: StepPlan): boolean {
  if (other.kind === 'ready') return other.labels['io.clouder.instance'] === offer.instance
  return other.kind === 'network' && other.name === network
}

function containerNeeds(step: ContainerStep, other: StepPlan): boolean {
  const mounted = new Set(step.mounts.map(({ volume }) => volume))
  switch (other.kind) {
    case 'network':
      return (
        step.network.name === other.name || (step.linkNetworks ?? []).some(({ name }) => name === other.name)
      )
    case 'image':
      return step.image === imageName(other)
    case 'volume':
      return mounted.has(other.name)
    case 'link':
      return other.wanting.some(({ container }) => container === step.name)
    case 'restore':
      return other.copies.some(({ volume }) => mounted.has(volume))
    case 'container':
      return step.dependsOn.some(({ service }) => service === other.name)
    case 'backup':
    case 'ready':
    case 'peer':
      return false
    default:
      return unreachable(other)
  }
}
