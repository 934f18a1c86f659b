import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { LineCounter, parseDocument, stringify, type Document } from 'yaml'
import { exitCodes } from './exit-code.ts'
import { CommandFailure, usageFailure } from './failure.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

interface CatalogChanges {
  readonly changes: readonly {
    readonly section: string
    readonly code: string
    readonly action: 'created' | 'changed'
    readonly differences: readonly {
      readonly pointer: string
      readonly from?: unknown
      readonly to?: unknown
    }[]
  }[]
  readonly unchanged_count: number
}

interface ApplyOptions {
  readonly from?: string
}

/** The catalog as files: applications, products, kits, price lists and discounts under their names, in any number of files. */
export function addCatalogFiles(products: Command): void {
  products
    .command('export [file]')
    .description('write the whole catalog as YAML, to the file or to stdout')
    .action(
      withSession<[string | undefined]>(async ({ api, out, shell }, { args: [file] }) => {
        const catalog = await api.get<object>('/v1/catalog')
        if (out.isJson) return out.json(catalog)
        const text = stringify(catalog, { lineWidth: 0 })
        if (file === undefined) return void shell.stdout.write(text)
        writeFileSync(file, text)
        out.say(`  Written to ${file}.`)
      }),
    )
  addApplying(products, 'diff', 'say what applying these files would change, old and new; nothing is changed')
  addApplying(products, 'apply', 'make the catalog what these files say, all of it or nothing')
}

function addApplying(products: Command, name: 'diff' | 'apply', description: string): void {
  products
    .command(`${name} <files...>`)
    .description(`${description}; a folder stands for its .yaml files`)
    .option('--from <date>', 'changes hold from this day; left out, from today')
    .action(
      withSession<[string[]], ApplyOptions>(async ({ api, out }, { args: [files], options }) => {
        const read = readFiles(files)
        const body = { ...read.catalog, effective_on: options.from, dry_run: name === 'diff' }
        const told = await placed(read, async () => await api.post<CatalogChanges>('/v1/catalog', body))
        if (out.isJson) return out.json(told)
        tell(out, told)
      }),
    )
}

function tell(out: Output, { changes, unchanged_count: unchangedCount }: CatalogChanges): void {
  const rows = changes.flatMap(({ section, code, action, differences }) => {
    const what = section.replaceAll('_', ' ')
    if (action === 'created') return [[what, code, 'all of it', 'none', 'new']]
    return differences.map(({ pointer, from, to }) => [
      what,
      code,
      pointer.slice(1),
      inWords(from),
      inWords(to),
    ])
  })
  if (rows.length > 0) out.table(['of', 'code', 'field', 'old', 'new'], rows)
  out.say(`  ${changes.length} changed, ${unchangedCount} as they were`)
}

function inWords(value: unknown): string {
  if (value === undefined) return 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Where an entry of the whole stands in its file. */
interface Place {
  readonly file: string
  readonly document: Document
  readonly lines: LineCounter
  readonly index: number
}

interface ReadFiles {
  readonly catalog: Readonly<Record<string, readonly unknown[]>>
  readonly places: ReadonlyMap<string, readonly Place[]>
}

function readFiles(names: readonly string[]): ReadFiles {
  const catalog: Record<string, unknown[]> = {}
  const places = new Map<string, Place[]>()
  for (const file of names.flatMap(filesOf)) {
    const { document, lines, sections } = readFile(file)
    for (const [section, entries] of sections) {
      catalog[section] = [...(catalog[section] ?? []), ...entries]
      const own = entries.map((_, index) => ({ file, document, lines, index }))
      places.set(section, [...(places.get(section) ?? []), ...own])
    }
  }
  return { catalog, places }
}

function filesOf(name: string): string[] {
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory() !== true) return [name]
  const files = readdirSync(name).filter((file) => /\.ya?ml$/.test(file))
  return files.toSorted().map((file) => path.join(name, file))
}

function readFile(file: string) {
  const lines = new LineCounter()
  const document = parseDocument(textOf(file), { lineCounter: lines })
  const [error] = document.errors
  if (error) throw usageFailure(`${file}: ${error.message}`, 'Nothing was applied. Mend the file.')
  const value: unknown = document.toJS()
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw usageFailure(`${file} holds no sections.`, 'such as products: followed by a list')
  const sections = Object.entries(value).map(([section, entries]): [string, readonly unknown[]] => {
    if (Array.isArray(entries)) return [section, entries]
    throw usageFailure(`${file}: ${section} is not a list.`, 'Nothing was applied. Mend the file.')
  })
  return { document, lines, sections }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usageFailure(`${file} cannot be read: ${String(error)}`, 'Name a YAML file, or a folder of them.')
  }
}

/** A refusal says in which file and line its field stands. */
async function placed<T>(read: ReadFiles, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    const fields = error.facts.problem?.errors ?? []
    const told = fields.map(({ pointer, detail }) => `${placeOf(read, pointer)}: ${detail}`)
    if (told.length === 0) throw error
    const cause = told.join('\n              ')
    throw new CommandFailure({ ...error.facts, exitCode: exitCodes.failed, cause }, { cause: error })
  }
}

function placeOf({ places }: ReadFiles, pointer: string): string {
  const [, section = '', index = '', ...rest] = pointer.split('/')
  const place = places.get(section)?.[Number(index)]
  if (!place) return pointer
  const keys = [section, place.index, ...rest.map((key) => (/^\d+$/.test(key) ? Number(key) : key))]
  for (let length = keys.length; length > 0; length -= 1) {
    const node = place.document.getIn(keys.slice(0, length), true)
    const start = rangeOf(node)
    if (start !== undefined)
      return `${place.file}:${place.lines.linePos(start).line} ${rest.join('/')}`.trim()
  }
  return `${place.file} ${pointer}`
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined
  return Array.isArray(node.range) ? Number(node.range[0]) : undefined
}
