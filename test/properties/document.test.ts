import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import { addDays, compareDates } from '#domain/calendar.ts'
import { computeDocument, type DocumentDraft, type DocumentLineDraft } from '#domain/invoice/document.ts'
import { firstPaidDay } from '#domain/invoice/due.ts'
import type { BillableLine } from '#domain/invoice/lines.ts'
import { holds } from '#test/support/property.ts'
import { anyDocument, billInCourse, inputOn, type DocumentStory } from './document-generator.ts'

test('the totals of a document are its lines plus their tax, and its tax is broken down to the cent', async (t) => {
  await holds(t, 700, [anyDocument], (story) => {
    for (const { draft } of billInCourse(story).documents) {
      assert.equal(draft.netMinor, sum(draft.lines, 'amountMinor'))
      assert.equal(draft.taxMinor, sum(draft.lines, 'taxMinor'))
      assert.equal(draft.totalMinor, draft.netMinor + draft.taxMinor)
      assert.equal(draft.taxMinor, sum(draft.taxes, 'taxMinor'))
      assert.equal(draft.kind, draft.totalMinor < 0 ? 'credit_note' : 'invoice')
      for (const line of draft.lines)
        assert.equal(pricedMinor(line, draft), line.ratedMinor - line.discountMinor)
    }
  })
})

test('each rate of a document taxes the lines that bear it, and no other', async (t) => {
  await holds(t, 400, [anyDocument], (story) => {
    for (const { draft } of billInCourse(story).documents) {
      const bases = new Map<string, number>()
      for (const line of draft.lines) {
        for (const key of ratesOf(line)) bases.set(key, (bases.get(key) ?? 0) + line.amountMinor)
      }
      const stated = draft.taxes.map((tax): [string, number] => [keyOf(tax), tax.baseMinor])
      assert.deepEqual(Object.fromEntries(stated), Object.fromEntries(bases))
      assert.equal(stated.length, new Set(stated.map(([key]) => key)).size)
    }
  })
})

test('the periods of every line tile its paid days: no hole, no overlap, nothing before and nothing after', async (t) => {
  await holds(t, 700, [anyDocument], (story) => {
    const { lines, lastDay } = billInCourse(story)
    for (const line of lines.filter(({ interval, terms }) => interval !== null && terms.isZeroShown)) {
      const parts = line.billed.filter(({ kind }) => kind === 'recurring' || kind === 'usage')
      let from = firstPaidDay(line)
      for (const { servicePeriod } of parts) {
        assert.equal(servicePeriod?.start, from)
        assert.ok(compareDates(servicePeriod.start, servicePeriod.end) < 0)
        from = servicePeriod.end
      }
      if (line.endsOn === null || parts.length === 0) continue
      assert.ok(compareDates(from, line.endsOn) <= 0)
      const isOver = line.terms.periodCount === null && compareDates(line.endsOn, lastDay) <= 0
      if (isOver) assert.equal(from, line.endsOn)
    }
  })
})

test('a discount takes off no more than there is, and never makes a document dearer', async (t) => {
  await holds(t, 400, [anyDocument], (drawn) => {
    const story = { ...drawn, bounds: [], periodCount: 1 }
    for (const { input, draft } of billInCourse(story).documents) {
      for (const line of draft.lines) {
        assert.ok(line.discountMinor >= 0 && line.discountMinor <= Math.max(0, line.ratedMinor))
        const explained = (line.explanation.discounts ?? []).map(({ amountMinor }) => amountMinor)
        assert.equal(
          explained.reduce((total, minor) => total + minor, 0),
          line.discountMinor,
        )
      }
      const full = computeDocument({ ...input, discounts: [] })
      assert.ok(draft.totalMinor <= (full?.totalMinor ?? 0))
    }
  })
})

/** The story with some of its lines ended after it was billed, and what the next document makes of it. */
function endedStory(story: DocumentStory, endAfter: readonly number[]) {
  const { lines, lastDay } = billInCourse({
    ...story,
    lines: story.lines.map((line) => ({ ...line, endsOn: null })),
  })
  const ended = lines.map((line, index) => {
    const days = endAfter[index % endAfter.length] ?? 0
    return { ...line, endsOn: addDays(line.startsOn, days) }
  })
  return { ended, draft: computeDocument(inputOn(story, ended, lastDay)) }
}

const endings = fc.array(fc.nat(150), { minLength: 1, maxLength: 6 })

test('no credit exceeds what was charged, net or tax, and it bears the tax of its charge', async (t) => {
  await holds(t, 700, [anyDocument, endings], (story, endAfter) => {
    const { ended, draft } = endedStory(story, endAfter)
    const charges = new Map(ended.flatMap(({ billed }) => billed.map((part) => [part.id, part])))
    const credits = (draft?.lines ?? []).filter(({ kind }) => kind === 'credit')
    for (const credit of credits) {
      const charge = charges.get(credit.creditsLineId ?? '')
      assert.ok(charge?.servicePeriod && credit.servicePeriod)
      assert.ok(-credit.amountMinor >= 0 && -credit.amountMinor <= charge.amountMinor)
      assert.ok(-credit.taxMinor >= 0 && -credit.taxMinor <= charge.taxMinor)
      assert.equal(credit.taxCategory, charge.tax.category)
      if (0 - credit.amountMinor === charge.amountMinor && charge.amountMinor > 0)
        assert.equal(0 - credit.taxMinor, charge.taxMinor)
      assert.ok(compareDates(charge.servicePeriod.start, credit.servicePeriod.start) <= 0)
      assert.equal(credit.servicePeriod.end, charge.servicePeriod.end)
    }
  })
})

