import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

const FOLDER_BYTES_MAX = 4 * 1024 * 1024

export interface FolderFile {
  /** Relative, with slashes. */
  readonly path: string
  readonly mode: number
  readonly content: Buffer
}

/** All files of a folder by path. Links and other special files are refused: they may lead out of the application. */
export async function readFolder(folder: string): Promise<FolderFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files: FolderFile[] = []
  let bytes = 0
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const full = join(entry.parentPath, entry.name)
    const path = full.slice(folder.length).replace(/^\/+/, '')
    if (!entry.isFile()) throw new Error(`${path} is neither a file nor a folder`)
    const content = await readFile(full)
    bytes += content.length
    if (bytes > FOLDER_BYTES_MAX) throw new Error(`the folder holds more than ${FOLDER_BYTES_MAX} bytes`)
    // Git keeps the executable bit only; more than that would make the hash depend on who cloned.
    files.push({ path, mode: ((await stat(full)).mode & 0o100) === 0 ? 0o644 : 0o755, content })
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Twelve hex digits that change whenever a path, an executable bit or a byte does. */
export function hashFiles(files: readonly FolderFile[]): string {
  const hash = createHash('sha256')
  for (const { path, mode, content } of files) {
    hash.update(`${path}\0${mode.toString(8)}\0${content.length}\0`)
    hash.update(content)
  }
  return hash.digest('hex').slice(0, 12)
}
