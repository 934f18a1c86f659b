import { textOf, fixedText, refuse, type Place } from './reading.ts'

const DURATION =
  /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?(?:(\d+)us)?$/
const SIZE = /^(\d+(?:\.\d+)?)\s*(b|k|kb|kib|m|mb|mib|g|gb|gib)?$/i
const UNIT_BYTES: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
const MIB = 1024 ** 2

/** `1m30s`, `500ms`, in milliseconds. */
export function durationMs(value: unknown, place: Place): number | undefined {
  const text = fixedText(value, place)
  if (text === undefined) return undefined
  const match = DURATION.exec(text)
  if (match === null || text === '')
    return refuse(place, `${JSON.stringify(text)} is not a duration`, 'write it like 30s or 1m30s')
  const [hours, minutes, seconds, ms, us] = match.slice(1).map((digits) => Number(digits ?? 0))
  return Math.round(
    (hours ?? 0) * 3_600_000 +
      (minutes ?? 0) * 60_000 +
      (seconds ?? 0) * 1_000 +
      (ms ?? 0) +
      (us ?? 0) / 1_000,
  )
}

/** `512m`, `1g` or bytes, in MiB, rounded up. */
export function sizeMib(value: unknown, place: Place): number | undefined {
  const text = fixedText(value, place)
  if (text === undefined) return undefined
  const match = SIZE.exec(text)
  const unit = (match?.[2] ?? 'b').toLowerCase().charAt(0)
  const mib = Math.ceil((Number(match?.[1]) * (UNIT_BYTES[unit] ?? Number.NaN)) / MIB)
  if (mib >= 1) return mib
  return refuse(place, `${JSON.stringify(text)} is not a size`, 'write it like 512m or 1g')
}

const MEMORY_MIB_MAX = 256 * 1024

/** Memory of one container: more than any server of ours has is no wish, but a way around the limit. */
export function memorySize(value: unknown, place: Place): number | undefined {
  const mib = sizeMib(value, place)
  if (mib === undefined || mib <= MEMORY_MIB_MAX) return mib
  return refuse(place, `${JSON.stringify(value)} is more than 256 GiB`, 'write it like 512m or 1g')
}

export function wholeNumber(
  value: unknown,
  place: Place,
  { least, greatest }: { least: number; greatest: number },
): number | undefined {
  const text = fixedText(value, place)
  if (text === undefined) return undefined
  const number = Number(text)
  if (text.trim() !== '' && Number.isInteger(number) && number >= least && number <= greatest) return number
  return refuse(
    place,
    `${JSON.stringify(text)} is not a whole number from ${least} to ${greatest}`,
    'write one',
  )
}

export function processors(value: unknown, place: Place): number | undefined {
  const text = fixedText(value, place)
  if (text === undefined) return undefined
  const count = Number(text)
  if (text.trim() !== '' && count >= 0.01 && count <= 64) return count
  return refuse(
    place,
    `${JSON.stringify(text)} is not a number of processors from 0.01 to 64`,
    'write it like 0.5',
  )
}

export function trueOrFalse(value: unknown, place: Place): boolean | undefined {
  const text = fixedText(value, place)
  if (text === undefined) return undefined
  if (/^(true|yes|y|on|1)$/i.test(text)) return true
  if (/^(false|no|n|off|0|)$/i.test(text)) return false
  return refuse(place, `${JSON.stringify(text)} is neither true nor false`, 'write true or false')
}

/** Absolute, inside the container. */
export function containerPath(value: unknown, place: Place): string | undefined {
  const text = fixedText(value, place)
  if (text === undefined) return undefined
  const isPath = /^\/[^:,\0]*$/.test(text) && !text.split('/').includes('..')
  return isPath
    ? text.length > 1
      ? text.replace(/\/+$/, '')
      : text
    : refuse(
        place,
        `${JSON.stringify(text)} is not an absolute path inside the container`,
        'write it like /data',
      )
}

/**
 * A command line as its arguments. A list is one already; a line is taken apart by blanks, quotes and backslashes, and no
 * shell ever reads it. `$` stands for itself here: variables are filled afterwards, each within its argument.
 */
export function commandWords(value: unknown, place: Place): string[] | undefined {
  if (Array.isArray(value)) return value.map(textOf)
  const words = splitWords(textOf(value))
  return words ?? refuse(place, 'has a quote without its end', 'write the command as a list of arguments')
}

function splitWords(line: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  let braces = 0
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at)
    if (quote === "'" ? character === "'" : quote !== '' && character === quote) quote = ''
    else if (character === '\\' && quote !== "'" && at + 1 < line.length) {
      at += 1
      word = (word ?? '') + line.charAt(at)
    } else if (quote === '' && (character === '"' || character === "'")) {
      quote = character
      word ??= ''
    } else if (quote === '' && braces === 0 && /\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      if (character === '{' && line.charAt(at - 1) === '$') braces += 1
      if (character === '}' && braces > 0) braces -= 1
      word = (word ?? '') + character
    }
  }
  if (quote !== '') return undefined
  return word === undefined ? words : [...words, word]
}
