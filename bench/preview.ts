import { encodeId } from '#domain/identifier.ts'
import type { BenchContext } from './support/benchmark.ts'
import { seedFleet } from './support/fleet.ts'
import { startInstallation } from './support/installation.ts'
import { percentile, type Measurement } from './support/measurement.ts'

const documents = 500
/** Of each of three kinds: advance, threshold, metered. */
const linesOfEach = 4
const rounds = 5
const requestsPerRound = 400
const limits = { p50: 5, p99: 20 } as const
const shares = { p50: 0.5, p99: 0.99 } as const

/** An answer behind the same door that reads next to nothing: what is slow here is the machine. */
const floor = '/v1/servers?limit=1'

/** The next invoice of a document, asked over HTTP: read, measured, priced, taxed and explained as the real one. */
export async function measurePreview(ctx: BenchContext): Promise<Measurement[]> {
  const { db, timeGet } = await startInstallation(ctx.platform, { ...ctx, name: 'preview', hasWorker: false })
  ctx.note(`writing ${documents} documents of ${3 * linesOfEach} lines`)
  await seedFleet(db, { documents, billedMonths: 1, linesOfEach })
  const rows = await db.selectFrom('subscription_documents').select('id').orderBy('id').execute()
  const paths = rows.map(({ id }) => `/v1/documents/${encodeId('document', id)}/next-invoice`)
  const ask = async (pathOf: (turn: number) => string) => {
    const durationsMs: number[] = []
    for (let turn = 0; turn < requestsPerRound; turn += 1) durationsMs.push(await timeGet(pathOf(turn)))
    return durationsMs
  }
  const preview = (round: number) => (turn: number) =>
    paths[(round * requestsPerRound + turn) % paths.length] ?? ''
  await ask(preview(0))
  const seen: { preview: number[]; floor: number[] }[] = []
  for (let round = 1; round <= rounds; round += 1)
    seen.push({ floor: await ask(() => floor), preview: await ask(preview(round)) })
  return (['p50', 'p99'] as const).flatMap((name): Measurement[] => {
    const against = { kind: 'limit', title: name, values: [limits[name]] } as const
    const valuesOf = (of: 'preview' | 'floor') => seen.map((round) => percentile(round[of], shares[name]))
    return [
      { measure: `${floor}, ${name}`, unit: 'ms', values: valuesOf('floor'), against, aim: {} },
      {
        measure: `Preview of ${3 * linesOfEach} lines over HTTP, ${name}`,
        unit: 'ms',
        values: valuesOf('preview'),
        against,
        aim: { ratioAtMost: 1 },
      },
    ]
  })
}
