import type { SupplierDocument } from '#domain/supplier-invoice.ts'
import type { DisputeOutcome, DisputeState } from '#domain/dispute.ts'
import type { InvoiceMediaType } from '#domain/invoice-file.ts'
import type { Standing } from '#domain/invoice/balance.ts'
import type { PeerMessageContent, PeerMessageKind } from '#domain/peer-message.ts'
import type { PeerRole, PeerState } from '#domain/peer.ts'
import type { SignedExchange, SuppliedEvent, SuppliedReading, SuppliedWindow } from '#domain/peer-question.ts'
import type { DifferingDocument, MonthDigest } from '#domain/proof.ts'
import type { ToldMappings } from '#domain/told-mapping.ts'
import type { CalendarDate, Defaulted, GeneratedAlways, Instant, Json, NullableJson } from './columns.ts'

/** Another installation, and what it is to us. */
export interface PeersTable {
  id: string
  role: PeerRole
  /** Whom we bill, where we do. */
  customer_id: string | null
  /** By whose code a supplier bills us, as it has told at pairing. */
  billed_as: Defaulted<string | null>
  /** Null until it is paired with. */
  currency: string | null
  installation_id: Defaulted<string | null>
  /** By which the other side knows us. */
  other_peer_id: Defaulted<string | null>
  name: Defaulted<string | null>
  url: Defaulted<string | null>
  state: PeerState
  halted_reason: Defaulted<string | null>
  invitation_sha256: Defaulted<Buffer | null>
  invitation_expires_at: Defaulted<Instant | null>
  invitation_used_at: Defaulted<Instant | null>
  code_key_id: Defaulted<string | null>
  code_sealed: Defaulted<Buffer | null>
  /** Of a supplier: hashed ids of itself and of all above it. */
  above: Defaulted<string[]>
  last_sequence: Defaulted<number>
  waiting_reason: Defaulted<string | null>
  /** What it has said that it understands. */
  other_version: Defaulted<number>
  other_kinds: Defaulted<string[]>
  /** The last of ours that it has taken of those that have numbers over there. */
  sent_sequence: Defaulted<number>
  /** The last document whose files wait to be sent, or were. */
  files_sequence: Defaulted<number>
  /** The last of ours that the other side says it has, where that is more than we know of. */
  told_sequence: Defaulted<number | null>
  is_awake: Defaulted<boolean>
  created_at: Instant
  created_by: string
  paired_at: Defaulted<Instant | null>
  closed_at: Defaulted<Instant | null>
  closed_reason: Defaulted<string | null>
  /** The installation that was built here as this instance. */
  instance_id: Defaulted<string | null>
}

export interface PeerKeysTable {
  /** SHA-256 of the public key, base64url. */
  id: string
  peer_id: string
  is_own: boolean
  public_key: Buffer
  key_id: string | null
  sealed: Buffer | null
  made_at: Instant
  /** Ours: since it signs; null until the other side has taken it. Theirs: since it is pinned. */
  holds_from: Defaulted<Instant | null>
  expires_at: Defaulted<Instant | null>
  revoked_at: Defaulted<Instant | null>
}

/** Messages that were refused, counted by cause and day. */
export interface PeerRefusalsTable {
  peer_id: string | null
  code: string
  day: CalendarDate
  count: Defaulted<number>
  first_at: Instant
  last_at: Instant
  detail: string
}

export interface PeerNoncesTable {
  peer_id: string
  nonce: string
  seen_at: Instant
}

/** What is to be sent to a peer, in order. */
export interface PeerMessagesTable {
  peer_id: string
  sequence: number
  kind: PeerMessageKind
  /** What it is of, by our own id. */
  subject_id: string | null
  /** Null where it is made of rows that never change. */
  content: NullableJson<PeerMessageContent>
  /** Of what was sent first; null until then. */
  sha256: Defaulted<Buffer | null>
  /** What the other side has to understand besides its kind: how large it is. */
  needs: Defaulted<string | null>
  queued_at: Defaulted<Instant>
  delivered_at: Defaulted<Instant | null>
}

/** What came from a peer, by its number over there. */
export interface ReceivedPeerMessagesTable {
  peer_id: string
  sequence: number
  kind: PeerMessageKind
  sha256: Buffer
  received_at: Instant
}

/** A file of a supplier's document, or why there is none. */
export interface SupplierFilesTable {
  peer_id: string
  document_id: string
  media_type: InvoiceMediaType
  name: string
  sha256: Buffer | null
  content: Buffer | null
  missing_reason: string | null
  received_at: Instant
}

