import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApplicationDefinition } from '#domain/application.ts'
import { parseApplication } from './compose.ts'
import { hashFiles, readFolder } from './folder.ts'

/** Reads one application: a folder named by its code, with a `compose.yaml` and the folders that are built from. */
export async function readApplication(
  applicationsFolder: string,
  code: string,
): Promise<ApplicationDefinition> {
  const root = join(applicationsFolder, code)
  const text = await readFile(join(root, 'compose.yaml'), 'utf8')
  const entries = await readdir(root, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const hashes = folders.map(async (name) => [name, hashFiles(await readFolder(join(root, name)))] as const)
  return parseApplication({ code, text, folders: Object.fromEntries(await Promise.all(hashes)) })
}

/** All applications of a folder, by code. */
export async function readApplications(applicationsFolder: string): Promise<ApplicationDefinition[]> {
  const entries = await readdir(applicationsFolder, { withFileTypes: true })
  const codes = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return await Promise.all(codes.sort().map((code) => readApplication(applicationsFolder, code)))
}
