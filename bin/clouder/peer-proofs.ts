import type { Command } from 'commander'
import type { Peer, PeerProof, SuppliedUsage } from './answers.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { CommandFailure, usageFailure } from './failure.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession, type Session } from './session.ts'

interface Range {
  readonly from?: string
  readonly to?: string
}

/** Whether both sides have the same documents, by each other's signed word (G-18). */
export function addProofs(group: Command): void {
  group
    .command('verify')
    .description('compare the documents with a peer, or with all of them: equal, or what differs')
    .argument('[peer]', 'its id; left out, every peer that is active or halted')
    .option('--from <date>', 'the first day of issue; left out, a year before the end')
    .option('--to <date>', 'the day after the last; left out, tomorrow')
    .action(
      withSession<[string | undefined], Range>(async (session, { args: [peer], options }) => {
        const ids = peer === undefined ? await listPaired(session) : [peer]
        const { from, to } = options
        for (const [option, day] of Object.entries({ from, to })) requireDay(option, day)
        const proofs: PeerProof[] = []
        for (const id of ids)
          proofs.push(
            peer === undefined ? await proveOrTell(session, id, options) : await prove(session, id, options),
          )
        return tell(session, proofs)
      }),
    )
  group
    .command('proofs')
    .description('what was compared before, by us and by them')
    .argument('[peer]', 'its id')
    .addOption(limitOption())
    .action(
      withSession<[string | undefined], { limit: number }>(
        async ({ api, out }, { args: [peer], options }) => {
          const found = await api.list<PeerProof>('/v1/peer-proofs', { peer }, options.limit)
          if (out.isJson) return out.json(found.rows)
          out.table(
            ['id', 'peer', 'from', 'to', 'asked', 'by', 'found'],
            found.rows.map((row) => [
              row.id,
              row.peer,
              row.from,
              row.to,
              instantText(row.asked_at),
              row.asked_here ? row.asked_by : 'the peer',
              foundOf(row),
            ]),
          )
          tellMore(out, found, 'None. npx clouder peers verify')
        },
      ),
    )
}

/** An empty one, from a variable that was not set perhaps, would compare another range than is meant. */
function requireDay(option: string, day: string | undefined): void {
  if (day !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(day))
    throw usageFailure(`--${option} needs a day, not "${day}".`, `--${option} 2026-01-31`)
}

async function prove({ api }: Session, peer: string, { from, to }: Range): Promise<PeerProof> {
  return await api.post<PeerProof>(`/v1/peers/${encodeURIComponent(peer)}/proofs`, { from, to })
}

/** One of all that gives no answer keeps none of the others from being compared: that is what is told of it. */
async function proveOrTell(session: Session, peer: string, range: Range): Promise<PeerProof> {
  try {
    return await prove(session, peer, range)
  } catch (error) {
    const code = error instanceof CommandFailure ? error.facts.problem?.code : undefined
    if (code === undefined) throw error
    const [newest] = (await session.api.list<PeerProof>('/v1/peer-proofs', { peer }, 1)).rows
    if (newest?.refusal?.code !== code) throw error
    return newest
  }
}

async function listPaired({ api }: Session): Promise<string[]> {
  const { rows } = await api.list<Peer>('/v1/peers', {}, Number.MAX_SAFE_INTEGER)
  return rows.filter(({ state }) => state === 'active' || state === 'halted').map(({ id }) => id)
}

/** A difference that is only on its way is none to warn of; no answer is. */
function tell({ out }: Session, proofs: readonly PeerProof[]): ExitCode {
  const differing = proofs.flatMap(({ peer, differences }) =>
    (differences ?? []).map((row) => ({ peer, ...row })),
  )
  if (out.isJson) out.json(proofs)
  else {
    out.table(
      ['peer', 'from', 'to', 'documents here', 'there', 'found'],
      proofs.map((proof) => [
        proof.peer,
        proof.from,
        proof.to,
        countOf(proof.ours),
        countOf(proof.theirs),
        foundOf(proof),
      ]),
    )
    if (differing.length > 0)
      out.table(
        ['peer', 'number', 'issued', 'document', 'difference'],
        differing.map((row) => [row.peer, row.number, row.issued_on, row.document, differenceText(row)]),
      )
  }
  const isUnknown = proofs.some(({ refusal }) => refusal !== null)
  return isUnknown || differing.some(({ waiting }) => !waiting) ? exitCodes.warnings : exitCodes.ok
}

const countOf = (months: PeerProof['ours']) => months.reduce((sum, { documents }) => sum + documents, 0)

function foundOf({ equal, refusal, differences }: PeerProof): string {
  if (refusal !== null) return `no answer: ${refusal.code}`
  if (equal === true) return 'equal'
  return differences === null ? 'differs' : `${differences.length} differ`
}

function differenceText({ difference, waiting }: { difference: string; waiting: boolean }): string {
  const text = difference.replaceAll('_', ' ')
  return waiting ? `${text}, on its way` : text
}

/** What a line of a supplier is made of, to be passed on (G-15). */
export function addSuppliedUsage(group: Command): void {
  group
    .command('usage')
    .description('open the usage behind a line of a supplier invoice, as the supplier says it')
    .argument('<supplier invoice>', 'its id')
    .requiredOption('--line <number>', 'its place among the lines, from 1')
    .option('--on <date>', 'the readings and events of a day')
    .action(
      withSession<[string], { line: string; on?: string }>(async ({ api, out }, { args: [id], options }) => {
        const { line, on } = options
        const path = `/v1/supplier-invoices/${encodeURIComponent(id)}/usage`
        const usage = await api.get<SuppliedUsage>(path, { line, on })
        if (out.isJson) return out.json(usage)
        const { window, readings, events } = usage
        if (window !== null) {
          out.facts([
            ['window', window.id],
            ['metric', window.metric],
            ['quantity', `${window.quantity} ${window.unit}`],
            ['after', window.start],
            ['up to', window.end],
          ])
          out.table(
            ['day', 'readings', 'reported', 'grown'],
            window.days.map((day) => [day.on, day.readings, day.events, day.counted]),
          )
          return
        }
        out.table(
          ['at', 'of', 'value', 'unit', 'counted'],
          [
            ...readings.map((row) => [row.read_at, row.series, row.value, row.unit, row.counted]),
            ...events.map((row) => [
              row.time,
              `${row.source} ${row.id}`,
              row.quantity,
              row.unit,
              row.quantity,
            ]),
          ],
        )
      }),
    )
}