/** As what a customer counts our products, as it tells: the newest. */
export interface ToldExpenseMappingsTable {
  peer_id: string
  content: Json<ToldMappings>
  told_at: Instant
}

/** How a supplier's document stands, as the supplier says. */
export interface SupplierStandingsTable {
  peer_id: string
  document_id: string
  state: Standing
  paid_minor: number
  credited_minor: number
  open_minor: number
  stands_since: Instant
  received_at: Instant
}

export interface SupplierInvoicesTable {
  id: string
  supplier_id: string
  /** Where it came from; `peer_id` is there for that one alone, `recorded_by` for every other. */
  origin: 'peer' | 'hand' | 'csv' | 'ubl'
  peer_id: string | null
  recorded_by: Defaulted<string | null>
  /** The supplier's own id of it; of what was recorded here, ours. */
  document_id: string
  sha256: Buffer
  kind: 'invoice' | 'credit_note'
  number: string
  currency: string
  issued_on: CalendarDate
  due_on: CalendarDate
  net_minor: number
  tax_minor: number
  total_minor: number
  /** Below 0 where the supplier owes it to us. */
  owed_minor: GeneratedAlways<number>
  corrects_document_id: string | null
  content: Json<SupplierDocument>
  disagreement: string | null
  received_at: Instant
  /** Of what was recorded here and misread: since when it counts for nothing, with who said so and why. */
  voided_at: Defaulted<Instant | null>
  voided_by: Defaulted<string | null>
  void_reason: Defaulted<string | null>
}

/** What two sides say of their documents. Who was asked sees where they differ only by the month. */
export interface ProofAnswer {
  readonly isEqual: boolean
  readonly ours: readonly MonthDigest[]
  readonly theirs: readonly MonthDigest[]
  readonly differences: readonly DifferingDocument[] | null
}

/** What a supplier says of the usage behind a line: the window with its days, or the rows of one day. Under the names of the message. */
export interface UsageAnswer {
  readonly window: SuppliedWindow | null
  readonly readings: readonly SuppliedReading[]
  readonly events: readonly SuppliedEvent[]
}

export type PeerQuestionAnswer = ProofAnswer | UsageAnswer

/** What was asked of a peer, or by it. */
export interface PeerQuestionsTable {
  id: string
  peer_id: string
  is_asked_here: boolean
  key: string
  kind: 'proof' | 'usage'
  supplier_invoice_id: string | null
  question: Json<Record<string, unknown>>
  answer: NullableJson<PeerQuestionAnswer>
  evidence: NullableJson<SignedExchange>
  refusal_code: Defaulted<string | null>
  refusal_detail: Defaulted<string | null>
  asked_by: string
  asked_at: Instant
  finished_at: Defaulted<Instant | null>
}

/** A document of ours that a peer has and we have not: we were restored from an older backup. */
export interface LostDocumentsTable {
  id: string
  peer_id: string
  document_id: string
  kind: 'invoice' | 'credit_note'
  number: string
  currency: string
  issued_on: CalendarDate
  total_minor: number
  sha256: Buffer
  content: Json<PeerMessageContent>
  series: string | null
  sequence: number | null
  found_at: Instant
  settlement: Defaulted<'kept' | 'dismissed' | null>
  settled_at: Defaulted<Instant | null>
  settled_by: Defaulted<string | null>
  reason: Defaulted<string | null>
}

/** What a customer that is an installation says against a document, and the answer: the same on both sides. */
export interface DisputesTable {
  id: string
  peer_id: string
  /** Raised here; null where the peer raised it. */
  supplier_invoice_id: string | null
  /** Raised by the peer, of a document of ours that it was sent. */
  invoice_id: string | null
  document_id: string
  number: string
  reason: string
  lines: number[]
  raised_at: Instant
  raised_by: string | null
  withdrawn_at: Defaulted<Instant | null>
  withdrawn_by: Defaulted<string | null>
  outcome: Defaulted<DisputeOutcome | null>
  answer: Defaulted<string | null>
  answered_at: Defaulted<Instant | null>
  answered_by: Defaulted<string | null>
  /** Of the rest: withdrawn before all. */
  state: GeneratedAlways<DisputeState>
}

/** Numbers that were given before a restore, and are not given again. */
export interface SkippedNumbersTable {
  series: string
  first: number
  last: number
  reason: string
  skipped_at: Instant
  skipped_by: string
}

/** A document that was refused for its number, which is that of another one; accepted by who resumed the peer. */
export interface RefusedDocumentsTable {
  peer_id: string
  document_id: string
  sha256: Buffer
  number: string
  refused_at: Instant
  accepted_at: Defaulted<Instant | null>
  accepted_by: Defaulted<string | null>
}
