import type { Agenda } from '#domain/agenda.ts'
import type { InstanceCommandKind } from '#domain/instance-command.ts'
import type { OrderTicket } from '#domain/order-hold.ts'
import type { ServerExamination } from '#domain/runner.ts'
import type { SubscriptionPhase } from '#domain/subscription.ts'

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
  readingRetention: 'readingRetention',
  repair: 'repair',
  replacement: 'replacement',
  serverTest: 'serverTest',
  instanceCommand: 'instanceCommand',
  log: 'log',
  deployer: 'deployer',
  peer: 'peer',
  peerQuestion: 'peerQuestion',
  testClock: 'testClock',
  webhook: 'webhook',
} as const

/** Business keys: an id names one life of one thing, whoever starts it and however often. Arguments are public ids. */
export const workflowIds = {
  subscription: (subscriptionId: string) => `subscription/${subscriptionId}`,
  build: (buildOrderId: string) => `build/${buildOrderId}`,
  unbuild: (buildOrderId: string) => `unbuild/${buildOrderId}`,
  billingRun: (instant: string) => `billing-run/${instant}`,
  sampler: (serverId: string) => `sampler/${serverId}`,
  reconcile: (installationId: string) => `reconcile/${installationId}`,
  readingRetention: (installationId: string) => `reading-retention/${installationId}`,
  repair: (instanceId: string, requestId: string) => `repair/${instanceId}/${requestId}`,
  serverTest: (serverId: string, requestId: string) => `server-test/${serverId}/${requestId}`,
  instanceCommand: (instanceId: string, requestId: string) => `instance-command/${instanceId}/${requestId}`,
  log: (requestId: string) => `log/${requestId}`,
  deployer: (deployerId: string) => `deployer/${deployerId}`,
  peer: (peerId: string) => `peer/${peerId}`,
  peerQuestion: (questionId: string) => `peer-question/${questionId}`,
  testClock: (testClockId: string, targetAt: string) => `test-clock/${testClockId}/${targetAt}`,
  webhook: (webhookId: string) => `webhook/${webhookId}`,
} as const

export const scheduleIds = {
  billingRun: (installationId: string) => `billing-run/${installationId}`,
  reconcile: (installationId: string) => `reconcile/${installationId}`,
  readingRetention: (installationId: string) => `reading-retention/${installationId}`,
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
  limit: { name: 'Limit', type: 'KEYWORD' },
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
  readonly phase: SubscriptionPhase
  readonly parkedReason: string | null
  readonly isCancelled: boolean
  readonly agenda: Agenda
  /** Now, of its test clock; null for a subscription in real time. */
  readonly testClockMs: number | null
  readonly settlementWindowMs: number
  readonly consoleUrl: string
  readonly customerId: string
  readonly productId: string
  readonly title: string
  readonly serverIds: readonly string[]
  /** `dpl_…`, of what is deployed elsewhere; left out: all is deployed here. */
  readonly deploymentIds?: readonly string[]
  /** The newest answers, so that a command that comes again after continue-as-new is answered again, not carried out. */
  readonly answers: readonly CommandAnswer[]
  readonly lastInvoices: readonly string[]
  /** How its order stood when it was read last; left out in histories older than holds, whose orders were released. */
  readonly order?: OrderTicket
  /** Codes of limits that are reached and held; left out in histories older than that. */
  readonly limited?: readonly string[]
  /** A restore in place that was under way when the workflow was lost. */
  readonly restore?: { readonly restoreId: string; readonly serverId: string }
}

export type BuildResult =
  | { readonly state: 'done' }
  | { readonly state: 'failed' | 'cancelled'; readonly code: string; readonly detail: string }

export interface BillingRunInput {
  /** The instant up to which documents are due. Empty: when the schedule fired. */
  readonly instant?: string
  /** Only documents that could not be billed before. */
  readonly isFailedOnly?: boolean
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

export interface RepairInput {
  /** `inst_…` */
  readonly instanceId: string
  /** `srv_…` */
  readonly serverId: string
  /** Who asks: the name of a key or an operator. */
  readonly by: string
}

export interface RepairResult {
  /** What is still not as it should be: kind and object. */
  readonly left: readonly string[]
  readonly refusal: { readonly code: string; readonly detail: string } | null
}

/** What changed of an instance is carried out. */
export type ReplacementInput = RepairInput

export interface ReplacementResult {
  /** Names of containers that were made anew. */
  readonly replaced: readonly string[]
  /** Names of containers that were given other limits while they ran. */
  readonly updated: readonly string[]
  readonly refusal: { readonly code: string; readonly detail: string } | null
}

/** What a test of a server's connection comes to; without a result, and without a refusal, nobody took it up in time. */
export interface ServerTestResult {
  readonly examination: ServerExamination | null
  readonly refusal: { readonly code: string; readonly detail: string } | null
}

export interface InstanceCommandInput {
  /** `inst_…` */
  readonly instanceId: string
  /** `srv_…` */
  readonly serverId: string
  readonly requestId: string
  readonly kind: InstanceCommandKind
}

export interface InstanceCommandResult {
  readonly refusal: { readonly code: string; readonly detail: string } | null
}

export interface LogInput {
  /** `srv_…` */
  readonly serverId: string
  readonly requestId: string
}

export interface DeployerInput {
  /** `dep_…` */
  readonly deployerId: string
}

export interface PeerInput {
  /** `peer_…` */
  readonly peerId: string
  /** Its invitation was accepted here, and is redeemed first. */
  readonly isAccepting?: boolean
  /** Set by continue-as-new only. */
  readonly sent?: number
}

export interface PeerQuestionInput {
  /** A row tells what is asked, and takes the answer. */
  readonly questionId: string
}

export interface WebhookInput {
  /** `whk_…` */
  readonly webhookId: string
  /** Set by continue-as-new only. */
  readonly delivered?: number
}

export interface TestClockInput {
  /** `clk_…` */
  readonly testClockId: string
  /** Where the clock stood when it was asked, all done. Found elsewhere, on its way, it moves on only once all is done there. */
  readonly fromAt: string
  readonly targetAt: string
}

/** What the caller of a command gets back. */
export interface CommandAnswer {
  readonly requestId: string
  /** A refusal found while the command was carried out; nothing was changed then. */
  readonly refusal: { readonly code: string; readonly detail: string } | null
}

/** Signals to a build that runs: it stops between two steps and undoes what it made. */
export const cancelBuildSignal = 'cancelBuild'

/** Signals to a build or unbuild that runs: an operator asked something of it, which its rows tell. */
export const buildCommandedSignal = 'buildCommanded'

/** Signals to the subscriptions of an order: nothing is waited for any more, or it was cancelled, refused or has expired. */
export const orderSignals = { released: 'orderReleased', closed: 'orderClosed' } as const

/** Signals to a subscription: a limit of it was crossed, one way or the other. Which one, its rows say. */
export const limitSignal = 'limitCrossed'

/** Signals to a webhook: something waits for it, or it is deleted. Its rows say what. */
export const deliveriesWaitSignal = 'deliveriesWait'
