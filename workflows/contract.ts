import type { SubscriptionCommand, SubscriptionCommandKind } from '#domain/subscription.ts'

/**
 * What callers need to know of the workflows: names, ids, queues, inputs, updates, search attributes. It imports no
 * code, so that the API, the worker and the command line share it.
 */
export const workflowTypes = {
  subscription: 'subscription',
  build: 'build',
  unbuild: 'unbuild',
  billingRun: 'billingRun',
  sampler: 'sampler',
  reconcile: 'reconcile',
  testClock: 'testClock',
} as const

/** Business keys: an id names one life of one thing, whoever starts it and however often. Arguments are public ids. */
export const workflowIds = {
  subscription: (subscriptionId: string) => `subscription/${subscriptionId}`,
  build: (buildOrderId: string) => `build/${buildOrderId}`,
  unbuild: (buildOrderId: string) => `unbuild/${buildOrderId}`,
  billingRun: (instant: string) => `billing-run/${instant}`,
  sampler: (serverId: string) => `sampler/${serverId}`,
  reconcile: (installationId: string) => `reconcile/${installationId}`,
  testClock: (testClockId: string, targetAt: string) => `test-clock/${testClockId}/${targetAt}`,
} as const

export const scheduleIds = {
  billingRun: (installationId: string) => `billing-run/${installationId}`,
  reconcile: (installationId: string) => `reconcile/${installationId}`,
} as const

export const taskQueues = {
  /** Workflows, and activities that need the database only. */
  installation: (installationId: string) => `installation/${installationId}`,
  /** Docker work of one server: the worker on that host polls it, and a lost host parks its work. */
  server: (serverId: string) => `server/${serverId}`,
} as const

/** Ids only: search attributes are never encrypted. */
export const searchAttributes = {
  customer: { name: 'Customer', type: 'KEYWORD' },
  product: { name: 'Product', type: 'KEYWORD' },
  phase: { name: 'Phase', type: 'KEYWORD' },
  step: { name: 'Step', type: 'KEYWORD' },
  server: { name: 'Server', type: 'KEYWORD' },
  error: { name: 'Error', type: 'KEYWORD' },
  nextInvoiceDate: { name: 'NextInvoiceDate', type: 'DATETIME' },
} as const

export interface SubscriptionInput {
  /** `sub_…` */
  readonly subscriptionId: string
  /** Set by continue-as-new only. */
  readonly carry?: SubscriptionCarry
}

/** What a subscription's workflow remembers from one run to the next. Small: ids and dates, never invoices or readings. */
export interface SubscriptionCarry {
  readonly phase: 'ordered' | 'building' | 'active' | 'suspended' | 'unbuilding' | 'ended'
  readonly parkedReason: string | null
  readonly isCancelled: boolean
  /** The next instant at which something is due by the calendar; null when nothing is. */
  readonly dueAtMs: number | null
  /** Set for a subscription on a test clock: its now. */
  readonly testClockMs: number | null
  readonly handledRequestIds: readonly string[]
  readonly lastInvoices: readonly string[]
}

export interface BuildInput {
  /** `bo_…` */
  readonly buildOrderId: string
}

export type BuildResult =
  | { readonly state: 'done' }
  | { readonly state: 'failed' | 'cancelled'; readonly code: string; readonly detail: string }

export interface BillingRunInput {
  /** The instant up to which documents are due. Empty: when the schedule fired. */
  readonly instant?: string
  readonly done?: BillingRunProgress
}

export interface BillingRunProgress {
  readonly billed: number
  readonly skipped: number
  readonly parked: number
  readonly after: string | null
}

export interface SamplerInput {
  /** `srv_…` */
  readonly serverId: string
  readonly intervalMs: number
}

export interface TestClockInput {
  /** `clk_…` */
  readonly testClockId: string
  readonly targetAt: string
}

/** What the caller of a command gets back. */
export interface CommandAnswer {
  readonly requestId: string
  /** A refusal found while the command was carried out; nothing was changed then. */
  readonly refusal: { readonly code: string; readonly detail: string } | null
}

export type SubscriptionUpdate = SubscriptionCommandKind
export type { SubscriptionCommand }
