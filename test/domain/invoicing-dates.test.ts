import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { addDays, compareDates, cycleBoundary, daysIn, type BillingInterval } from '#domain/calendar.ts'
import {
  afterInvoice,
  anchorInForce,
  billedUntilBefore,
  documentEndsOn,
  documentInvoiceOn,
  fullPeriodOf,
  instalmentsEndOn,
  listTurns,
  nextInvoiceOn,
  nextPeriod,
  offsetDays,
  type InvoicedLine,
} from '#domain/invoicing-dates.ts'

const monthly: BillingInterval = { count: 1, unit: 'month' }
const byLastDay: BillingInterval = { count: 1, unit: 'month_last_day' }

function aLine(differences: Partial<InvoicedLine> = {}): InvoicedLine {
  const line = {
    startsOn: '2026-01-05',
    endsOn: null,
    billedUntil: null,
    interval: monthly,
    timing: 'advance',
    forcedInvoiceOn: null,
    ...differences,
  } as const
  return { offsetDays: offsetDays(line.timing, line.interval.unit), ...line }
}

function turns(line: InvoicedLine): string[] {
  return listTurns(line, null).map(
    ({ period, invoiceOn }) => `${invoiceOn}: ${period.start} to ${addDays(period.end, -1)}`,
  )
}

test('advance is billed on the first day, the last period is cut at the end of the line', () => {
  assert.deepEqual(turns(aLine({ endsOn: '2026-03-16' })), [
    '2026-01-05: 2026-01-05 to 2026-02-04',
    '2026-02-05: 2026-02-05 to 2026-03-04',
    '2026-03-05: 2026-03-05 to 2026-03-15',
  ])
})

test('arrears are billed on the day after the last day, the last of them too', () => {
  assert.deepEqual(turns(aLine({ endsOn: '2026-03-16', timing: 'arrears' })), [
    '2026-02-05: 2026-01-05 to 2026-02-04',
    '2026-03-05: 2026-02-05 to 2026-03-04',
    '2026-03-16: 2026-03-05 to 2026-03-15',
  ])
})

test("what is counted by the month's last day is billed on it in arrears", () => {
  assert.deepEqual(turns(aLine({ endsOn: '2026-03-16', timing: 'arrears', interval: byLastDay })), [
    '2026-01-31: 2026-01-05 to 2026-01-31',
    '2026-02-28: 2026-02-01 to 2026-02-28',
    '2026-03-15: 2026-03-01 to 2026-03-15',
  ])
})

test('a line from 31 January comes back to the 31st', () => {
  const line = aLine({ startsOn: '2027-01-31', endsOn: '2027-05-01' })
  assert.deepEqual(
    listTurns(line, null).map(({ invoiceOn }) => invoiceOn),
    ['2027-01-31', '2027-02-28', '2027-03-31', '2027-04-30'],
  )
})

test('an invoice date forced to 5 June bills to 4 June in arrears and to 4 July in advance, and goes on from there', () => {
  const billed = { billedUntil: '2026-02-05', forcedInvoiceOn: '2026-06-05' }
  const arrears = aLine({ ...billed, timing: 'arrears' })
  assert.deepEqual(nextPeriod(arrears), { start: '2026-02-05', end: '2026-06-05' })
  assert.deepEqual(nextPeriod(afterInvoice(arrears)), { start: '2026-06-05', end: '2026-07-05' })
  const advance = aLine(billed)
  assert.equal(nextInvoiceOn(advance), '2026-06-05')
  assert.deepEqual(nextPeriod(advance), { start: '2026-02-05', end: '2026-07-05' })
  assert.equal(nextInvoiceOn(afterInvoice(advance)), '2026-07-05')
})

test('a forced date that leaves the rhythm is where cycles are counted from', () => {
  const line = aLine({ timing: 'arrears', billedUntil: '2026-02-05', forcedInvoiceOn: '2026-03-20' })
  assert.deepEqual(nextPeriod(afterInvoice(line)), { start: '2026-03-20', end: '2026-04-20' })
  assert.equal(anchorInForce('2026-01-05', monthly, '2026-03-05'), '2026-01-05')
  assert.equal(anchorInForce('2026-01-05', monthly, '2026-03-20'), '2026-03-20')
})

test('a line that was billed to its end has no next invoice', () => {
  const line = aLine({ endsOn: '2026-02-05', billedUntil: '2026-02-05' })
  assert.deepEqual([nextPeriod(line), nextInvoiceOn(line)], [undefined, undefined])
  assert.equal(afterInvoice(line), line)
})

