import { encodeCursor } from '#api/pagination.ts'
import type { Db } from '#db/database.ts'
import { encodeId } from '#domain/identifier.ts'
import { startInstallation, type BenchInstallation } from './support/installation.ts'
import { percentile, type Measurement } from './support/measurement.ts'
import { populate, rareProduct } from './support/population.ts'
import type { BenchContext } from './support/benchmark.ts'

const subscriptions = 10_000
const rounds = 5
const requestsPerRound = 300
const requestsAtOnce = 4
const p99LimitMs = 100
/** An answer that reads nothing: what is slow here is the machine. */
const floor = '/livez'

interface Question {
  readonly title: string
  /** Whose turn it is; the detail asks for another subscription each time. */
  readonly path: (index: number) => string
}

/**
 * What a console and a program ask most, of an installation with ten thousand subscriptions: a real API process, real
 * connections, a few requests at once. The client runs on the same machine, so its own work is in the numbers.
 */
export async function measureApiLatency(ctx: BenchContext): Promise<Measurement[]> {
  const installation = await startInstallation(ctx.platform, {
    ...ctx,
    name: 'api_latency',
    hasWorker: false,
  })
  ctx.note(`writing ${subscriptions} subscriptions with all that belongs to them`)
  await populate(installation.db, subscriptions)
  const questions = await prepareQuestions(installation.db)
  for (const question of questions) await ask(installation, question, 0)

  const seen = questions.map((question) => ({ question, p50s: [] as number[], p99s: [] as number[] }))
  for (let round = 1; round <= rounds; round += 1) {
    for (const { question, p50s, p99s } of seen) {
      const durationsMs = await ask(installation, question, round)
      p50s.push(percentile(durationsMs, 0.5))
      p99s.push(percentile(durationsMs, 0.99))
    }
    ctx.note(`round ${round} of ${rounds} asked`)
  }
  return seen.flatMap(({ question, p50s, p99s }) => [
    toMeasurement(`${question.title}, p50`, p50s, {}),
    toMeasurement(`${question.title}, p99`, p99s, question.title === floor ? {} : { ratioAtMost: 1 }),
  ])
}

function toMeasurement(measure: string, values: readonly number[], aim: Measurement['aim']): Measurement {
  const against = { kind: 'limit', title: 'p99', values: [p99LimitMs] } as const
  return { measure, unit: 'ms', values, against, aim }
}

async function prepareQuestions(db: Db): Promise<Question[]> {
  const rows = await db.selectFrom('subscriptions').select('id').orderBy('id', 'desc').execute()
  const ids = rows.map((row) => row.id)
  const deep = encodeCursor(ids[Math.floor(ids.length * 0.9)] ?? '')
  const list = '/v1/subscriptions?limit=25'
  return [
    { title: floor, path: () => '/livez' },
    { title: 'list', path: () => list },
    { title: 'list of one phase', path: () => `${list}&phase=suspended` },
    { title: 'list of one customer', path: (index) => `${list}&customer=grown-${(index % 1_000) + 1}` },
    { title: 'list of a rare product', path: () => `${list}&product=${rareProduct}` },
    { title: 'list behind nine tenths', path: () => `${list}&after=${deep}` },
    { title: 'list of one phase behind nine tenths', path: () => `${list}&phase=active&after=${deep}` },
    {
      title: 'detail',
      // A prime step: every subscription has its turn, in no order that a cache would like.
      path: (index) =>
        `/v1/subscriptions/${encodeId('subscription', ids[(index * 7_919) % ids.length] ?? '')}`,
    },
  ]
}

/** A bounded number of requests, a few at once: each of the askers sends its next when its last is answered. */
async function ask({ timeGet }: BenchInstallation, { path }: Question, round: number): Promise<number[]> {
  const durationsMs: number[] = []
  let next = round * requestsPerRound
  const end = next + requestsPerRound
  const asker = async () => {
    while (next < end) durationsMs.push(await timeGet(path(next++)))
  }
  await Promise.all(Array.from({ length: requestsAtOnce }, asker))
  return durationsMs
}
