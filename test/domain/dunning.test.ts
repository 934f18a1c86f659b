import assert from 'node:assert/strict'
import test from 'node:test'
import {
  dunningStepOn,
  noDunning,
  retryDates,
  runDunning,
  type DunningCampaign,
  type DunningStanding,
} from '#domain/dunning.ts'

test('each try is counted from the one before', () => {
  assert.deepEqual(retryDates('2026-05-31', [8, 8, 8]), ['2026-06-08', '2026-06-16', '2026-06-24'])
  assert.deepEqual(retryDates('2026-05-31', []), [])
})

test('the step of dunning is the last one whose days have passed', () => {
  const steps = [
    { name: 'second', afterDays: 40 },
    { name: 'first', afterDays: 30 },
  ]
  const names = ['2026-06-29', '2026-06-30', '2026-07-09', '2026-07-10', '2027-01-01'].map(
    (date) => dunningStepOn('2026-05-31', steps, date)?.name ?? null,
  )
  assert.deepEqual(names, [null, 'first', 'first', 'second', 'second'])
})

const campaign: DunningCampaign = {
  maxAttempts: 2,
  daysBetweenAttempts: 2,
  thresholdMinor: { EUR: 15_000, USD: 10_000 },
}

function runOn(days: readonly string[], debtMinor: Record<string, number>): DunningStanding {
  return days.reduce(
    (standing, day) => runDunning(campaign, standing, debtMinor, `${day}T10:00:00Z`),
    noDunning,
  )
}

function counts(standing: DunningStanding) {
  return Object.fromEntries(
    Object.entries(standing.attempts).map(([currency, { count }]) => [currency, count]),
  )
}

test('a currency is asked for only from its threshold on', () => {
  assert.deepEqual(counts(runOn(['2026-01-03'], { EUR: 14_999, USD: 10_000 })), { USD: 1 })
})

test('the next attempt needs more than the days between, and none follows the last', () => {
  const debt = { USD: 12_000 }
  assert.deepEqual(counts(runOn(['2026-01-03', '2026-01-05'], debt)), { USD: 1 })
  assert.deepEqual(counts(runOn(['2026-01-03', '2026-01-06'], debt)), { USD: 2 })
  assert.deepEqual(counts(runOn(['2026-01-03', '2026-01-06', '2026-01-20'], debt)), { USD: 2 })
})

test('a campaign is finished once, when no debt that counts has an attempt left', () => {
  const one = runOn(['2026-01-03', '2026-01-06'], { USD: 12_000 })
  assert.equal(one.finishedAt, '2026-01-06T10:00:00Z')
  const later = runDunning(campaign, one, { USD: 12_000, EUR: 20_000 }, '2026-01-09T10:00:00Z')
  assert.deepEqual([counts(later), later.finishedAt], [{ USD: 2, EUR: 1 }, '2026-01-06T10:00:00Z'])
  assert.equal(runOn(['2026-01-03', '2026-01-06'], { USD: 12_000, EUR: 0 }).attempts['EUR'], undefined)
})

test('a campaign with attempts left is not finished, and neither is one that nobody owes', () => {
  assert.equal(runOn(['2026-01-03'], { USD: 12_000 }).finishedAt, null)
  assert.equal(runOn(['2026-01-03', '2026-01-09'], {}).finishedAt, null)
})
