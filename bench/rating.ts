import Big from 'big.js'
import { computeDocument, type DocumentInput } from '#domain/invoice/document.ts'
import { billableLine, documentInput, usageOf } from '#test/support/billing.ts'
import type { BenchContext } from './support/benchmark.ts'
import type { Measurement } from './support/measurement.ts'

const repetitions = 5
const repetitionMs = 1_000

/** The lines of a usual document: a fee for a part of a month, a threshold, and usage by tiers. */
function usualDocument(): DocumentInput {
  const lines = [
    billableLine({ id: 'flat', unitPrice: '24.95', startsOn: '2026-01-10' }),
    billableLine({ id: 'threshold', billingType: 'threshold', unitPrice: '1.25', quantity: '5' }),
    billableLine({
      id: 'usage',
      billingType: 'usage',
      billingTiming: 'arrears',
      metric: 'requests',
      price: {
        model: 'graduated',
        tiers: [
          { upTo: '100', unitAmount: '0.05' },
          { upTo: null, unitAmount: '0.03' },
        ],
      },
    }),
  ]
  const tax = {
    category: 'standard',
    rates: [{ name: 'VAT', ratePercent: '20' }],
    note: null,
    rule: 'same_country',
  } as const
  return documentInput(lines, '2026-02-01', {
    usageOf: () => ({ usage: usageOf('450') }),
    tax: { arePricesInclusive: false, taxRounding: 'document', decide: () => tax },
  })
}

/** Lines that one processor computes in a second, with tax and explanation, against the bare arithmetic of the same lines. */
export async function measureRating(ctx: BenchContext): Promise<Measurement[]> {
  const input = usualDocument()
  const linesOfOne = computeDocument(input)?.lines.length ?? 0
  const rated: number[] = []
  const reckoned: number[] = []
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    reckoned.push(perSecond(() => reckonByHand(linesOfOne)) * linesOfOne)
    rated.push(perSecond(() => void computeDocument(input)) * linesOfOne)
  }
  ctx.note(`${linesOfOne} lines a document`)
  const against = { kind: 'peer', title: 'price × share × quantity, rounded', values: reckoned } as const
  return Promise.resolve([
    { measure: 'Rating, lines on one processor', unit: '/s', values: rated, against, aim: {} },
  ])
}

function perSecond(work: () => void): number {
  const startedMs = performance.now()
  let times = 0
  while (performance.now() - startedMs < repetitionMs) {
    for (let turn = 0; turn < 100; turn += 1) work()
    times += 100
  }
  return (times / (performance.now() - startedMs)) * 1_000
}

function reckonByHand(lines: number): void {
  for (let line = 0; line < lines; line += 1)
    new Big('24.95').times('1').times('22').div('31').times('100').round(0, Big.roundHalfUp)
}
