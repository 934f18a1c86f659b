import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
} from 'yaml'
import type { Findings, Path } from './finding.ts'
import { messageOf } from '#domain/errors.ts'

const FILE_CHARACTERS_MAX = 256 * 1024
const NODES_MAX = 10_000
const DEPTH_MAX = 32
const ALIASES_MAX = 100
/** Printable characters, tab and line ends: what a person sees is what is read. */
const UNPRINTABLE = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/** A compose file as a plain value, and the lines on which its parts stand. */
export interface Source {
  readonly value: Readonly<Record<string, unknown>>
  lineOf(path: Path): number | undefined
}

/**
 * Reads YAML 1.2 with merge keys, within bounds that keep a small file from becoming a huge value.
 * @returns undefined where the text is not one; the findings say why
 */
export function readSource(text: string, findings: Findings): Source | undefined {
  if (text.length > FILE_CHARACTERS_MAX) {
    findings.refuse(
      [],
      `the file has more than ${FILE_CHARACTERS_MAX} characters`,
      'keep files of the application beside it',
    )
    return undefined
  }
  const strange = UNPRINTABLE.exec(text.replace(/^\ufeff/, ''))
  if (strange !== null) {
    findings.refuse([], `the file holds the character ${JSON.stringify(strange[0])}`, 'write printable UTF-8')
    return undefined
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    uniqueKeys: true,
    prettyErrors: true,
  })
  const [broken] = document.errors
  if (broken !== undefined) {
    findings.refuse([], `not YAML: ${broken.message.split('\n')[0] ?? ''}`, 'mend it')
    return undefined
  }
  const reason = excessOf(document)
  if (reason !== undefined) {
    findings.refuse([], reason, 'write it plainly')
    return undefined
  }
  const value = toValue(document, findings)
  return value === undefined ? undefined : { value, lineOf: (path) => lineOf(document, lines, path) }
}

/** What the tree has too much of, or may not have at all. */
function excessOf(document: Document): string | undefined {
  let nodes = 0
  let excess: string | undefined
  visit(document, {
    Node(_key, node, ancestors) {
      nodes += 1
      if (nodes > NODES_MAX) excess = `the file has more than ${NODES_MAX} values`
      if (ancestors.filter((one) => isCollection(one)).length > DEPTH_MAX)
        excess = `the file is nested deeper than ${DEPTH_MAX}`
      if (!isAlias(node) && node.tag?.startsWith('!') === true)
        excess = `the tag ${node.tag} is not of YAML's core`
      return excess === undefined ? undefined : visit.BREAK
    },
    Pair(_key, pair) {
      if (isPair(pair) && isScalar(pair.key) && PROTOTYPE_KEYS.has(String(pair.key.value))) {
        excess = `the key ${String(pair.key.value)} is never taken`
        return visit.BREAK
      }
      return undefined
    },
  })
  return excess
}

/** Aliases are resolved at most a hundred times, and what comes of them is counted. */
function toValue(document: Document, findings: Findings): Readonly<Record<string, unknown>> | undefined {
  if (!isMap(document.contents)) {
    findings.refuse([], 'the file is not a mapping', 'write services: and below it the services')
    return undefined
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX })
    if (countValues(value) <= NODES_MAX) return value as Record<string, unknown>
    findings.refuse([], `the file comes to more than ${NODES_MAX} values`, 'use fewer aliases')
  } catch (error) {
    const why = messageOf(error)
    findings.refuse([], `the file's aliases cannot be resolved: ${why}`, 'write the values out')
  }
  return undefined
}

function countValues(value: unknown): number {
  let count = 0
  const waiting = [value]
  while (waiting.length > 0 && count <= NODES_MAX) {
    const next = waiting.pop()
    count += 1
    if (typeof next === 'object' && next !== null) waiting.push(...Object.values(next))
  }
  return count
}

/** The line of the value, or of the nearest thing around it that is in the file. */
function lineOf(document: Document, lines: LineCounter, path: Path): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (typeof node !== 'object' || node === null || !('range' in node)) continue
    const { range } = node
    if (Array.isArray(range) && typeof range[0] === 'number') return lines.linePos(range[0]).line
  }
  return undefined
}
