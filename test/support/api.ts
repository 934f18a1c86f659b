import { randomBytes } from 'node:crypto'
import { issueApiKey } from '#api/api-key.ts'
import { createGuardedFrame } from '#api/app.ts'
import { openBoundedReader } from '#docker/compose/bounded-reader.ts'
import type { ApiDependencies } from '#api/dependencies.ts'
import { ensureInstallation } from '#bin/installation.ts'
import { insertApiKey } from '#db/api-key.ts'
import { listenForEvents } from '#db/event-listener.ts'
import { newId } from '#db/identifier.ts'
import { pendingMigrations } from '#db/migrate.ts'
import type { Db } from '#db/database.ts'
import { createTestDatabase } from './database.ts'
import { createFakeTemporal } from './fake-temporal.ts'

/** What the API says, with its body read. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** Its thread is started with the first file that is read, and serves every API of this process. */
const reader = openBoundedReader()
export const readFile = reader.read
const publicUrl = 'http://127.0.0.1:4400'

/** The API on a database of its own, a fake Temporal, and a key that may do everything. */
export async function createTestApi(overrides: Partial<ApiDependencies> = {}) {
  const database = await createTestDatabase()
  const { url, db } = database
  const temporal = createFakeTemporal()
  const listener = listenForEvents(url)
  await ensureInstallation(db, 'dry-run')
  const frame = createGuardedFrame({
    db,
    client: temporal.client,
    publicUrl,
    temporalUiUrl: 'http://127.0.0.1:8233',
    temporalNamespace: 'default',
    readApplication: readFile,
    openCopy: () => Promise.reject(new Error('there are no copies here')),
    pendingMigrations: async () => pendingMigrations(url),
    onEvents: listener.onEvents,
    now: () => new Date().toISOString(),
    installationKey: { id: 'test', bytes: randomBytes(32) },
    joining: { databaseUrl: { url, hasLogin: false }, temporalAddress: '127.0.0.1:7233' },
    log: { info() {}, warn() {}, error() {} },
    ...overrides,
  })
  const key = await createKey(db, ['*'])
  const request = async (path: string, init: RequestInit = {}): Promise<Response> =>
    await frame.app.request(path, init)
  const write = async (method: string, path: string, body: unknown, headers: Record<string, string>) =>
    toReply(
      await request(path, {
        method,
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'idempotency-key': newId(),
          ...headers,
        },
      }),
    )
  return {
    db,
    frame,
    temporal,
    key,
    publicUrl,
    request,
    /** Resolves when nothing is under way that follows an answer. */
    idle: async () => frame.afterwards.idle(),
    get: async (path: string, headers: Record<string, string> = {}) =>
      toReply(await request(path, { headers: { authorization: `Bearer ${key}`, ...headers } })),
    post: async (path: string, body: unknown, headers: Record<string, string> = {}) =>
      await write('POST', path, body, headers),
    delete: async (path: string) => await write('DELETE', path, {}, {}),
    patch: async (path: string, body: unknown, headers: Record<string, string> = {}) =>
      await write('PATCH', path, body, headers),
    put: async (path: string, body: unknown, headers: Record<string, string> = {}) =>
      await write('PUT', path, body, headers),
    async close() {
      await frame.afterwards.idle()
      await listener.stop()
      await database.drop()
    },
  }
}
export type TestApi = Awaited<ReturnType<typeof createTestApi>>

async function toReply(response: Response): Promise<Reply> {
  return {
    status: response.status,
    headers: response.headers,
    body: response.status === 204 ? {} : ((await response.json()) as Record<string, unknown>),
  }
}

export async function createKey(db: Db, scopes: string[], expiresAt: string | null = null): Promise<string> {
  const id = newId()
  const { text, secretSha256 } = issueApiKey({ id, mode: 'test' })
  await insertApiKey(db, { id, name: 'test', mode: 'test', secretSha256, scopes, expiresAt })
  return text
}

/** A customer `acme` and two products without applications: `support` recurs, `setup` is paid once. */
export async function seedCatalog(api: Pick<TestApi, 'post'>): Promise<void> {
  const product = {
    code: 'support',
    name: 'Support',
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: '10.00',
    currency: 'USD',
  }
  const replies = [
    await api.post('/v1/customers', { code: 'acme', name: 'Acme' }),
    await api.post('/v1/products', product),
    await api.post('/v1/products', {
      ...product,
      code: 'setup',
      name: 'Set-up',
      recurrence: null,
      unit: 'piece',
    }),
    await api.post('/v1/products', {
      ...product,
      code: 'seat',
      name: 'Seat',
      billing_type: 'threshold',
      unit: 'user',
    }),
  ]
  for (const reply of replies) {
    if (reply.status !== 201) throw new Error(`seeding failed: ${JSON.stringify(reply.body)}`)
  }
}
