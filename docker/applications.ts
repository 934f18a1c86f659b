import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApplicationDefinition } from '#domain/application.ts'
import { parseApplication } from './compose/application.ts'
import type { Folder } from './compose/reading.ts'
import { hashFiles, readFolder } from './folder.ts'

/** What the applications that Clouder ships may do: their images are built of local parts, and their authors are ours. */
const SHIPPED_GRANTS = ['build']

/** Reads one application: a folder named by its code, with a `compose.yaml` and what it builds from or mounts. */
export async function readApplication(
  applicationsFolder: string,
  code: string,
): Promise<ApplicationDefinition> {
  const root = join(applicationsFolder, code)
  const text = await readFile(join(root, 'compose.yaml'), 'utf8')
  return parseApplication({ code, text, folder: await readBeside(root) }, SHIPPED_GRANTS)
}

/** The folders and the files of text beside a compose file. */
async function readBeside(root: string): Promise<Folder> {
  const entries = await readdir(root, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const hashes = folders.map(async (name) => [name, hashFiles(await readFolder(join(root, name)))] as const)
  const files = (await readFolder(root)).map(({ path, content }) => [path, content.toString('utf8')] as const)
  return { folders: Object.fromEntries(await Promise.all(hashes)), files: Object.fromEntries(files) }
}

/** All applications of a folder, by code. */
export async function readApplications(applicationsFolder: string): Promise<ApplicationDefinition[]> {
  const entries = await readdir(applicationsFolder, { withFileTypes: true })
  const codes = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return await Promise.all(codes.sort().map((code) => readApplication(applicationsFolder, code)))
}
