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
