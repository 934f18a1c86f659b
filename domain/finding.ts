import type { EngineStep, UndoableStep } from './build-plan.ts'
import type { ObservedObject } from './runner.ts'

/** What is to be so: one live instance of the server, with the plan of its generation. */
export interface WantedInstance {
  /** `ins_…` */
  readonly instance: string
  readonly environmentPrefix: string
  /**
   * `nothing`: it is built, unbuilt, stopped or started just now, or has failed. None of its objects is judged, but none of them is
   * an orphan either.
   */
  readonly wants: 'running' | 'stopped' | 'nothing'
  /** Empty where nothing is wanted. */
  readonly steps: readonly EngineStep[]
  /** What its data can be restored from; null where nothing of it is kept. */
  readonly backup: RestorableData | null
}

/** A kept backup of an instance, or the one that it was itself restored from, with what an order of it names. */
export interface RestorableData {
  /** `bak_…` */
  readonly backup: string
  /** Instant: what was written later is not in it. */
  readonly takenAt: string
  /** Code of whose it is. */
  readonly customer: string
  /** Code of a product that builds its application. */
  readonly product: string
}

/** What is written down as made: a row of `resources` that was not removed. */
export interface RecordedResource {
  readonly instance: string
  readonly kind: 'container' | 'volume' | 'network' | 'image'
  readonly name: string
  readonly externalId: string
}

export type FindingKind =
  | 'stopped'
  | 'started'
  | 'unhealthy'
  | 'missing_container'
  | 'missing_volume'
  | 'missing_network'
  | 'wrong_image'
  | 'wrong_configuration'
  | 'foreign'
  | 'orphan'
  | 'ghost'

/** One difference between what is wanted, what is recorded and what was observed. */
export interface Finding {
  readonly kind: FindingKind
  /** `critical`: data or the application is gone. `warning`: it is not as it was sold. `notice`: nobody misses anything. */
  readonly severity: 'critical' | 'warning' | 'notice'
  /** `ins_…`; null where no live instance has anything to do with it. */
  readonly instance: string | null
  readonly objectKind: UndoableStep['kind']
  readonly objectName: string
  readonly detail: string
  /** It is repaired without being asked: nothing is lost by it, whatever the reason of the difference is. */
  readonly isSafe: boolean
  /** What a person types to settle it. */
  readonly command: string
}

export interface Comparison {
  /** `ins_…`: what carries its label is ours. An image's label comes with every container of it, and says nothing. */
  readonly installation: string
  /** Every live instance of the server; of a narrower comparison, those that it is about. */
  readonly wanted: readonly WantedInstance[]
  readonly recorded: readonly RecordedResource[]
  readonly observed: readonly ObservedObject[]
}

/** Two objects of one kind never share a name on a server. */
export function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`
}

export function isUndoable(step: EngineStep): step is UndoableStep {
  return step.kind === 'container' || step.kind === 'volume' || step.kind === 'network'
}

/** The command line's way to have an instance made as it should be. */
export function repairCommand(instance: string): string {
  return `npx clouder instances repair ${instance}`
}

/** The command line's way to order what begins with a backup. */
export function restoreCommand({ backup, customer, product }: RestorableData): string {
  return `npx clouder backups restore ${backup} --customer ${customer} --product ${product}`
}
