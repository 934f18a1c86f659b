import type { Defaulted, Generated, Instant } from './columns.ts'

export interface OperatorsTable {
  id: string
  name: string
  created_at: Generated<Instant>
}

export interface LoginLinksTable {
  token_sha256: Buffer
  operator_id: string
  expires_at: Instant
  consumed_at: Instant | null
  created_at: Generated<Instant>
}

export interface SessionsTable {
  token_sha256: Buffer
  operator_id: string
  form_token: string
  expires_at: Instant
  last_used_at: Defaulted<Instant>
  ended_at: Instant | null
  created_at: Generated<Instant>
}

export interface PortalLinksTable {
  id: string
  customer_id: string
  token_sha256: Buffer
  made_by: string
  made_at: Instant
  expires_at: Instant
  opened_at: Defaulted<Instant | null>
  withdrawn_at: Defaulted<Instant | null>
}

export interface PortalSessionsTable {
  id: string
  link_id: string
  customer_id: string
  token_sha256: Buffer
  form_token: string
  begun_at: Instant
  last_used_at: Instant
  expires_at: Instant
  ended_at: Defaulted<Instant | null>
  ended_by: Defaulted<string | null>
}

export interface ApiKeysTable {
  id: string
  name: string
  mode: 'live' | 'test'
  secret_sha256: Buffer
  scopes: string[]
  last_used_at: Instant | null
  expires_at: Instant | null
  revoked_at: Instant | null
  created_at: Generated<Instant>
}

export interface IdempotencyKeysTable {
  principal: string
  key: string
  method: string
  path: string
  body_sha256: string
  status: number | null
  response: unknown
  created_at: Generated<Instant>
}
