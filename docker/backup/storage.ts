import type { Readable } from 'node:stream'

/** Where copies of volumes are kept. Another one beside the local folder follows the same promises. */
export interface BackupStorage {
  /**
   * Keeps the whole content under a key, or nothing of it: a reader sees it once it is complete and written for good. A key that
   * is there is replaced. The answer is the location by which it is found again.
   * @throws `backup_failed` where there is no room for it
   */
  write(key: string, content: Readable, abortSignal: AbortSignal): Promise<string>
  /** @throws `backup_failed` when there is nothing */
  read(location: string): Promise<Readable>
  /** Not there is a success. */
  remove(location: string): Promise<void>
}
