import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createAdaptorServer } from '@hono/node-server'
import { hashSecret } from '#api/api-key.ts'
import type { ApiDependencies } from '#api/dependencies.ts'
import { newId } from '#db/identifier.ts'
import { insertLoginLink } from '#db/session.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'

export interface Page {
  readonly status: number
  readonly html: string
  readonly headers: Headers
}

/** The console as a function: pages asked for by a signed-in operator, forms sent as a browser would. */
export async function createTestConsole(overrides: Partial<ApiDependencies> = {}) {
  const api = await createTestApi(overrides)
  const cookie = await signIn(api)
  const get = async (path: string): Promise<Page> =>
    toPage(await api.request(path, { headers: { accept: 'text/html', cookie } }))
  return {
    ...api,
    cookie,
    get,
    /** The reason that was kept for a command, in the words of who asked. */
    async reasonOf(requestId: string | undefined): Promise<string | null | undefined> {
      const note = await api.db
        .selectFrom('command_notes')
        .select('reason')
        .where('request_id', '=', requestId ?? '')
        .executeTakeFirst()
      return note?.reason
    },
    /** Sends the form for an action as it stands on the page, with fields filled in. */
    async submit(pagePath: string, action: string, fields: Record<string, string> = {}): Promise<Page> {
      const form = readForm((await get(pagePath)).html, action)
      return toPage(
        await api.request(action, {
          method: 'POST',
          body: new URLSearchParams({ ...form, ...fields }),
          headers: { accept: 'text/html', cookie, 'sec-fetch-site': 'same-origin' },
        }),
      )
    },
  }
}
export type TestConsole = Awaited<ReturnType<typeof createTestConsole>>

async function toPage(response: Response): Promise<Page> {
  return { status: response.status, headers: response.headers, html: await response.text() }
}

/** The cookie of an operator of one's own. */
export async function signIn(api: Pick<TestApi, 'db' | 'request'>): Promise<string> {
  const response = await api.request(await createLoginPath(api), {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin' },
  })
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

async function createLoginPath({ db }: Pick<TestApi, 'db'>): Promise<string> {
  const operatorId = newId()
  await db
    .insertInto('operators')
    .values({ id: operatorId, name: `operator ${operatorId.slice(-4)}` })
    .execute()
  const token = randomBytes(16).toString('hex')
  const expiresAt = new Date(Date.now() + 600_000).toISOString()
  await insertLoginLink(db, { tokenSha256: hashSecret(token), operatorId, expiresAt })
  return `/login/${token}`
}

/** The hidden fields of the form that goes to an address. */
export function readForm(html: string, action: string): Record<string, string> {
  const [, form] = new RegExp(`<form[^>]*action="${action}"[^>]*>(.*?)</form>`, 's').exec(html) ?? []
  if (form === undefined) throw new Error(`the page has no form for ${action}`)
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  )
}

/** The console on a port of its own, for a real browser; `login` is a fresh link. */
export async function serveTestConsole() {
  let answer = (_request: Request): Response | Promise<Response> => new Response(null, { status: 503 })
  const server = createAdaptorServer({ fetch: (request) => answer(request) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const url = `http://127.0.0.1:${address.port}`
  const api = await createTestApi({ publicUrl: url })
  answer = (request) => api.frame.app.fetch(request)
  return {
    ...api,
    url,
    createLogin: async () => `${url}${await createLoginPath(api)}`,
    async close() {
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
      await api.close()
    },
  }
}
export type ServedConsole = Awaited<ReturnType<typeof serveTestConsole>>
