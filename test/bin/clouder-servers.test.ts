import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sell } from '#test/pages/story.ts'
import { createClouder, type Clouder } from '#test/support/clouder.ts'

let clouder: Clouder
before(async () => {
  clouder = await createClouder()
  await sell(clouder.db, { product: 'static-site' })
})
after(async () => clouder.close())

/** What a command prints where it succeeds, with every gap as one space. */
async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await clouder.run(args)
  assert.equal(code, 0, stderr)
  return stdout.replaceAll(/[ \t]+/g, ' ')
}

test('a server is told what it has and offers, and the list and the server say what is free', async () => {
  const told = await run('servers', 'set', 'local', '--memory', '16g', '--cpus', '8', '--efficiency', '0.8')
  assert.match(told, /memory_mib 12.8 GiB memory/)
  assert.match(told, /cpus 6.4 processors/)
  assert.match(told, /disk_mib not counted/)
  assert.match(await run('servers', 'set', 'local', '--cpus', 'none'), /cpus not counted/)
  assert.match(await run('servers', 'ls'), /local .* GiB memory/)
  assert.match(await run('servers', 'show', 'local'), /efficiency 0.8/)
})

test('where an application would go is said with the reason of every server', async () => {
  assert.match(
    await run('servers', 'where', 'static-site'),
    /here local .* % of its scarcest resource is free afterwards/,
  )
  await run('servers', 'set', 'local', '--tag', 'gpu', '--tag', 'ssd')
  assert.match(
    await run('servers', 'where', 'static-site'),
    /no local tagged gpu: only for what asks for that tag/,
  )
  const preview = await run('order', 'static-site', '--customer', 'harbour-bakery', '--dry-run')
  assert.match(preview, /no local tagged gpu/)
  await run('servers', 'set', 'local', '--no-tags')
})

test('draining lists what is still there, and what is there keeps a server from being removed', async () => {
  const drained = await run('servers', 'drain', 'local')
  const [, instance = ''] = /(inst?_[0-9a-z]{26})/.exec(drained) ?? []
  assert.notEqual(instance, '')
  const refused = await clouder.run(['servers', 'rm', 'local'])
  assert.deepEqual([refused.code, refused.stdout], [5, ''])
  assert.ok(refused.stderr.includes(instance), refused.stderr)
  assert.match(await run('servers', 'ls'), /draining/)
  assert.match(await run('servers', 'undrain', 'local'), /draining –/)
})

test('what is no size, or what no engine has told, is refused with how to say it', async () => {
  const size = await clouder.run(['servers', 'set', 'local', '--memory', 'much'])
  assert.equal(size.code, 2)
  assert.match(size.stderr, /much is not a size/)
  const engine = await clouder.run(['servers', 'set', 'local', '--as-engine'])
  assert.equal(engine.code, 2)
  assert.match(engine.stderr, /has not told yet what it has/)
  await clouder.db
    .updateTable('servers')
    .set({ facts: JSON.stringify({ memoryMib: 2048, cpus: 2 }) as never })
    .execute()
  assert.match(await run('servers', 'set', 'local', '--as-engine'), /memory_mib 1.6 GiB memory/)
})

test('a deployer is given with its key from a variable, listed without it, and a product deployed there', async () => {
  const add = ['deployers', 'add', 'yard', '--url', 'https://yard.example.com', '--customer', 'acme']
  const added = await clouder.run(add, { CLOUDER_DEPLOYER_KEY: 'a-secret-key' })
  assert.deepEqual([added.code, added.stderr], [0, '  yard: https://yard.example.com\n'])
  await run('deployers', 'product', 'yard', 'set-up', '--kit', 'site')
  const listed = await run('deployers', 'ls', '--json')
  assert.match(listed, /"product": ?"set-up"/)
  assert.doesNotMatch(listed, /a-secret-key/)
})
