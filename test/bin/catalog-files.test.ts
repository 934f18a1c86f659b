import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { createClouder, type Clouder } from '#test/support/clouder.ts'

let clouder: Clouder
let file = ''
before(async () => {
  clouder = await createClouder()
  file = join(clouder.folder, 'catalog.yaml')
})
after(async () => clouder.close())

test('A-47 what is exported changes nothing when it is applied; a file that was edited says old and new, and is applied', async () => {
  assert.equal((await clouder.run(['products', 'export', file])).code, 0)
  const same = await clouder.run(['products', 'apply', file])
  assert.equal(same.code, 0, same.stderr)
  assert.match(same.stderr, /0 changed, \d+ as they were/)

  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/(code: set-up\n(?:.*\n)*?    base_price: )"[\d.]+"/, '$1"77.00"'))
  const told = await clouder.run(['products', 'diff', file])
  assert.match(told.stdout, /products\s+set-up\s+base_price\s+[\d.]+\s+77\.00/)
  assert.match((await clouder.run(['products', 'diff', file])).stderr, /1 changed/)
  assert.equal((await clouder.run(['products', 'apply', file])).code, 0)
  assert.match((await clouder.run(['products', 'diff', file])).stderr, /0 changed/)
})

test('bad input is refused whole, with the file and the line of its field', async () => {
  writeFileSync(file, 'products:\n  - code: bad\n    name: Bad\n    base_price: "-1"\n    currency: USD\n')
  const refused = await clouder.run(['products', 'apply', file])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /catalog\.yaml:4 base_price: A price is 0 or more/)
  writeFileSync(file, 'products: [\n')
  const malformed = await clouder.run(['products', 'apply', file])
  assert.equal(malformed.code, 2)
  assert.match(malformed.stderr, /catalog\.yaml: .*line 2/)
  assert.equal((await clouder.run(['products', 'diff', join(clouder.folder, 'none.yaml')])).code, 2)
})
