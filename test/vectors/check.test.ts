import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { checkVectorFile, type Verdict } from './check.ts'

const folder = mkdtempSync(join(tmpdir(), 'vectors-'))
test.after(() => rmSync(folder, { recursive: true }))

async function check(content: unknown): Promise<Verdict[]> {
  const path = join(folder, 'file.json')
  writeFileSync(path, JSON.stringify(content))
  return checkVectorFile(path)
}

const perUnit = { id: 'a', kind: 'charge.per_unit', inputs: { unit_amount: '5', quantity: 2 } }

/** What is not answered must be seen to fail: nothing may pass because there was nothing to compare. */
const failing: Readonly<Record<string, [vector: unknown, reason: RegExp]>> = {
  'an unknown kind': [
    { ...perUnit, kind: 'toString', expected: { amount: 10 } },
    /no adapter knows the kind/,
  ],
  'no expected fields': [perUnit, /states nothing/],
  'empty expected fields': [{ ...perUnit, expected: {} }, /states nothing/],
  'a tolerance alone': [{ ...perUnit, expected: { tolerance: '1' } }, /states nothing/],
  'no inputs': [{ ...perUnit, inputs: null, expected: { amount: 10 } }, /no decimal/],
  'another amount': [{ ...perUnit, expected: { amount: '10.01' } }, /amount: "10", stated "10.01"/],
  'a field that nobody answers': [{ ...perUnit, expected: { amonut: null } }, /amonut: nothing/],
  'a mode that is unknown': [
    {
      ...perUnit,
      kind: 'round.money',
      inputs: { value: '1.255', mode: 'sideways' },
      expected: { value: 1.26 },
    },
    /no rounding is called sideways/,
  ],
  'a variant that is unknown': [
    { ...perUnit, kind: 'policy.classify_change', inputs: {}, expected: { class: 'upgrade' } },
    /of no variant that is known/,
  ],
}

for (const [what, [vector, reason]] of Object.entries(failing)) {
  test(`a vector with ${what} fails and says why`, async () => {
    const [verdict] = await check([vector])
    assert.equal(verdict?.outcome, 'failed')
    assert.match(verdict.reason ?? '', reason)
  })
}

test('a section that is unknown and a case that states nothing fail', async () => {
  const verdicts = await check({ no_section: [{ id: 'a', expect: 1 }], default_offset: [{ id: 'b' }] })
  assert.deepEqual(
    verdicts.map(({ id, outcome }) => [id, outcome]),
    [
      ['a', 'failed'],
      ['b', 'failed'],
    ],
  )
})

test('a file that holds no vectors is refused', async () => {
  for (const content of [3, [], {}, { about: 'nothing' }]) await assert.rejects(check(content), TypeError)
})

test('numbers are compared as decimals, within the tolerance that is stated', async () => {
  const expected = [{ amount: 10 }, { amount: '10.00' }, { amount: 9.5, tolerance: '0.5' }]
  const verdicts = await check(expected.map((stated) => ({ ...perUnit, expected: stated })))
  assert.deepEqual(
    verdicts.map(({ outcome }) => outcome),
    ['passed', 'passed', 'passed'],
  )
})
