import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hashFiles, type FolderFile } from './folder.ts'

/** Of a checkout, what an installation runs: no tests, no documentation, nothing that begins with a dot, no data. */
const folders = ['activities', 'api', 'applications', 'bin', 'db', 'docker', 'domain', 'workflows']
const files = ['LICENSE', 'package-lock.json', 'package.json']

/**
 * The program of this installation, by path: an installation that is built of it is of the very version that builds it.
 * @param folder the checkout that this process runs from
 */
export async function readProgram(folder: string): Promise<FolderFile[]> {
  const found = await Promise.all(folders.map(async (name) => await listFiles(folder, name)))
  const paths = [...files, ...found.flat()].toSorted()
  return await Promise.all(paths.map(async (path) => await readOne(folder, path)))
}

/** Twelve hex digits that change whenever the program does. */
export async function hashProgram(folder: string): Promise<string> {
  return hashFiles(await readProgram(folder))
}

/** The hash of a folder's files and of the program that an image holds beside them. */
export function withProgram(folderHash: string, programHash: string): string {
  return createHash('sha256').update(`${folderHash}\0${programHash}`).digest('hex').slice(0, 12)
}

async function listFiles(folder: string, name: string): Promise<string[]> {
  const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')))
}

async function readOne(folder: string, path: string): Promise<FolderFile> {
  const full = join(folder, path)
  const [content, { mode }] = await Promise.all([readFile(full), stat(full)])
  return { path, mode: (mode & 0o100) === 0 ? 0o644 : 0o755, content }
}
