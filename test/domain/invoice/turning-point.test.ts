import assert from 'node:assert/strict'
import test from 'node:test'
import type { BillableLine } from '#domain/invoice/lines.ts'
import { simulateDocuments, type Standing } from '#domain/invoice/simulation.ts'
import { findTurningPoints, type Agreed } from '#domain/invoice/turning-point.ts'
import { billableLine, documentInput } from '#test/support/billing.ts'

const month = { count: 1, unit: 'month' } as const
const nothingAgreed: Agreed = { terms: [], limits: [] }

function standingOf(lines: readonly BillableLine[], endsOn: string | null = null): Standing {
  const input = documentInput(lines, '2026-01-01')
  return {
    documents: [
      {
        id: 'document',
        cycles: { anchor: '2026-01-01', interval: month },
        advanceDays: 0,
        nextPeriodIndex: 1,
        nextInvoiceOn: '2026-02-01',
        input,
      },
    ],
    subscriptions: [{ id: 'subscription', endsOn, isOver: false, documentIds: ['document'] }],
    reprice: (part) => part,
  }
}

/** What happens after 10 January, up to 10 June 2026. */
function pointsOf(standing: Standing, agreed = nothingAgreed, usage: Record<string, string> = {}) {
  const assumed = new Map(Object.entries(usage))
  const [after, until] = ['2026-01-10', '2026-06-10']
  const bills = simulateDocuments(standing, assumed, until)
  return findTurningPoints(standing, bills, agreed, { assumed, after, until }).map(
    ({ subscriptionId: _subscription, ...point }) => point,
  )
}

test('J-07 a limit is crossed on the first day on which more is wanted than was sold', () => {
  const five = billableLine({ id: 'five', billingType: 'threshold', quantity: '5', endsOn: '2026-03-01' })
  const eight = billableLine({ id: 'eight', billingType: 'threshold', quantity: '8', startsOn: '2026-03-01' })
  const limits = ['five', 'eight'].map((lineId) => ({ lineId, code: 'users' }))
  const crossedBy = (users: string) =>
    pointsOf(standingOf([five, eight]), { terms: [], limits }, { users })
      .filter(({ kind }) => kind === 'limit_crossed')
      .map(({ on, ...point }) => [on, 'sold' in point ? point.sold : null])
  assert.deepEqual(crossedBy('5'), [])
  assert.deepEqual(crossedBy('7'), [['2026-01-10', '5']])
  assert.deepEqual(crossedBy('9'), [
    ['2026-01-10', '5'],
    ['2026-03-01', '8'],
  ])
})

test('J-07 what is included is used up, and a tier reached, on the day that an even use comes to, and told once', () => {
  const line = billableLine({
    billingType: 'usage',
    billingTiming: 'arrears',
    metric: 'calls',
    startsOn: '2026-02-01',
    price: {
      model: 'graduated',
      includedQuantity: '100',
      tiers: [
        { upTo: '100', unitAmount: '1' },
        { upTo: null, unitAmount: '0.5' },
      ],
    },
  })
  assert.deepEqual(pointsOf(standingOf([line]), nothingAgreed, { calls: '400' }), [
    { kind: 'included_used_up', lineId: 'line', quantity: '100', on: '2026-02-08' },
    { kind: 'tier_reached', lineId: 'line', quantity: '200', on: '2026-02-15' },
  ])
  assert.deepEqual(pointsOf(standingOf([line]), nothingAgreed, { calls: '100' }), [])
})

test('J-07 trials and instalments end, planned changes begin, and the subscription ends on their days', () => {
  const trial = billableLine({ id: 'trial', startsOn: '2026-01-05', terms: { trialDays: 10 } })
  const instalments = billableLine({ id: 'instalments', terms: { periodCount: 3 } })
  const changed = billableLine({ id: 'changed', startsOn: '2026-03-05', firstStartsOn: '2026-01-01' })
  assert.deepEqual(pointsOf(standingOf([trial, instalments, changed], '2026-05-20')), [
    { kind: 'trial_ended', lineId: 'trial', on: '2026-01-15' },
    { kind: 'changed', lineId: 'changed', on: '2026-03-05' },
    { kind: 'instalments_ended', lineId: 'instalments', on: '2026-04-01' },
    { kind: 'ended', on: '2026-05-20' },
  ])
})

test('J-07 a term is renewed on each of its last days', () => {
  const term = {
    startsOn: '2025-11-30',
    length: { count: 3, unit: 'month' },
    notice: month,
    isRenewed: true,
  } as const
  const points = (isRenewed: boolean) =>
    pointsOf(standingOf([billableLine()]), {
      limits: [],
      terms: [{ subscriptionId: 'subscription', term: { ...term, isRenewed } }],
    })
  assert.deepEqual(points(true), [
    { kind: 'term_renewed', on: '2026-02-27', until: '2026-05-30' },
    { kind: 'term_renewed', on: '2026-05-29', until: '2026-08-30' },
  ])
  assert.deepEqual(points(false), [])
})
