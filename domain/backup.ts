/** `kept`: every copy was read back whole, and it can be restored until it expires. */
export type BackupState = 'taking' | 'kept' | 'failed' | 'deleted'

export const backupStates: readonly BackupState[] = ['taking', 'kept', 'failed', 'deleted']

/** Before what it was taken: the removal of its instance, or a restore in place. */
export type BackupReason = 'last' | 'before_restore'

export const backupReasons: readonly BackupReason[] = ['last', 'before_restore']

/** `undone`: it could not be done, and what was there before is there again; `failed`: not even that. */
export type RestoreState = 'running' | 'done' | 'undone' | 'failed'

export const restoreStates: readonly RestoreState[] = ['running', 'done', 'undone', 'failed']
