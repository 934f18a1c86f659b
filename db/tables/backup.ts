import type { BackupReason, BackupState, RestoreState } from '#domain/backup.ts'
import type { Defaulted, Generated, Instant } from './columns.ts'

export interface BackupsTable {
  id: string
  instance_id: string
  server_id: string
  reason: Defaulted<BackupReason>
  /** The unbuild before which a last one was taken. */
  build_order_id: string | null
  /** The restore in place before which it was taken. */
  restore_id: Defaulted<string | null>
  state: Defaulted<BackupState>
  failure_detail: Defaulted<string | null>
  taken_at: Defaulted<Instant | null>
  /** When every copy of it was read back. */
  verified_at: Defaulted<Instant | null>
  expires_at: Defaulted<Instant | null>
  deleted_at: Defaulted<Instant | null>
  created_at: Generated<Instant>
}

export interface BackupVolumesTable {
  backup_id: string
  /** Its name in the compose file. */
  volume: string
  location: string
  bytes: number
  sha256: string
  saved_at: Instant
  verified_at: Defaulted<Instant | null>
}

/** A backup put in place of what an instance holds. */
export interface RestoresTable {
  id: string
  subscription_id: string
  instance_id: string
  backup_id: string
  /** Of the command that asked for it. */
  request_id: string
  state: Defaulted<RestoreState>
  failure_code: Defaulted<string | null>
  failure_detail: Defaulted<string | null>
  created_at: Generated<Instant>
  finished_at: Defaulted<Instant | null>
}
