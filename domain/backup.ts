/** `kept`: every copy was read back whole, and it can be restored until it expires. */
export type BackupState = 'taking' | 'kept' | 'failed' | 'deleted'

export const backupStates: readonly BackupState[] = ['taking', 'kept', 'failed', 'deleted']