test('what is ended on its first day is given back to the cent, with its tax', async (t) => {
  await holds(t, 400, [anyDocument], (story) => {
    const { ended, draft } = endedStory(story, [0])
    const isGivenBack = (line: BillableLine) =>
      line.terms.unusedTime !== 'keep' && line.terms.proration !== 'none'
    for (const line of ended.filter(isGivenBack)) {
      const charges = line.billed.filter(({ kind }) => kind === 'recurring')
      const credits = (draft?.lines ?? []).filter(
        ({ kind, subscriptionLineId }) => kind === 'credit' && subscriptionLineId === line.id,
      )
      assert.equal(sum(charges, 'amountMinor') + sum(credits, 'amountMinor'), 0)
      assert.equal(sum(charges, 'taxMinor') + sum(credits, 'taxMinor'), 0)
    }
  })
})

test('computed again from the same, a document is the same, and nothing that it was computed from is changed', async (t) => {
  await holds(t, 200, [anyDocument], (story) => {
    for (const { input, draft } of billInCourse(deepFreeze(story)).documents) {
      assert.deepEqual(computeDocument(deepFreeze(input)), draft)
    }
  })
})

test('billed again on the same day, a document has nothing left to bill', async (t) => {
  await holds(t, 400, [anyDocument], (drawn) => {
    const story = { ...drawn, bounds: [], lines: drawn.lines.map(showingZero) }
    const { lines, lastDay } = billInCourse(story)
    assert.deepEqual(inputOn(story, lines, lastDay).parts, [])
  })
})

test('the order of its lines changes nothing of what a document comes to, but for the odd cent of each discount', async (t) => {
  await holds(
    t,
    1_000,
    [anyDocument, fc.array(fc.nat(1_000), { minLength: 30, maxLength: 30 })],
    (story, places) => {
      for (const { input, draft } of billInCourse({ ...story, bounds: [], periodCount: 1 }).documents) {
        const parts = input.parts
          .map((part, index) => ({ part, place: places[index % 30] ?? 0 }))
          .toSorted((first, second) => first.place - second.place)
          .map(({ part }) => part)
        const again = computeDocument({ ...input, parts })
        assert.ok(Math.abs((again?.totalMinor ?? 0) - draft.totalMinor) <= 2 * input.discounts.length)
        const full = { ...input, discounts: [] }
        assert.deepEqual(totalsOf(computeDocument({ ...full, parts })), totalsOf(computeDocument(full)))
      }
    },
  )
})

test('within its bounds, a subscription comes to no more than its greatest amount in a period', async (t) => {
  await holds(t, 400, [anyDocument], (drawn) => {
    const bounds = drawn.bounds.map((bound) => ({ ...bound, leastAmount: null, greatestAmount: '17' }))
    const story = {
      ...drawn,
      bounds,
      tax: { ...drawn.tax, arePricesInclusive: false },
      lines: drawn.lines.map(advance),
    }
    for (const { draft } of billInCourse(story).documents) {
      for (const { subscriptionId } of bounds) {
        const own = new Set(
          story.lines
            .filter((line) => line.subscriptionId === subscriptionId && line.interval !== null)
            .map(({ id }) => id),
        )
        const charged = draft.lines.filter(({ subscriptionLineId }) => own.has(subscriptionLineId ?? ''))
        const greatest = new Big(17).times(
          story.currency === 'JPY' ? 1 : story.currency === 'KWD' ? 1000 : 100,
        )
        assert.ok(sum(charged, 'amountMinor') <= Number(greatest) * cyclesOf(charged))
      }
    }
  })
})

function cyclesOf(lines: readonly DocumentLineDraft[]): number {
  return new Set(lines.map(({ servicePeriod }) => servicePeriod?.end)).size
}

function advance(line: BillableLine): BillableLine {
  return line.billingType === 'usage'
    ? { ...line, billingType: 'flat', metric: null, billingTiming: 'advance' }
    : { ...line, billingTiming: 'advance' }
}

function showingZero(line: BillableLine): BillableLine {
  return { ...line, terms: { ...line.terms, isZeroShown: true } }
}

function pricedMinor(line: DocumentLineDraft, draft: DocumentDraft): number {
  return draft.arePricesInclusive ? line.amountMinor + line.taxMinor : line.amountMinor
}

function totalsOf(draft: DocumentDraft | null) {
  if (draft === null) return null
  const { netMinor, taxMinor, totalMinor, taxes } = draft
  return { netMinor, taxMinor, totalMinor, taxes: taxes.map((tax) => JSON.stringify(tax)).toSorted() }
}

function ratesOf({ explanation: { tax }, taxCategory }: DocumentLineDraft): string[] {
  const note = tax?.note ?? null
  if (tax === undefined || tax.rates.length === 0)
    return [keyOf({ category: taxCategory, name: '', ratePercent: '0', note })]
  return tax.rates.map((rate) => keyOf({ category: taxCategory, ...rate, note }))
}

function keyOf(tax: { category: string; name: string; ratePercent: string; note: string | null }): string {
  return JSON.stringify([tax.category, tax.name, tax.ratePercent, tax.note])
}

function sum<Key extends string>(rows: readonly Readonly<Record<Key, number>>[], key: Key): number {
  return rows.reduce((total, row) => total + row[key], 0)
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) deepFreeze(inner)
  return value
}
