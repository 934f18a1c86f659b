import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { seedWordpress } from '#bin/demo-catalog.ts'
import { isImageReachable } from '#docker/registry.ts'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { listObjects, startInstallation, type TestInstallation } from '#test/support/installation.ts'

// WordPress with MariaDB, sold and used: from the public images where a registry answers, else from Debian's packages. The first
// run on a machine builds the images, which takes some minutes; they are kept.

const builtWithinMs = 9 * 60_000

let installation: TestInstallation
let diary: Diary
let subscription: string
let address: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  const isPublic = await isImageReachable(process.env['DOCKER_HOST'], 'wordpress:6-apache')
  console.log(isPublic ? 'WordPress of the public images' : "WordPress of Debian's packages")
  await seedWordpress(installation.db, isPublic ? 'wordpress' : 'wordpress-debian')
})
after(async () => await installation.stop())

const phase = async () => (await diary.subscription(subscription))['phase']

async function page(): Promise<string> {
  return await fetch(address)
    .then(async (response) => await response.text())
    .catch(() => '')
}

async function container(component: string) {
  const { docker, containers } = await listObjects(installation.installationId)
  const found = containers.find(({ Labels: labels }) => labels['io.clouder.component'] === component)
  return docker.getContainer(found?.Id ?? '')
}

async function outputOf(component: string, argv: string[]): Promise<string> {
  const options = { Cmd: argv, AttachStdout: true, AttachStderr: true, Tty: true }
  const execution = await (await container(component)).exec(options)
  const chunks: Buffer[] = []
  for await (const chunk of await execution.start({ Tty: true })) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8').trim()
}

async function adminPassword(): Promise<string> {
  const { Config: config } = await (await container('web')).inspect()
  const line = config.Env.find((one) => one.startsWith('ADMIN_PASSWORD=')) ?? ''
  return line.slice('ADMIN_PASSWORD='.length)
}

/** WordPress's own interface for programs, with name and password. */
async function ask(method: string, params: string): Promise<string> {
  const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>
    <param><value><int>0</int></value></param><param><value>alice</value></param>
    <param><value>${await adminPassword()}</value></param>${params}</params></methodCall>`
  const response = await fetch(new URL('/xmlrpc.php', address), { method: 'POST', body })
  return await response.text()
}

const member = (name: string, value: string) => `<member><name>${name}</name><value>${value}</value></member>`

chapter('WordPress is sold by one call, and its first page answers with the title of the order', async () => {
  const fields = { title: 'Harbour News', admin: 'alice', mail: 'alice@harbour.example' }
  const lines = [
    { product: 'wordpress', fields },
    { product: 'wordpress-user', quantity: '2' },
  ]
  subscription = await diary.order(lines)
  const active = await diary.untilPhase(subscription, 'active', builtWithinMs)
  address = (active['instances'] as { address: string }[])[0]?.address ?? ''
  assert.match(await page(), /<title>Harbour News<\/title>/)
})

chapter('its administrator is who the order names, with a password that was made', async () => {
  assert.match(await adminPassword(), /^[A-Za-z0-9]{20}$/)
  const answer = await ask('wp.getProfile', '')
  assert.match(answer, /alice@harbour\.example/)
  assert.match(answer, /administrator/)
})

chapter('a post is written, and is on the first page', async () => {
  const post = `<param><value><struct>${member('post_title', 'The tide is out')}${member('post_status', 'publish')}</struct></value></param>`
  assert.doesNotMatch(await ask('wp.newPost', post), /<fault>/)
  assert.match(await page(), /The tide is out/)
})

chapter('F-41 a link logs its administrator in, once', async () => {
  const [instance] = (await diary.subscription(subscription))['instances'] as { id: string }[]
  const link = await diary.post(`/v1/instances/${instance?.id}/login-links`, {}, 201)
  const { pathname } = new URL(String(link['url']))
  const opened = await installation.app.request(pathname, {
    method: 'POST',
    headers: { origin: installation.publicUrl },
  })
  assert.equal(opened.status, 303)
  const way = opened.headers.get('location') ?? ''
  assert.ok(way.startsWith(address), way)
  const entered = await fetch(way, { redirect: 'manual' })
  assert.match(entered.headers.getSetCookie().join('\n'), /wordpress_logged_in_\w+=alice/)
  assert.match(entered.headers.get('location') ?? '', /\/wp-admin\/$/)
  assert.equal((await fetch(way, { redirect: 'manual' })).status, 403)
})

chapter('the second user is taken, the third is refused: two were ordered', async () => {
  const add = async (name: string) => {
    const php = `require '/opt/clouder/load.php';
      $made = wp_create_user('${name}', 'secret-of-${name}', '${name}@harbour.example');
      echo is_wp_error($made) ? 'refused' : 'taken', ' ', count_users()['total_users'];`
    return await outputOf('web', ['php', '-r', php])
  }
  assert.deepEqual([await add('bob'), await add('carol')], ['taken 2', 'refused 2'])
})

chapter(
  'the post survives a restart, the cache is cleared, and its administrator gets another password',
  async () => {
    const [instance] = (await diary.subscription(subscription))['instances'] as { id: string }[]
    const act = async (path: string, fields = {}) =>
      await diary.post(`/v1/instances/${instance?.id}/${path}`, path === 'restart' ? {} : { fields })
    await act('restart')
    assert.match(await page(), /The tide is out/)
    const cleared = await act('actions/clear_cache')
    assert.match(String(cleared['output']), /kept values forgotten/)
    const said = await act('actions/set_password', { user: 'alice', password: 'tide-tables-1899' })
    assert.deepEqual([said['state'], said['output']], ['done', 'the password of alice is set'])
    assert.match(await ask('wp.getProfile', ''), /fault/)
  },
)

chapter('suspended, nothing answers; resumed, the post is there', async () => {
  await diary.post(`/v1/subscriptions/${subscription}/pause`, {})
  assert.deepEqual([await phase(), await page()], ['suspended', ''])
  await diary.post(`/v1/subscriptions/${subscription}/resume`, {})
  assert.equal(await phase(), 'active')
  assert.match(await page(), /The tide is out/)
})

chapter(
  'after its cancellation nothing is left on the server, and both volumes are kept as copies that were read back',
  async () => {
    await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now' })
    await diary.untilPhase(subscription, 'ended')
    const { containers, volumes, networks } = await listObjects(installation.installationId)
    assert.deepEqual([containers, volumes, networks], [[], [], []])
    const copies = await installation.db
      .selectFrom('backup_volumes')
      .select(['volume', 'verified_at'])
      .orderBy('volume')
      .execute()
    assert.deepEqual(
      copies.map(({ volume }) => volume),
      ['database', 'uploads'],
    )
    assert.ok(copies.every(({ verified_at: verifiedAt }) => verifiedAt !== null))
  },
)
