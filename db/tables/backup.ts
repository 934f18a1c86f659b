import type { BackupState } from '#domain/backup.ts'
import type { Defaulted, Generated, Instant } from './columns.ts'

export interface BackupsTable {
  id: string
  instance_id: string
  server_id: string
  /** The unbuild before which it was taken. */
  build_order_id: string
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