test('periods are listed to a horizon when they end by it', () => {
  assert.equal(listTurns(aLine({ startsOn: '2026-01-01' }), '2026-04-01').length, 3)
  assert.equal(listTurns(aLine({ startsOn: '2026-01-01' }), '2026-03-31').length, 2)
  assert.throws(() => listTurns(aLine(), null), /horizon/)
})

test("a document's next date is the first of its lines', its end the last, and none while one is open", () => {
  assert.equal(documentInvoiceOn(['2026-01-15', null, '2026-01-14']), '2026-01-14')
  assert.equal(documentInvoiceOn([null]), undefined)
  assert.equal(documentEndsOn(['2026-01-15', '2026-02-14']), '2026-02-14')
  assert.equal(documentEndsOn(['2026-01-15', null]), null)
  assert.equal(documentEndsOn([]), null)
})

test('30.00 a month for 3 periods is three invoices, then none', () => {
  const endsOn = instalmentsEndOn('2026-01-31', monthly, 3)
  assert.equal(endsOn, '2026-04-30')
  assert.equal(listTurns(aLine({ startsOn: '2026-01-31', endsOn }), null).length, 3)
})

test('a full quantity pays for the cycle before an invoice in arrears and after one in advance', () => {
  const first = '2026-02-01'
  assert.deepEqual(fullPeriodOf(aLine(), first), { start: first, end: '2026-03-01' })
  assert.deepEqual(fullPeriodOf(aLine({ timing: 'arrears' }), first), { start: '2026-01-01', end: first })
  assert.deepEqual(fullPeriodOf(aLine({ interval: byLastDay }), '2026-02-16'), {
    start: first,
    end: '2026-03-01',
  })
  assert.deepEqual(fullPeriodOf(aLine({ interval: byLastDay, timing: 'arrears' }), '2026-02-28'), {
    start: first,
    end: '2026-03-01',
  })
})

test('from the next invoice date alone one knows until when a line was billed', () => {
  assert.equal(billedUntilBefore(aLine(), '2026-03-05'), '2026-03-05')
  assert.equal(billedUntilBefore(aLine({ timing: 'arrears' }), '2026-03-05'), '2026-02-05')
  assert.equal(
    billedUntilBefore(aLine({ timing: 'arrears', interval: byLastDay }), '2026-02-28'),
    '2026-02-01',
  )
  assert.equal(billedUntilBefore(aLine(), '2026-01-05'), null)
})

const aDay = fc.integer({ min: 0, max: 1500 }).map((days) => addDays('2026-01-01', days))
const anInterval = fc.record({
  count: fc.integer({ min: 1, max: 14 }),
  unit: fc.constantFrom('day', 'month', 'month_last_day'),
})
const anyLine = fc
  .record({
    startsOn: aDay,
    days: fc.integer({ min: 1, max: 500 }),
    interval: anInterval,
    timing: fc.constantFrom('advance', 'arrears'),
  })
  .map(({ days, ...line }) => aLine({ ...line, endsOn: addDays(line.startsOn, days) }))

test('the invoices of a line tile its life, each of one cycle counted from its start', () => {
  fc.assert(
    fc.property(anyLine, (line) => {
      const listed = listTurns(line, null)
      assert.equal(listed[0]?.period.start, line.startsOn)
      assert.equal(listed.at(-1)?.period.end, line.endsOn)
      for (const [index, { period }] of listed.entries()) {
        assert.equal(period.start, cycleBoundary(line.startsOn, line.interval, index))
        assert.ok(daysIn(period) > 0)
        if (index > 0) assert.equal(listed[index - 1]?.period.end, period.start)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a forced date loses and doubles no day', () => {
  fc.assert(
    fc.property(anyLine, fc.integer({ min: 1, max: 400 }), (line, days) => {
      const billed = afterInvoice(line)
      const forced = { ...billed, forcedInvoiceOn: addDays(billed.billedUntil ?? line.startsOn, days) }
      const ends = listTurns(forced, null).map(({ period }) => period)
      const life = { start: billed.billedUntil ?? line.startsOn, end: line.endsOn ?? '' }
      const served = ends.reduce((sum, period) => sum + daysIn(period), 0)
      assert.equal(served, compareDates(life.start, life.end) < 0 ? daysIn(life) : 0)
    }),
    { numRuns: 2000 },
  )
})
