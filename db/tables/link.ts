import type { LinkReason } from '#domain/link-plan.ts'
import type { LinkState } from '#domain/link.ts'
import type { Defaulted, Generated, Instant } from './columns.ts'

export interface LinksTable {
  id: string
  wanting_instance_id: string
  /** Unique among the wants of an application. */
  name: string
  kind: string
  is_required: boolean
  /** Whose offer it has; null while it waits for one. */
  offering_instance_id: string | null
  reason: LinkReason | null
  state: LinkState
  made_at: Defaulted<Instant | null>
  /** When it last lost its offer, or its end. */
  taken_back_at: Defaulted<Instant | null>
  failure_detail: Defaulted<string | null>
  created_at: Generated<Instant>
}

/** The offer of a kind that is taken on a server where nothing nearer is. */
export interface PreferredOffersTable {
  server_id: string
  kind: string
  instance_id: string
  preferred_by: string
  preferred_at: Defaulted<Instant>
}
