import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { sectionText } from './text.ts'

const path = '/settings/servers'

let console: TestConsole
let address: string
before(async () => {
  console = await createTestConsole()
  const { id } = await console.db.selectFrom('servers').select('id').executeTakeFirstOrThrow()
  address = `${path}/${encodeId('server', id)}`
})
after(async () => console.close())

async function shown(): Promise<string> {
  return sectionText((await console.get(path)).html, 'servers')
}

test('what a server offers is said by its form, and the list says what is free of it', async () => {
  assert.doesNotMatch(await shown(), /memory/)
  const said = {
    'capacity.memory_mib': '16384',
    'capacity.cpus': '',
    'capacity.disk_mib': '',
    'capacity.instances': '20',
    efficiency: '0.8',
    tags: 'gpu, ssd',
  }
  const done = await console.submit(path, `${address}/offer`, said)
  assert.deepEqual([done.status, done.headers.get('location')], [303, path])
  assert.match(await shown(), /12.8 GiB memory of 12.8 GiB memory, 20 instances of 20 instances/)
  assert.match(await shown(), /gpu, ssd/)
})

test('what is wrong with an offer is said beside its field, with what was typed, and nothing changes', async () => {
  const before = await shown()
  const said = { 'capacity.memory_mib': 'much', efficiency: '0', tags: '' }
  const refused = await console.submit(path, `${address}/offer`, said)
  assert.equal(refused.status, 422)
  const { html } = refused
  assert.match(html, /value="much"[^>]*aria-invalid="true"|aria-invalid="true"[^>]*value="much"/)
  assert.equal(await shown(), before)
})

test('a server is drained and takes instances again; an empty one that drains is removed', async () => {
  await console.submit(path, `${address}/drain`, {})
  assert.match(await shown(), /draining since/)
  await console.submit(path, `${address}/undrain`, {})
  assert.doesNotMatch(await shown(), /draining/)
  await console.submit(path, `${address}/drain`, {})
  assert.match(await shown(), /Remove/)
  await console.submit(path, `${address}/remove`, {})
  assert.match(await shown(), /None is there yet/)
})
