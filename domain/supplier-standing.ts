import type { Standing } from './invoice/balance.ts'

/** How a document stands with who bills, as it goes to who is billed: the names are those of the message. Amounts in minor units. */
export interface SupplierStanding {
  /** The supplier's own id of it: `inv_…`. */
  readonly document: string
  readonly state: Standing
  /** Of payments, and of what the supplier owed. */
  readonly paid_minor: number
  /** Of credit notes. */
  readonly credited_minor: number
  readonly open_minor: number
  /** An instant, by the supplier's clock. */
  readonly since: string
}
