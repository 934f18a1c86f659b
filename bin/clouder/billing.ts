import type { Command } from 'commander'
import type { BillingRun, BillingRunDetail, BillingRunPreview, ExpectedInvoices } from './answers.ts'
import { instantText, moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession, type Session } from './session.ts'

export function registerBilling(program: Command): void {
  const group = program
    .command('billing')
    .summary('billing runs: list, show, run, try; the next invoice')
    .description('Everything that is due is billed every hour; a run can be asked for, or only tried.')
    .addHelpText(
      'before',
      `Examples
  npx clouder billing try
  npx clouder billing run --failed-only
  npx clouder billing next sub_…
`,
    )
  group
    .command('ls')
    .description('list billing runs, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(withSession<[], { limit: number }>(async (session, { options }) => list(session, options.limit)))
  group
    .command('show <run>')
    .description('one run: how much, who was not billed and why, how to retry')
    .action(
      withSession<[string]>(async (session, { args: [id] }) => {
        const run = await session.api.get<BillingRunDetail>(`/v1/billing-runs/${encodeURIComponent(id)}`)
        return session.out.isJson ? session.out.json(run) : show(session, run)
      }),
    )
  group
    .command('run')
    .description('bill everything that is due')
    .option('--failed-only', 'only what could not be billed before')
    .action(withSession<[], { failedOnly?: true }>(async (session, { options }) => start(session, options)))
  group
    .command('try')
    .description('a dry run: who would be billed how much, who not and why; nothing is kept')
    .option('--failed-only', 'only what could not be billed before')
    .action(withSession<[], { failedOnly?: true }>(async (session, { options }) => tryOut(session, options)))
  group
    .command('next <subscription>')
    .description('the next invoice of a subscription, from what was used so far')
    .action(withSession<[string]>(async (session, { args: [id] }) => next(session, id)))
}

async function list({ api, out }: Session, limit: number): Promise<void> {
  const found = await api.list<BillingRun>('/v1/billing-runs', {}, limit)
  if (out.isJson) return out.json(found.rows)
  out.table(
    ['id', 'started', 'considered', 'billed', 'waiting', 'parked', 'total', 'finished'],
    found.rows.map((run) => [
      run.id,
      instantText(run.started_at),
      run.considered,
      run.billed,
      run.waiting,
      run.parked,
      run.totals.map(moneyText).join(', '),
      instantText(run.finished_at),
    ]),
  )
  tellMore(out, found, 'npx clouder billing run')
}

function show({ out }: Session, run: BillingRunDetail): void {
  out.facts([
    ['run', run.id],
    ['up to', instantText(run.billed_at)],
    ['considered', String(run.considered)],
    ['billed', String(run.billed)],
    ['waiting', String(run.waiting)],
    ['parked', String(run.parked)],
    ['total', run.totals.map(moneyText).join(', ')],
    ['finished', instantText(run.finished_at)],
    ['next run', instantText(run.next_run_at)],
  ])
  out.print('')
  out.table(
    ['document', 'customer', 'outcome', 'why', 'retry'],
    run.exceptions.map((row) => [row.document, row.customer.code, row.outcome, row.reason, row.retry]),
  )
}

async function start({ api, out }: Session, { failedOnly }: { failedOnly?: true }): Promise<void> {
  const body = failedOnly === undefined ? {} : { failed_only: true }
  const run = await api.post<BillingRun>('/v1/billing-runs', body)
  if (out.isJson) return out.json(run)
  out.facts([
    ['run', run.id],
    ['up to', instantText(run.billed_at)],
  ])
  out.say(`\n  Next  npx clouder billing show ${run.id}`)
}

async function tryOut({ api, out }: Session, { failedOnly }: { failedOnly?: true }): Promise<void> {
  const body = failedOnly === undefined ? {} : { failed_only: true }
  const preview = await api.post<BillingRunPreview>('/v1/billing-runs/preview', body)
  if (out.isJson) return out.json(preview)
  out.table(
    ['document', 'customer', 'outcome', 'invoices', 'why'],
    [
      ...preview.documents.map((row) => ({ ...row, of: row.document })),
      ...preview.beside.map((row) => ({ ...row, of: row.kind === 'one_off' ? 'one-offs' : 'late usage' })),
    ].map((row) => [
      row.of,
      row.customer.code,
      row.outcome,
      row.invoices.map(({ total }) => moneyText(total)).join(', '),
      row.reason,
    ]),
  )
  out.say(`\n  ${preview.billed} of ${preview.considered} would be billed. Next  npx clouder billing run`)
}

async function next({ api, out }: Session, id: string): Promise<void> {
  const path = `/v1/subscriptions/${encodeURIComponent(id)}/next-invoice`
  const expected = await api.get<ExpectedInvoices>(path)
  if (out.isJson) return out.json(expected)
  out.facts([
    ['on', expected.on ?? 'no invoice is to come'],
    ...expected.invoices.flatMap(({ net, tax, total, balance_used: used, due }) => [
      ...(tax.amount_minor === 0 ? [] : [['net', moneyText(net)] as const, ['tax', moneyText(tax)] as const]),
      ['total', moneyText(total)] as const,
      ...(used.amount_minor === 0
        ? []
        : [['customer balance', `-${moneyText(used)}`] as const, ['left to pay', moneyText(due)] as const]),
    ]),
  ])
  out.print('')
  out.table(
    ['description', 'service period', 'how it came about', 'amount'],
    expected.invoices.flatMap(({ lines }) =>
      lines.map((line) => [
        line.description,
        line.service_period === null ? null : `${line.service_period.start} to ${line.service_period.end}`,
        line.explanation.formula,
        moneyText(line.amount),
      ]),
    ),
  )
}
