import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { checkVectorFile } from './check.ts'
import { decisions } from './decisions.ts'

const folder = join(import.meta.dirname, 'data')

for (const file of globSync('*.json', { cwd: folder }).toSorted()) {
  const verdicts = await checkVectorFile(join(folder, file))
  for (const [kind, ofKind] of Map.groupBy(verdicts, (verdict) => verdict.kind)) {
    test(`${kind}: the engine gives what ${ofKind.length} worked examples state, or says by which decision not`, () => {
      assert.deepEqual(
        ofKind.filter(({ outcome }) => outcome === 'failed'),
        [],
      )
    })
  }
}

test('every decision excuses at least one example, and is argued', async () => {
  const used = new Set<string>()
  for (const file of globSync('*.json', { cwd: folder })) {
    for (const verdict of await checkVectorFile(join(folder, file)))
      if (verdict.outcome === 'by decision') used.add(verdict.reason ?? '')
  }
  assert.deepEqual(Object.keys(decisions).toSorted(), [...used].toSorted())
  for (const argument of Object.values(decisions)) assert.ok(argument.length > 40)
})
