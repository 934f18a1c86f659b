import type { TestContext } from 'node:test'
import fc from 'fast-check'

/** So many times the cases: `CLOUDER_TEST_CASES=100 npm test -- test/properties`, over a night perhaps. */
const factor = Number(process.env['CLOUDER_TEST_CASES'] ?? 1)

/** The cases of a run can be had again by its seed, which every run says. */
const seed = Number(process.env['CLOUDER_TEST_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))

type Arbitraries<Values extends [unknown, ...unknown[]]> = {
  [Index in keyof Values]: fc.Arbitrary<Values[Index]>
}

/** Holds a property against so many cases, and says how many there were and by which seed they come again. */
export async function holds<Values extends [unknown, ...unknown[]]>(
  t: TestContext,
  cases: number,
  of: Arbitraries<Values>,
  property: (...values: Values) => void | Promise<void>,
  /** Where a case takes long: so many milliseconds are enough, also to find the smallest that fails. */
  { limitMs = 60_000 * factor } = {},
): Promise<void> {
  const numRuns = Math.max(1, Math.round(cases * factor))
  const until = Date.now() + limitMs
  let tried = 0
  try {
    await fc.assert(
      fc.asyncProperty(...of, async (...values: Values) => {
        if (Date.now() > until) return
        tried += 1
        await property(...values)
      }),
      { numRuns, seed },
    )
  } finally {
    t.diagnostic(`${tried} cases, CLOUDER_TEST_SEED=${seed}`)
  }
}
