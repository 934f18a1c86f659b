import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { ContextEntry } from './image-build.ts'

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      dependencies: z.record(z.string(), z.string()).default({}),
      optionalDependencies: z.record(z.string(), z.string()).default({}),
      peerDependencies: z.record(z.string(), z.string()).default({}),
    }),
  ),
})
type Lock = z.output<typeof lockSchema>

/** Of these one file is served as it is; what they were made of is not needed. */
const leaves = new Set(['rapidoc'])
/** Types, maps and texts, which no process reads, and what is compiled already. */
const unread = /\.(?:d\.[mc]?ts|map|md|markdown|flow)$|(?:^|\/)core-bridge\/(?:sdk-core|src)\//

/** The folders of the packages that an installation runs on, of those that the lock file knows: `node_modules/hono`. */
export function runtimePackages(lockText: string): string[] {
  const { packages } = lockSchema.parse(JSON.parse(lockText))
  const found = new Set<string>()
  const visit = (from: string): void => {
    const { dependencies, optionalDependencies, peerDependencies } = packages[from] ?? noDependencies
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      const path = resolvePackage(packages, from, name)
      if (path === undefined || found.has(path)) continue
      found.add(path)
      if (!leaves.has(name)) visit(path)
    }
  }
  visit('')
  return [...found].toSorted()
}

const noDependencies = { dependencies: {}, optionalDependencies: {}, peerDependencies: {} }

/** As Node looks a package up: beside who asks, then further out. */
function resolvePackage(packages: Lock['packages'], from: string, name: string): string | undefined {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    const path = `${place === '' ? '' : `${place}/`}node_modules/${name}`
    if (packages[path] !== undefined) return path
    if (place === '') return undefined
  }
}

/** The files of these packages that are installed, one after the other: together they are too large to be held at once. */
export async function* readPackages(
  folder: string,
  packages: readonly string[],
): AsyncGenerator<ContextEntry> {
  for (const name of packages)
    for (const path of await listOwnFiles(folder, name)) yield await readEntry(folder, path)
}

/** Without those of packages inside it, which are packages of their own. */
async function listOwnFiles(folder: string, name: string): Promise<string[]> {
  const entries = await readdir(join(folder, name), { withFileTypes: true }).catch(() => [])
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = `${name}/${entry.name}`
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : await listOwnFiles(folder, path)
      return unread.test(path) || isForOtherMachine(path) ? [] : [path]
    }),
  )
  return found.flat().toSorted()
}

/** The core of Temporal's library comes for every kind of machine at once. */
function isForOtherMachine(path: string): boolean {
  const [, target] = /core-bridge\/releases\/([^/]+)\//.exec(path) ?? []
  if (target === undefined) return false
  return target !== `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-gnu`
}

async function readEntry(folder: string, path: string): Promise<ContextEntry> {
  const full = join(folder, path)
  const link = await readlink(full).catch(() => undefined)
  if (link !== undefined) return { path, link }
  const [content, { mode }] = await Promise.all([readFile(full), stat(full)])
  return { path, mode: (mode & 0o100) === 0 ? 0o644 : 0o755, content }
}
