import {
  below,
  fixedText,
  listOf,
  mapOf,
  refuse,
  replace,
  textOf,
  variablesIn,
  type Place,
} from './reading.ts'
import type { KeyReader } from './service-draft.ts'

/** How services reach each other, and how they are reached: `expose`, `ports`, `networks`, `links`. */

const RANGE_MAX = 1000

/** `80`, `8000-8010`, `53/udp`: as numbers. */
function portNumbers(text: string, place: Place): number[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  const isRange = first >= 1 && last <= 65_535 && last >= first && last - first < RANGE_MAX
  if (isRange) return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  refuse(place, `${JSON.stringify(text)} is not a port from 1 to 65535`, 'write it like 80')
  return []
}

export const expose: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const text = knownText(item, below(place, index))
    for (const port of text === undefined ? [] : portNumbers(text, below(place, index)))
      draft.exposedPorts.add(port)
  }
}

/** A port that only the order tells is not exposed: inside the environment every port is reached anyway. */
function knownText(value: unknown, place: Place): string | undefined {
  const text = textOf(value)
  if (!variablesIn(text).some((use) => !use.isOptional)) return fixedText(value, place)
  replace(place, `${text} is known only when it is ordered: inside the environment every port is reached`)
  return undefined
}

/** Ports of the server are not the file's to take: what is reached from outside goes through the proxy. */
export const ports: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const at = below(place, index)
    const target = typeof item === 'object' ? mapOf(item)['target'] : undefined
    // The side of the server may be anything: only the last part is read.
    const text = knownText(target ?? lastPart(textOf(item)), at)
    for (const port of text === undefined ? [] : portNumbers(text, at)) {
      draft.exposedPorts.add(port)
      draft.publishedPorts.push(port)
    }
  }
  replace(place, 'no port of the server is taken: the public port is reached through its address')
}

/** Of `127.0.0.1:8080:80` the `80`; colons inside `${…}` divide nothing. */
function lastPart(text: string): string {
  const masked = text.replaceAll(/\$\{[^}]*\}/g, (match) => match.replaceAll(':', ' '))
  return text.slice(masked.lastIndexOf(':') + 1)
}

export const networks: KeyReader = (draft, value, place) => {
  for (const [name, options] of Object.entries(Array.isArray(value) ? {} : mapOf(value))) {
    const asked = mapOf(options)
    draft.aliases.push(...listOf(asked['aliases']).map(textOf))
    for (const key of Object.keys(asked).filter(
      (one) => !['aliases', 'priority', 'gw_priority'].includes(one),
    ))
      refuse(below(place, name, key), `${key} reaches into the server's network`, 'remove it')
  }
  replace(place, "every service of the instance is on its environment's network")
}

export const links: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const [service = '', alias = service] = (fixedText(item, below(place, index)) ?? '').split(':')
    if (alias !== service) draft.aliasesOfOthers.push({ service, alias })
    draft.dependsOn.push({ service, condition: 'started', isRequired: true })
  }
}
