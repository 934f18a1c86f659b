import type { InstanceCommandKind, InstanceCommandState } from '#domain/instance-command.ts'
import type { LogLine, LogRequest } from '#domain/log-line.ts'
import type { Defaulted, DefaultedJson, Generated, Instant, Json } from './columns.ts'

export interface InstanceCommandsTable {
  instance_id: string
  request_id: string
  kind: InstanceCommandKind
  subject: string | null
  actor: string
  answers: DefaultedJson<Readonly<Record<string, string>>>
  key_id: string | null
  sealed: Buffer | null
  state: Defaulted<InstanceCommandState>
  exit_code: Defaulted<number | null>
  output: Defaulted<string | null>
  refusal_code: Defaulted<string | null>
  refusal_detail: Defaulted<string | null>
  asked_at: Generated<Instant>
  finished_at: Defaulted<Instant | null>
}

export interface LogExcerptsTable {
  request_id: string
  instance_id: string
  asked: Json<LogRequest>
  lines: Json<readonly LogLine[]> | null
  created_at: Generated<Instant>
}

export interface InstanceLoginsTable {
  id: string
  instance_id: string
  token_sha256: Buffer
  actor: string
  made_at: Instant
  expires_at: Instant
  opened_at: Defaulted<Instant | null>
  key_id: Defaulted<string | null>
  sealed: Defaulted<Buffer | null>
}
