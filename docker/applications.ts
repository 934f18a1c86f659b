import { readFileSync, realpathSync, statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import type { ApplicationDefinition } from '#domain/application.ts'
import { parseApplication } from './compose/application.ts'
import type { Folder } from './compose/reading.ts'
import { hashFiles, readFolder } from './folder.ts'
import { hashProgram } from './program.ts'

/** What the applications that Clouder ships may do: their images are built here, and their authors are ours. */
const SHIPPED_GRANTS = ['build', 'build_packages', 'build_program']

const asksForProgram = /\bx-program:/

/** Reads one application: a folder named by its code, with a `compose.yaml` and what it builds from or mounts. */
export async function readApplication(
  applicationsFolder: string,
  code: string,
): Promise<ApplicationDefinition> {
  const root = join(applicationsFolder, code)
  const text = await readFile(join(root, 'compose.yaml'), 'utf8')
  const beside = await readBeside(root)
  // Read only where it is asked for: it is a thousand files.
  const folder = asksForProgram.test(text)
    ? { ...beside, program: await hashProgram(dirname(resolve(applicationsFolder))) }
    : beside
  return parseApplication({ code, text, folder, sharedMetrics: [] }, SHIPPED_GRANTS)
}

/** What stands beside a compose file: the folders that images may be built from, and the files that are mounted or read. */
export async function readBeside(root: string): Promise<Folder> {
  const entries = await readdir(root, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const hashes = folders.map(async (name) => [name, hashFiles(await readFolder(join(root, name)))] as const)
  return { folders: Object.fromEntries(await Promise.all(hashes)), textOf: (path) => readText(root, path) }
}

const FILE_BYTES_MAX = 256 * 1024

/** What is no text, and is told as a data URL. */
const IMAGE = /\.(png|jpe?g)$/i

/** A file inside the folder, links followed: one that leads out of it is not there. */
export function readText(root: string, path: string): string | undefined {
  try {
    const file = realpathSync(join(root, path))
    const stat = statSync(file)
    const isInside = file.startsWith(realpathSync(root) + sep)
    if (!isInside || !stat.isFile() || stat.size > FILE_BYTES_MAX) return undefined
    const type = IMAGE.exec(path)?.[1]?.toLowerCase().replace('jpg', 'jpeg')
    return type === undefined
      ? readFileSync(file, 'utf8')
      : `data:image/${type};base64,${readFileSync(file, 'base64')}`
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      /^(?:ENOENT|ENOTDIR|EACCES|ELOOP)$/.test(String(error.code))
    )
      return undefined
    throw error
  }
}

/** All applications of a folder, by code. */
export async function readApplications(applicationsFolder: string): Promise<ApplicationDefinition[]> {
  const entries = await readdir(applicationsFolder, { withFileTypes: true })
  const codes = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return await Promise.all(codes.sort().map((code) => readApplication(applicationsFolder, code)))
}
