import { InvalidArgumentError, Option } from 'commander'
import type { Output } from './output.ts'

/** The option of every list. */
export function limitOption(): Option {
  return new Option('--limit <rows>', 'how many at most').default(25).argParser((text) => {
    const rows = Number(text)
    if (!Number.isInteger(rows) || rows < 1) throw new InvalidArgumentError('It is a whole number from 1.')
    return rows
  })
}

/** The end of a list for people: whether there is more, or how to make the first. */
export function tellMore(
  out: Output,
  { rows, hasMore }: { rows: readonly unknown[]; hasMore: boolean },
  first: string,
): void {
  if (hasMore) out.say(`\n  There are more: --limit ${rows.length * 4}`)
  if (rows.length === 0) out.say(`  None. ${first}`)
}

/** What is said by an option that may be repeated, after what was said before. */
export function gather(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** The same of pairs: `disk=50`. */
export function gatherPair(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const [code = '', ...answer] = text.split('=')
  return { ...before, [code]: answer.join('=') }
}
