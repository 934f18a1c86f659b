import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import { findPlanted } from '#test/support/planted-secret.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { sellApplication, standInImage } from '#test/support/sold-application.ts'
import { listObjects, startInstallation, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
/** One that the engine has. */
let image: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  const subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(subscription, 'active')
  image = await standInImage(installation)
})
after(async () => await installation.stop())

/** One container, which may begin with something else than the image says. */
const compose = (entrypoint: string) => `
services:
  web:
    image: "${image}"
    user: "1000:1000"
    ${entrypoint}
    expose: ["8080"]
    environment: { PASSWORD: "\${DATABASE_PASSWORD}" }
x-clouder:
  title: With a secret
  public: { service: web, port: 8080 }
  secrets: [{ name: DATABASE_PASSWORD, length: 20 }]
`

async function sellWithSecret(code: string, entrypoint = ''): Promise<string> {
  return await sellApplication(installation, diary, { code, compose: compose(entrypoint) })
}

test('a generated secret reaches its container, and is found in no row, history, label or command line', async () => {
  const subscription = await sellWithSecret('with-secret')
  await diary.untilPhase(subscription, 'active')
  const { docker, containers } = await listObjects(installation.installationId)
  const container = containers.find((found) => found.Labels['io.clouder.subscription'] === subscription)
  const inspected = await docker.getContainer(container?.Id ?? '').inspect()
  const secret =
    inspected.Config.Env.find((line) => line.startsWith('PASSWORD='))?.slice('PASSWORD='.length) ?? ''
  assert.match(secret, /^[A-Za-z0-9]{20}$/)

  assert.deepEqual(await findPlanted(installation, secret), [])
})

test('a container that writes its secret and ends is told of without it', async () => {
  const entrypoint = 'entrypoint: ["sh", "-c", "sleep 2; export -p; exit 3"]'
  const parked = await diary.untilParked(await sellWithSecret('tells-its-secret', entrypoint))
  assert.equal(parked['parked_reason'], 'container_exited')
  const { rows } = await sql<{ failure_detail: string }>`
    select failure_detail from build_steps where failure_code = 'container_exited'`.execute(installation.db)
  const written = rows.flatMap((row) => row.failure_detail.match(/PASSWORD='[^']*'/g) ?? [])
  assert.deepEqual([...new Set(written)], ["PASSWORD='…'"])
})

test('what a container wrote stays in our rows: no history holds it', async () => {
  const builds = await installation.db
    .selectFrom('build_orders')
    .select('id')
    .where('failure_code', '=', 'container_exited')
    .execute()
  assert.equal(builds.length, 1)
  for (const build of builds) {
    const workflow = installation.client.workflow.getHandle(`build/${encodeId('buildOrder', build.id)}`)
    const text = JSON.stringify(await workflow.fetchHistory(), (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
    )
    assert.match(text, /ended with exit code 3/)
    assert.doesNotMatch(text, /PASSWORD=/)
  }
})
