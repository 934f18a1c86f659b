import { dryRunBeside, dryRunBilling, type DryDocument } from '#db/billing-dry-run.ts'
import type { Db } from '#db/database.ts'
import {
  getBillingRun,
  listBillingRunExceptions,
  listBillingRuns,
  listDocumentCustomers,
} from '#db/read/billing-run.ts'
import type { BillingRunRow } from '#db/read/billing-run.ts'
import { encodeId } from '#domain/identifier.ts'
import { z } from 'zod'
import { resolveAddress } from '../addressing.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { answerOnce } from '../idempotency.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { dispatchOutbox } from '../relay.ts'
import { readNextRunAt, startBillingRun } from '../routes/billing-runs.ts'
import { commandIdOf } from '../subscription-commands.ts'
import { parse } from '../validation.ts'
import { DryRun, Run, shownDocuments, StartForm, totalsOf } from './billing-run.tsx'
import { consolePage, type ConsoleView } from './console-page.tsx'
import { toListPage } from './page-links.ts'
import { Empty, ExactMoment, Moment, Pages, Section, Table } from './parts.tsx'
import { keyedForm, readForm } from './sent-form.ts'

const query = z.object(pageQuery)

/** Billing runs: what they did, who was left out and why, and a run on demand, dry or real. */
export function registerBillingRunPages(frame: Frame): void {
  const { db } = frame.deps
  consolePage(
    frame,
    { method: 'get', path: '/billing-runs', permission: 'billing_runs:read' },
    async (view, ctx) => {
      const request = toPageRequest(parse(query, ctx.req.query(), 'query'))
      const page = toListPage(await listBillingRuns(db, request), request, {
        path: '/billing-runs',
        filter: {},
      })
      const nextRunAt = await readNextRunAt(db, frame.deps)
      return {
        title: 'Billing runs',
        current: 'invoices',
        children: <Runs view={view} page={page} nextRunAt={nextRunAt} />,
      }
    },
  )
  consolePage(
    frame,
    { method: 'get', path: '/billing-runs/preview', permission: 'billing_runs:read' },
    async (view, ctx) => {
      const isFailedOnly = ctx.req.query('failed_only') === 'true'
      const run = { now: view.now, after: null, limit: shownDocuments, isFailedOnly }
      const documents = await dryRunBilling(db, run)
      const beside = documents.length < shownDocuments ? await dryRunBeside(db, view.now) : []
      const names = await readNames(db, documents)
      return {
        title: 'Dry run',
        current: 'invoices',
        children: <DryRun {...{ view, documents, beside, names, isFailedOnly }} />,
      }
    },
  )
  consolePage(
    frame,
    { method: 'get', path: '/billing-runs/:id', permission: 'billing_runs:read' },
    async (view, ctx) => {
      const id = await resolveAddress(db, 'billingRun', ctx.req.param('id') ?? '')
      const [row, exceptions] = await Promise.all([getBillingRun(db, id), listBillingRunExceptions(db, id)])
      return {
        title: 'Billing run',
        current: 'invoices',
        children: <Run view={view} row={row} exceptions={exceptions} />,
      }
    },
  )
  registerStart(frame)
}

/** The same as the API's, from a form. */
function registerStart(frame: Frame): void {
  consolePage(
    frame,
    { method: 'post', path: '/billing-runs', permission: 'billing_runs:write' },
    async (view, ctx) => {
      const id = await start(frame, ctx, view)
      frame.afterwards.begin(async () => void (await dispatchOutbox(frame.deps)))
      return ctx.redirect(`/billing-runs/${id}`, 303)
    },
  )
}

async function start(frame: Frame, ctx: ApiContext, { now }: ConsoleView): Promise<string> {
  const { request, fields } = keyedForm(ctx, await readForm(ctx))
  const commandId = commandIdOf(request)
  const isFailedOnly = fields['failed_only'] === 'true'
  const answer = await answerOnce(frame.deps.db, request, async (tx) => {
    const id = await startBillingRun(tx, { now, commandId, isFailedOnly })
    return { status: 303, body: { id: encodeId('billingRun', id) } }
  })
  return z.object({ id: z.string() }).parse(answer.body).id
}

function StartForms({ view }: { view: ConsoleView }) {
  return (
    <p class="actions">
      <a class="button" href="/billing-runs/preview">
        Dry run
      </a>{' '}
      <StartForm view={view} isFailedOnly={false} /> <StartForm view={view} isFailedOnly />
    </p>
  )
}

interface RunsProps {
  readonly view: ConsoleView
  readonly page: { rows: readonly BillingRunRow[]; newer: string | null; older: string | null }
  readonly nextRunAt: string | null
}

function Runs({ view, page, nextRunAt }: RunsProps) {
  return (
    <>
      <h1>Billing runs</h1>
      <p>
        Every hour, all that is due is billed.
        {nextRunAt !== null && (
          <>
            {' '}
            Next: <ExactMoment at={nextRunAt} timeZone={view.timeZone} />.
          </>
        )}
      </p>
      <StartForms view={view} />
      <Section id="list" title="All, newest first">
        {page.rows.length === 0 ? (
          <Empty>None yet.</Empty>
        ) : (
          <Table
            caption="Billing runs"
            head={[
              'Begun',
              { number: 'Considered' },
              { number: 'Billed' },
              { number: 'Waiting' },
              { number: 'Parked' },
              { number: 'Total' },
              'State',
            ]}
          >
            {page.rows.map((row) => (
              <tr>
                <th scope="row">
                  <a href={`/billing-runs/${encodeId('billingRun', row.id)}`}>
                    <Moment at={row.started_at} now={view.now} timeZone={view.timeZone} />
                  </a>
                </th>
                <td class="number">{row.considered}</td>
                <td class="number">{row.billed}</td>
                <td class="number">{row.waiting}</td>
                <td class="number">{row.parked}</td>
                <td class="number">{totalsOf(row)}</td>
                <td>{row.finished_at === null ? 'running' : 'finished'}</td>
              </tr>
            ))}
          </Table>
        )}
        <Pages label="Pages of billing runs" newer={page.newer} older={page.older} />
      </Section>
    </>
  )
}

async function readNames(db: Db, documents: readonly DryDocument[]): Promise<ReadonlyMap<string, string>> {
  const rows = await listDocumentCustomers(
    db,
    documents.map(({ documentId }) => documentId),
  )
  return new Map(rows.map((row) => [row.document_id, row.name]))
}
