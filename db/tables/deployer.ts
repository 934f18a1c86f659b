import type { DeploymentState, FeedReading } from '#domain/deployment.ts'
import type { ColumnType } from 'kysely'
import type { Decimal, Defaulted, Generated, Instant } from './columns.ts'

/** Another installation that deploys what this one bills. */
export interface DeployersTable {
  id: string
  code: string
  /** Without a slash at the end. */
  url: string
  /** As whom this installation orders there: id or code. */
  customer: string
  key_id: string
  sealed: Buffer
  set_at: Instant
  set_by: string
  /** Up to where what was used there is here. */
  usage_cursor: Defaulted<string | null>
  /** What was recorded there before is here. */
  usage_taken_at: Defaulted<Instant | null>
  /** Null unless its feed is being read, or the reading was broken off. */
  usage_reading: ColumnType<FeedReading | null, string | null | undefined, string | null>
  failing_since: Defaulted<Instant | null>
  failure: Defaulted<string | null>
  created_at: Generated<Instant>
}

/** Products that are deployed elsewhere, and as what they are ordered there: one of the two. */
export interface ProductDeployersTable {
  product_id: string
  deployer_id: string
  product_there: string | null
  kit_there: string | null
  set_at: Instant
  set_by: string
  /** When its order was tried there last. */
  tried_at: Defaulted<Instant | null>
  /** Why it would be refused there. */
  refusal: Defaulted<string | null>
}

/** One line that was sold here and is a subscription over there. */
export interface DeploymentsTable {
  id: string
  subscription_id: string
  /** The first line of what is deployed, whatever follows it. */
  first_line_id: string
  deployer_id: string
  product_there: string | null
  kit_there: string | null
  quantity: Decimal
  state: Defaulted<DeploymentState>
  subscription_there: Defaulted<string | null>
  phase_there: Defaulted<string | null>
  parked_there: Defaulted<string | null>
  address_there: Defaulted<string | null>
  seen_at: Defaulted<Instant | null>
  created_at: Generated<Instant>
}
