import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { hashFiles, type FolderFile } from './folder.ts'

const files = ['LICENSE', 'package-lock.json', 'package.json']
/** Names of its folders: `#domain/*`. */
const packageSchema = z.object({ imports: z.record(z.string(), z.string()) })
const isLeftOut = /(?:^|\/)\.|\.md$/

/**
 * The program of this installation, by path: an installation that is built of it is of the very version that builds it. Of a checkout
 * that is the folders that modules import by name, but for the tests, and the applications; nothing that begins with a dot, no
 * texts, no data.
 * @param folder the checkout that this process runs from
 */
export async function readProgram(folder: string): Promise<FolderFile[]> {
  const { imports } = packageSchema.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')))
  const named = Object.keys(imports).map((name) => name.slice(1, name.indexOf('/')))
  const folders = [...named.filter((name) => name !== 'test'), 'applications']
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
    .filter((path) => !isLeftOut.test(path))
}

async function readOne(folder: string, path: string): Promise<FolderFile> {
  const full = join(folder, path)
  const [content, { mode }] = await Promise.all([readFile(full), stat(full)])
  return { path, mode: (mode & 0o100) === 0 ? 0o644 : 0o755, content }
}
