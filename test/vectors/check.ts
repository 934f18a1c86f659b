import Big from 'big.js'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ByDecision, type Adapter, type OcaAdapter, type OcaCase, type Vector } from './adapter.ts'
import { findDifference } from './compare.ts'
import { decisions } from './decisions.ts'
import { bindCase, statedFields, toleranceOf } from './oca-case.ts'

export interface Verdict {
  readonly id: string
  readonly kind: string
  readonly outcome: 'passed' | 'failed' | 'by decision'
  /** What differs, or the decision. */
  readonly reason: string | null
}

interface Asked {
  readonly id: string
  readonly kind: string
  readonly stated: Readonly<Record<string, unknown>>
  readonly answer: () => Readonly<Record<string, unknown>>
}

/** Every vector of a file, of either format. @throws SyntaxError or TypeError where the file holds something else */
export async function checkVectorFile(path: string): Promise<Verdict[]> {
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
  const asked = Array.isArray(content)
    ? await readVectors(content as Vector[])
    : await readSections(recordOf(content))
  if (asked.length === 0) throw new TypeError(`${path} holds neither vectors nor sections of cases`)
  return asked.map(check)
}

async function readVectors(vectors: readonly Vector[]): Promise<Asked[]> {
  const adapters = await loadFolder<Adapter>('kinds', 'adapters')
  return vectors.map((vector) => ({
    id: vector.id,
    kind: vector.kind,
    stated: vector.expected,
    answer: () => find(adapters, vector.kind)({ ...vector, inputs: recordOf(vector.inputs) }),
  }))
}

async function readSections(sections: Readonly<Record<string, unknown>>): Promise<Asked[]> {
  const adapters = await loadFolder<OcaAdapter>('oca', 'sections')
  return Object.entries(sections).flatMap(([section, cases]) =>
    Array.isArray(cases)
      ? (cases as OcaCase[]).map((testCase) => askSection(testCase, section, adapters))
      : [],
  )
}

/** A case is asked once for each day that it may be the day of the test; it passes when it holds on all of them. */
function askSection(testCase: OcaCase, section: string, adapters: ReadonlyMap<string, OcaAdapter>): Asked {
  const bound = Object.entries(bindCase(testCase))
  const stated = bound.map(([day, onDay]) => [day, statedFields(onDay, section)] as const)
  return {
    id: String(testCase['id']),
    kind: `oca.${section}`,
    stated: { tolerance: toleranceOf(testCase), ...Object.fromEntries(stated) },
    answer: () => {
      const adapter = find(adapters, section)
      const answers = Object.fromEntries(bound.map(([day, onDay]) => [day, adapter(onDay, section)]))
      if (stated.some(([, fields]) => Object.keys(fields).length === 0)) throw new Error(nothingStated)
      return answers
    },
  }
}

function find<A>(adapters: ReadonlyMap<string, A>, kind: string): A {
  const adapter = adapters.get(kind)
  if (!adapter) throw new Error(`no adapter knows the kind ${kind}`)
  return adapter
}

/** Each file of the folder brings adapters by kind; a new family is a new file. */
async function loadFolder<A>(folder: string, name: string): Promise<Map<string, A>> {
  const here = dirname(fileURLToPath(import.meta.url))
  const adapters = new Map<string, A>()
  for (const file of globSync(`${folder}/*.ts`, { cwd: here }).toSorted()) {
    const module = (await import(join(here, file))) as Record<string, unknown>
    for (const [kind, adapter] of Object.entries((module[name] ?? {}) as Record<string, A>)) {
      if (adapters.has(kind)) throw new Error(`two adapters for the kind ${kind}`)
      adapters.set(kind, adapter)
    }
  }
  return adapters
}

/** A field that is missing where an adapter reads on makes a TypeError, whose text says nothing of the vector. */
function reasonOf(error: unknown): string {
  if (error instanceof TypeError) return `its inputs are of no variant that is known: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}

const nothingStated = 'it states nothing that can be compared'

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function check(asked: Asked): Verdict {
  const { id, kind } = asked
  try {
    const { tolerance, ...stated } = recordOf(asked.stated)
    if (Object.keys(stated).length === 0) throw new Error(nothingStated)
    const answer = asked.answer()
    const difference = findDifference(answer, stated, {
      tolerance: new Big(typeof tolerance === 'number' || typeof tolerance === 'string' ? tolerance : 0),
      path: '',
    })
    return difference === undefined
      ? { id, kind, outcome: 'passed', reason: null }
      : { id, kind, outcome: 'failed', reason: difference }
  } catch (error) {
    if (error instanceof ByDecision && Object.hasOwn(decisions, error.decision)) {
      return { id, kind, outcome: 'by decision', reason: error.decision }
    }
    return { id, kind, outcome: 'failed', reason: reasonOf(error) }
  }
}
