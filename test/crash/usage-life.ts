import { appendFileSync, readFileSync } from 'node:fs'
import type { KyselyPlugin } from 'kysely'
import { createUsageIntake } from '#api/usage-intake.ts'
import { billDue } from '#test/support/seller.ts'
import type { Db } from '#db/database.ts'
import { insertReadings } from '#db/usage.ts'
import { encodeId } from '#domain/identifier.ts'
import { toCloudEvent } from '#test/support/usage-events.ts'

/**
 * Two months of a metered instance in small: what the sampler, the API and a bill do with rows, one after the other. Whoever goes on
 * with it after a death knows what was acknowledged, and does again what was not: a look is taken anew, a moment later.
 */
export interface MeteredInstance {
  readonly subscriptionId: string
  readonly documentId: string
  readonly instanceId: string
  readonly testClockId: string
}

type Kind = 'look' | 'push' | 'bill'
/** Before or after the nth statement of a step: `bill:17:before`. A commit lies between two of them. */
export type StatementPoint = `${Kind}:${number}:${'before' | 'after'}`

interface Step {
  readonly kind: Kind
  readonly name: string
  readonly at: string
}

const steps: readonly Step[] = ['2026-01', '2026-02'].flatMap((month, index) => {
  const boundary = `2026-0${index + 2}-01T00:00:00Z`
  const days = ['05', '12', '19', '26'].flatMap((day): Step[] => [
    { kind: 'look', name: `look ${month}-${day}`, at: `${month}-${day}T10:00:00Z` },
    { kind: 'push', name: `push ${month}-${day}`, at: `${month}-${day}T11:00:00Z` },
  ])
  return [
    ...days,
    { kind: 'look', name: `look ${boundary}`, at: boundary },
    { kind: 'bill', name: `bill ${boundary}`, at: boundary },
  ]
})

/** Bytes that the instance's counter has counted by an instant, which is what is billed in the end. */
export function countedBy(at: string): number {
  return (Date.parse(at) - Date.parse('2026-01-01')) * 1_000
}
/** What is pushed with each event, in bytes. */
export const pushedBytes = 2 ** 29
export const pushes = steps.filter(({ kind }) => kind === 'push').length

type Entry =
  | { readonly begun: string }
  | { readonly acknowledged: string; readonly readAt?: string }
  | { readonly diedAt: StatementPoint }

/** It outlives SIGKILL: the system keeps what a dead process wrote. */
export function openJournal(file: string) {
  const read = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry)
  return {
    write: (entry: Entry) => appendFileSync(file, `${JSON.stringify(entry)}\n`),
    begun: (name: string) => read().filter((entry) => 'begun' in entry && entry.begun === name).length,
    acknowledged: () => read().flatMap((entry) => ('acknowledged' in entry ? [entry] : [])),
    diedAt: () => read().flatMap((entry) => ('diedAt' in entry ? [entry.diedAt] : [])),
  }
}
export type Journal = ReturnType<typeof openJournal>

/** Goes on where the journal ends. @param onPoint told before and after every statement */
export async function liveOn(
  db: Db,
  of: MeteredInstance,
  journal: Journal,
  onPoint: (point: StatementPoint) => void,
): Promise<void> {
  const watched = watchStatements(db)
  for (const step of steps) {
    if (journal.acknowledged().some(({ acknowledged }) => acknowledged === step.name)) continue
    const attempt = journal.begun(step.name)
    await db.updateTable('test_clocks').set({ now_at: step.at }).where('id', '=', of.testClockId).execute()
    journal.write({ begun: step.name })
    watched.begin((number, moment) => onPoint(`${step.kind}:${number}:${moment}`))
    if (step.kind === 'look') {
      const readAt = new Date(Date.parse(step.at) + attempt * 1_000).toISOString()
      await look(watched.db, of, readAt)
      journal.write({ acknowledged: step.name, readAt })
      continue
    }
    if (step.kind === 'push') await push(watched.db, of, step)
    else await billDue(watched.db, of.documentId, new Date(Date.parse(step.at) + 3_600_000).toISOString())
    journal.write({ acknowledged: step.name })
  }
}

async function look(db: Db, { instanceId }: MeteredInstance, readAt: string): Promise<void> {
  await insertReadings(db, { instanceId, isOpening: false, readAt, sampledAt: readAt }, [
    { metric: 'network', series: 'eth0', value: String(countedBy(readAt)), unit: 'B' },
    { metric: 'disk', series: 'data', value: '0', unit: 'B' },
  ])
}

async function push(db: Db, { subscriptionId }: MeteredInstance, step: Step): Promise<void> {
  const event = {
    source: subscriptionId,
    id: step.name.replace(' ', '-'),
    subscription: encodeId('subscription', subscriptionId),
    metric: 'network',
    quantity: pushedBytes,
    unit: 'B',
    at: step.at,
  }
  const [result] = await createUsageIntake({ db, now: () => step.at }).push([toCloudEvent(event)], 'life')
  if (result !== undefined && 'refusal' in result) throw result.refusal
}

function watchStatements(db: Db) {
  let told = (_number: number, _moment: 'before' | 'after') => {}
  let number = 0
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      number += 1
      told(number, 'before')
      return node
    },
    async transformResult({ result }) {
      told(number, 'after')
      return await Promise.resolve(result)
    },
  }
  return {
    db: db.withPlugin(plugin),
    begin(tell: typeof told) {
      told = tell
      number = 0
    },
  }
}
