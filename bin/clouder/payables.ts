import type { Command } from 'commander'
import type { Payables, SupplierPayment, SupplierPaymentDetail } from './answers.ts'
import { moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession } from './session.ts'

export function registerPayables(program: Command): void {
  program
    .command('payables')
    .summary('what is owed to suppliers, by age')
    .description(
      'What is left to pay of supplier invoices, per supplier and currency, by the days it is late.',
    )
    .action(
      withSession(async ({ api, out }) => {
        const payables = await api.get<Payables>('/v1/payables')
        if (out.isJson) return out.json(payables)
        const totals = payables.totals.map((row) => ({ ...row, name: `all in ${row.currency}` }))
        const rows = [...payables.suppliers.map((row) => ({ ...row, name: row.supplier.name })), ...totals]
        out.table(
          ['supplier', 'not due', '1-30 days', '31-60', '61-90', 'over 90', 'owed to us', 'open'],
          rows.map((row) => [
            row.name,
            moneyText(row.not_due),
            moneyText(row.days_1_30),
            moneyText(row.days_31_60),
            moneyText(row.days_61_90),
            moneyText(row.over_90_days),
            moneyText(row.credit),
            moneyText(row.open),
          ]),
        )
      }),
    )
  registerPayments(program)
}

function registerPayments(program: Command): void {
  const group = program
    .command('supplier-payments')
    .alias('supplier-payment')
    .summary('what was paid to suppliers')
    .description('Recorded with npx clouder supplier-invoices pay; taken back as a whole.')
  group
    .command('ls')
    .description('list them, newest first (what the word alone does)')
    .option('--supplier <supplier>', 'to one supplier')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number; supplier?: string }>(async ({ api, out }, { options }) => {
        const { supplier, limit } = options
        const found = await api.list<SupplierPayment>('/v1/supplier-payments', { supplier }, limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['id', 'supplier', 'paid on', 'amount', 'reference', 'taken back'],
          found.rows.map((row) => [
            row.id,
            row.supplier.name,
            row.paid_on,
            moneyText(row.amount),
            row.reference,
            row.reversal_reason,
          ]),
        )
        tellMore(out, found, 'None is recorded. npx clouder supplier-invoices pay --help')
      }),
    )
  group
    .command('reverse')
    .description('take a payment back as a whole: what it paid is open again')
    .argument('<payment>', 'its id')
    .requiredOption('--reason <text>', 'why, in a few words')
    .action(
      withSession<[string], { reason: string }>(async ({ api, out }, { args: [id], options }) => {
        const address = `/v1/supplier-payments/${encodeURIComponent(id)}/reverse`
        const payment = await api.post<SupplierPaymentDetail>(address, { reason: options.reason })
        if (out.isJson) return out.json(payment)
        out.say(`  ${moneyText(payment.amount)} to ${payment.supplier.name} taken back`)
      }),
    )
}
