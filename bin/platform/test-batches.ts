import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectFolder } from './tools.ts'

/** Test files that run in one process, one after the other. */
export interface TestBatch {
  readonly name: string
  readonly files: readonly string[]
}

interface SharedProcesses {
  readonly files: RegExp
  readonly name: string
  readonly processes: number
  /** For workers and engines, most of the time. */
  readonly isWaiting?: true
}

/**
 * Folders whose files may share a process, and how many processes share each: what a file there costs is mostly the loading of
 * the same modules. What starts engines, browsers or processes that stay, or tells its process of an engine of its own, is alone,
 * so that nothing of it is in another's way.
 */
const shared: readonly SharedProcesses[] = [
  { files: /^test\/domain\//, name: 'domain', processes: 1 },
  { files: /^test\/vectors\//, name: 'vectors', processes: 1 },
  { files: /^test\/db\//, name: 'db', processes: 4 },
  { files: /^test\/api\//, name: 'api', processes: 4 },
  { files: /^test\/documents\//, name: 'documents', processes: 1 },
  { files: /^test\/pages\/(?!journeys)/, name: 'pages', processes: 2 },
  { files: /^test\/activities\//, name: 'activities', processes: 2 },
  {
    files: /^test\/scenarios\/(?!full-and-off|sold-installation|peer-chain|two-servers|joined-server)/,
    name: 'scenarios',
    processes: 12,
    isWaiting: true,
  },
  { files: /^test\/docker\//, name: 'docker', processes: 4, isWaiting: true },
  { files: /^test\/bin\/(clouder|catalog-files|customers)/, name: 'commands', processes: 2 },
]

/** Those start worker after worker: one beside the other they would leave no processor to anything. */
const killing = /^test\/crash\//

/** What takes longest begins first, so that no processor is idle at the end; it waits most of the time. */
const longest = [
  /^test\/scenarios\/(sold-installation|peer-chain)/,
  /^test\/scenarios\//,
  /^test\/(bin|docker|races|pages)\//,
]

/** Every file in exactly one batch. Those that compute are spread evenly among those that wait, those that kill over the first half. */
export function planBatches(files: readonly string[]): TestBatch[] {
  const alone = files
    .filter((file) => !shared.some((group) => group.files.test(file)))
    .map((file) => ({ name: file, files: [file] }))
  const isKilling = ({ name }: TestBatch) => killing.test(name)
  const waiting = shared.filter((group) => group.isWaiting).flatMap((group) => share(group, files))
  const computing = shared.filter((group) => !group.isWaiting).flatMap((group) => share(group, files))
  const longestFirst = [...alone.filter((batch) => !isKilling(batch)), ...waiting].toSorted(
    (one, other) => rankOf(one) - rankOf(other),
  )
  return spread([
    { batches: alone.filter(isKilling), from: 0, to: 0.5 },
    { batches: longestFirst, from: 0, to: 1 },
    { batches: computing, from: 0.02, to: 1 },
  ])
}

function share(group: SharedProcesses, files: readonly string[]): TestBatch[] {
  const own = files.filter((file) => group.files.test(file))
  return Array.from({ length: Math.min(group.processes, own.length) }, (_, index) => ({
    name: `${group.name} ${index + 1}`,
    files: own.filter((_file, position) => position % group.processes === index),
  }))
}

function rankOf({ files: [file = ''] }: TestBatch): number {
  const rank = longest.findIndex((pattern) => pattern.test(file))
  return rank === -1 ? longest.length : rank
}

interface Stretch {
  readonly batches: readonly TestBatch[]
  /** Shares of the whole run. */
  readonly from: number
  readonly to: number
}

function spread(stretches: readonly Stretch[]): TestBatch[] {
  const placed = stretches.flatMap(({ batches, from, to }) =>
    batches.map((batch, index) => ({ batch, place: from + ((to - from) * index) / batches.length })),
  )
  return placed.toSorted((one, other) => one.place - other.place).map(({ batch }) => batch)
}

/**
 * Writes a file for each batch that has its tests in suites, each named by its file and with hooks of its own. The runner
 * takes files in the order of their names, thus they are numbered. @returns their paths
 */
export function writeBatches(batches: readonly TestBatch[], folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  return batches.map(({ name, files }, index) => {
    const path = join(folder, `${String(index + 1).padStart(3, '0')}-${name.replaceAll(/\W+/g, '-')}.mts`)
    writeFileSync(path, batchText(files))
    return path
  })
}

function batchText(files: readonly string[]): string {
  const urls = files.map((file) => pathToFileURL(join(projectFolder, file)).href)
  if (urls.length === 1) return `import ${JSON.stringify(urls[0])}\n`
  const suites = files.map(
    (file, index) =>
      `describe(${JSON.stringify(file)}, async () => { await import(${JSON.stringify(urls[index])}) })\n`,
  )
  return `import { describe } from 'node:test'\n${suites.join('')}`
}
