import assert from 'node:assert/strict'
import test from 'node:test'
import {
  checkWebhookUrl,
  decideDelivery,
  decideWebhook,
  judgeStatus,
  type DeliveryStanding,
} from '#domain/webhook.ts'

const startMs = Date.parse('2026-03-01T00:00:00Z')
const at = (ms: number) => new Date(startMs + ms).toISOString()
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const inPublic = { isOnLoopback: false, allowed: [] }

/** How long after the first attempt each next one is made, in seconds, if all are answered by one status. */
function attemptsOf(status: number | null): { seconds: number[]; end: string } {
  let standing: DeliveryStanding = { failures: 0, firstFailedAt: null }
  let nowMs = 0
  for (const seconds = [0]; ;) {
    const decided = decideDelivery(standing, { status }, at(nowMs))
    if (decided.state !== 'waiting') return { seconds, end: decided.state }
    standing = decided
    nowMs = Date.parse(decided.dueAt) - startMs
    seconds.push(nowMs / 1_000)
  }
}

test('what is refused is posted again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, a day, and given up after five days', () => {
  const waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400]
  const expected = [0]
  for (const wait of waits) expected.push((expected.at(-1) ?? 0) + wait)
  assert.deepEqual(attemptsOf(500), {
    seconds: [...expected.filter((seconds) => seconds < 432_000), 432_000],
    end: 'given_up',
  })
})

test('who does not answer is asked every quarter of an hour at least', () => {
  const { seconds } = attemptsOf(null)
  assert.deepEqual(seconds.slice(0, 6), [0, 5, 305, 1_205, 2_105, 3_005])
  assert.equal(seconds.at(-1), 432_000)
})

test('an answer of 2xx is a delivery, 410 the end; what nobody answers is told from what is refused', () => {
  const judged = [200, 204, 299, 301, 400, 404, 410, 429, 500, 502, 503, 504, null].map(judgeStatus)
  assert.deepEqual(judged, [
    'delivered', 'delivered', 'delivered', 'refused', 'refused', 'refused', 'gone', 'away', 'refused', 'away', 'away', 'away', 'away',
  ]) // prettier-ignore
})

test('a receiver is left alone for as long as it asks', () => {
  const asked = { status: 429, retryAfterMs: 120_000 }
  const { dueAt } = decideDelivery({ failures: 0, firstFailedAt: null }, asked, at(0)) as { dueAt: string }
  assert.equal(dueAt, at(120_000))
  const { restsUntil } = decideWebhook({ failingSince: null, rests: 0 }, [asked], at(0))
  assert.equal(restsUntil, at(120_000))
})

test('a webhook that is away is left alone longer each time, one that refuses some never', () => {
  const fresh = { failingSince: null, rests: 0 }
  const away = decideWebhook(fresh, [{ status: null }], at(0))
  assert.deepEqual(away, { failingSince: at(0), rests: 1, restsUntil: at(5_000), disabledReason: null })
  const longer = decideWebhook(away, [{ status: 503 }], at(5_000))
  assert.deepEqual([longer.rests, longer.restsUntil], [2, at(305_000)])
  const longest = decideWebhook({ ...longer, rests: 40 }, [{ status: 503 }], at(0))
  assert.equal(longest.restsUntil, at(900_000))
  const back = decideWebhook(longer, [{ status: 204 }], at(400_000))
  assert.deepEqual(back, { ...fresh, restsUntil: null, disabledReason: null })
  const mixed = decideWebhook(fresh, [{ status: 500 }, { status: 200 }, { status: 400 }], at(0))
  assert.deepEqual(mixed, { ...fresh, restsUntil: null, disabledReason: null })
  const poisoned = decideWebhook(
    { failingSince: at(0), rests: 9 },
    [{ status: 200 }, { status: null }],
    at(0),
  )
  assert.deepEqual([poisoned.rests, poisoned.restsUntil], [1, at(5_000)])
})

test('a webhook is disabled by 410, and when it has taken nothing for five days, not a moment before', () => {
  const failing = { failingSince: at(0), rests: 3 }
  const reasonAt = (ms: number, status: number | null) =>
    decideWebhook(failing, [{ status }], at(ms)).disabledReason
  assert.equal(reasonAt(5 * dayMs - 1, 500), null)
  assert.equal(reasonAt(5 * dayMs, 200), null)
  assert.equal(reasonAt(5 * dayMs, 500), `It has taken nothing since ${at(0)}, for five days.`)
  assert.equal(reasonAt(0, 410), 'It answered 410 Gone: it wants nothing any more.')
})

test('events are posted by https to the public internet, and elsewhere only where an operator allows it', () => {
  assert.equal(
    checkWebhookUrl('https://Hooks.example.com/a?b=c', inPublic),
    'https://hooks.example.com/a?b=c',
  )
  const refused = [
    'hooks.example.com', 'http://hooks.example.com/', 'ftp://hooks.example.com/', 'https://a:b@hooks.example.com/', 'https://hooks.example.com/#a',
    'https://hooks.example.com:8443/', 'https://10.1.2.3/', 'https://127.0.0.1/', 'http://127.0.0.1:9/', 'https://2130706433/', 'https://0x7f.1/',
    'https://[::1]/', 'https://[::ffff:10.0.0.1]/', 'https://[fd00::1]/', 'https://169.254.169.254/latest', 'https://localhost/', 'https://app.localhost./',
  ] // prettier-ignore
  for (const url of refused)
    assert.throws(() => checkWebhookUrl(url, inPublic), { code: 'webhook_url_refused' }, url)
  const allowed = { isOnLoopback: false, allowed: ['10.1.0.0/16'], ports: [8443] }
  assert.equal(checkWebhookUrl('https://10.1.2.3:8443/', allowed), 'https://10.1.2.3:8443/')
  const local = { isOnLoopback: true, allowed: [] }
  assert.equal(checkWebhookUrl('http://127.0.0.1:9/in', local), 'http://127.0.0.1:9/in')
  assert.throws(() => checkWebhookUrl('https://10.1.2.3/', local), { code: 'webhook_url_refused' })
})
