import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  allowedCommands,
  refuseCommand,
  settlementJitterMs,
  subscriptionPhases,
  type SubscriptionCommandKind,
  type SubscriptionPhase,
  type SubscriptionStanding,
} from '#domain/subscription.ts'

type Stand = 'running' | 'parked' | 'cancelled' | 'pause planned'

function standing(phase: SubscriptionPhase, is: Stand): SubscriptionStanding {
  return {
    phase,
    isParked: is === 'parked',
    isCancelled: is === 'cancelled',
    isPausePlanned: is === 'pause planned',
  }
}

type Row = [phase: SubscriptionPhase, is: Stand, allowed: SubscriptionCommandKind[]]

/** The whole table: what may be asked where. */
const table: Row[] = [
  ['ordered', 'running', ['cancel']],
  ['ordered', 'parked', ['cancel']],
  ['ordered', 'cancelled', ['cancel']],
  ['building', 'running', ['cancel']],
  ['building', 'parked', ['cancel', 'retryBuild']],
  ['building', 'cancelled', ['cancel']],
  [
    'active',
    'running',
    [
      'cancel',
      'changePlan',
      'pause',
      'stopLine',
      'cancelLine',
      'uncancelLine',
      'delayLine',
      'deleteLine',
      'planSuccessor',
      'transfer',
      'setTerm',
      'setRecurrence',
      'suspend',
      'restore',
    ],
  ],
  [
    'active',
    'pause planned',
    [
      'cancel',
      'changePlan',
      'pause',
      'unpause',
      'stopLine',
      'cancelLine',
      'uncancelLine',
      'delayLine',
      'deleteLine',
      'planSuccessor',
      'transfer',
      'setTerm',
      'setRecurrence',
      'suspend',
      'restore',
    ],
  ],
  ['active', 'parked', ['retryBuild']],
  ['active', 'cancelled', ['cancel', 'uncancel', 'suspend', 'restore']],
  [
    'suspended',
    'running',
    [
      'cancel',
      'stopLine',
      'cancelLine',
      'uncancelLine',
      'delayLine',
      'deleteLine',
      'planSuccessor',
      'setTerm',
      'suspend',
      'resume',
    ],
  ],
  ['suspended', 'parked', ['retryBuild']],
  ['suspended', 'cancelled', ['cancel', 'uncancel', 'suspend', 'resume']],
  ['unbuilding', 'running', []],
  ['unbuilding', 'parked', ['retryBuild']],
  ['unbuilding', 'cancelled', []],
  ['ended', 'running', []],
  ['ended', 'parked', []],
  ['ended', 'cancelled', []],
]

test('the table has every phase', () => {
  assert.deepEqual([...new Set(table.map(([phase]) => phase))], [...subscriptionPhases])
})

const everyCommand: SubscriptionCommandKind[] = [
  'cancel',
  'uncancel',
  'changePlan',
  'pause',
  'unpause',
  'stopLine',
  'cancelLine',
  'uncancelLine',
  'delayLine',
  'deleteLine',
  'planSuccessor',
  'transfer',
  'setTerm',
  'setRecurrence',
  'suspend',
  'resume',
  'restore',
  'retryBuild',
]

for (const [phase, is, allowed] of table) {
  test(`while ${phase} and ${is} it takes ${allowed.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(allowedCommands(standing(phase, is)), allowed)
    for (const kind of everyCommand) {
      const refusal = refuseCommand(standing(phase, is), kind)
      const expected = phase === 'ended' ? 'subscription_ended' : 'action_not_allowed'
      assert.equal(refusal?.code, allowed.includes(kind) ? undefined : expected, kind)
    }
  })
}

test('a test clock may tell its time in every phase', () => {
  for (const phase of subscriptionPhases) {
    assert.equal(refuseCommand(standing(phase, 'running'), 'advanceTestClock'), undefined)
  }
})

test('a refusal says what is possible instead', () => {
  assert.match(
    refuseCommand(standing('active', 'cancelled'), 'changePlan')?.message ?? '',
    /active, cancelled.*Possible now: cancel, uncancel, suspend, restore\./,
  )
})

test('a subscription settles at its own steady moment inside the window', () => {
  const id = 'sub_01kb2x3y4z5a6b7c8d9e0f1g2h'
  assert.equal(settlementJitterMs(id, 21_600_000), settlementJitterMs(id, 21_600_000))
  assert.notEqual(settlementJitterMs(id, 21_600_000), settlementJitterMs(`${id.slice(0, -1)}j`, 21_600_000))
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 86_400_000 }), (anyId, windowMs) => {
      const jitterMs = settlementJitterMs(anyId, windowMs)
      assert.ok(Number.isInteger(jitterMs) && jitterMs >= 0 && jitterMs < windowMs)
    }),
  )
})

test('a thousand subscriptions spread over the window', () => {
  const quarters = [0, 0, 0, 0]
  for (let number = 0; number < 1_000; number += 1) {
    const quarter = Math.floor(settlementJitterMs(`sub_${String(number).padStart(26, '0')}`, 4_000) / 1_000)
    quarters[quarter] = (quarters[quarter] ?? 0) + 1
  }
  assert.ok(
    quarters.every((count) => count > 150),
    quarters.join(', '),
  )
})
