import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { exitCodeOfProblem, exitCodes } from './exit-code.ts'
import { CommandFailure } from './failure.ts'
import type { Settings } from './settings.ts'
import { isErrorCode, problemKinds, type Problem } from '#api/errors.ts'
import { messageOf } from '#domain/errors.ts'

export type Query = Readonly<Record<string, string | undefined>>

export interface Api {
  readonly url: string
  get<T>(path: string, query?: Query): Promise<T>
  /** Like `get`, with undefined for what is not there. */
  find<T>(path: string): Promise<T | undefined>
  /** @param type of the body; left out, plain JSON */
  post<T>(path: string, body: unknown, type?: string): Promise<T>
  /** Sends lines of JSON of any length, and gives the lines of the answer as they come. */
  stream<T>(path: string, body: Readable): AsyncGenerator<T>
  /** A file with the name that the API gives it. */
  download(path: string): Promise<Download>
  /** A file of any size, as it comes. */
  openFile(path: string): Promise<Readable>
  patch<T>(path: string, body: unknown): Promise<T>
  put<T>(path: string, body: unknown): Promise<T>
  /** What is deleted answers with nothing. */
  delete(path: string): Promise<void>
  /** The newest rows of a list, page by page until there are as many as wanted. */
  list<T>(path: string, query: Query, limit: number): Promise<Rows<T>>
}

interface Download {
  readonly name: string
  readonly content: Uint8Array
}

interface Rows<T> {
  readonly rows: T[]
  readonly hasMore: boolean
}

interface Page<T> {
  readonly data: T[]
  readonly has_more: boolean
  readonly next_cursor: string | null
}

interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  /** Media type of the body; left out, plain JSON. */
  readonly type?: string
}

const timeoutMs = 30_000
const pageSize = 100

export function createApi(settings: Settings): Api {
  const get = async <T>(path: string, query: Query = {}): Promise<T> =>
    await call<T>(settings, { method: 'GET', path: withQuery(path, query) })
  return {
    url: settings.apiUrl,
    get,
    find: async (path) => await orUndefined(get(path)),
    post: async (path, body, type) =>
      await call(settings, { method: 'POST', path, body, ...(type === undefined ? {} : { type }) }),
    stream: (path, body) => stream(settings, path, body),
    download: async (path) => await download(settings, path),
    openFile: async (path) => await openFile(settings, path),
    patch: async (path, body) => await call(settings, { method: 'PATCH', path, body }),
    put: async (path, body) => await call(settings, { method: 'PUT', path, body }),
    delete: async (path) => {
      const res = await send(settings, { method: 'DELETE', path }, randomUUID())
      if (!res.ok) throw failureOf(settings, res.status, parse(await res.text()))
    },
    list: async (path, query, limit) => await readPages((page) => get(path, { ...query, ...page }), limit),
  }
}

async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof CommandFailure && error.facts.problem?.code === 'not_found') return undefined
    throw error
  }
}

async function readPages<T>(read: (page: Query) => Promise<Page<T>>, limit: number) {
  const rows: T[] = []
  let cursor: string | undefined
  for (;;) {
    const size = String(Math.min(limit - rows.length, pageSize))
    const page = await read({ limit: size, after: cursor })
    rows.push(...page.data)
    if (!page.has_more || page.next_cursor === null || rows.length >= limit)
      return { rows, hasMore: page.has_more }
    cursor = page.next_cursor
  }
}

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`
}

async function call<T>(settings: Settings, request: Request): Promise<T> {
  const res = await send(settings, request, randomUUID())
  const text = await res.text()
  const answer = parse(text)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API has checked its answer by the schema that T is
  if (res.ok && answer !== undefined) return answer as T
  throw failureOf(settings, res.status, answer)
}

/** For who has no key, because what is sent is the right to ask. Sent once: what it does is done once. */
export async function postOpenly<T>(apiUrl: string, path: string, body: unknown): Promise<T> {
  const settings = { apiUrl: apiUrl.replace(/\/+$/, ''), apiKey: '' }
  const res = await fetch(`${settings.apiUrl}${path}`, {
    method: 'POST',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  }).catch((error: unknown) => {
    throw unreachable(settings.apiUrl, error)
  })
  const answer = parse(await res.text())
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API has checked its answer by the schema that T is
  if (res.ok && answer !== undefined) return answer as T
  throw failureOf(settings, res.status, answer)
}

async function download(settings: Settings, path: string): Promise<Download> {
  const res = await send(settings, { method: 'GET', path }, randomUUID())
  const [, name] = /filename="([\w.-]+)"/.exec(res.headers.get('content-disposition') ?? '') ?? []
  if (res.ok && name !== undefined) return { name, content: await res.bytes() }
  throw failureOf(settings, res.status, parse(await res.text()))
}

/** No deadline: it takes as long as there is something to read. */
async function openFile(settings: Settings, path: string): Promise<Readable> {
  const headers = { authorization: `Bearer ${settings.apiKey}` }
  const res = await fetch(`${settings.apiUrl}${path}`, { headers }).catch((error: unknown) => {
    throw unreachable(settings.apiUrl, error)
  })
  if (!res.ok || res.body === null) throw failureOf(settings, res.status, parse(await res.text()))
  return Readable.fromWeb(res.body)
}

/** No deadline: it takes as long as there is something to send. */
async function* stream<T>(settings: Settings, path: string, body: Readable): AsyncGenerator<T> {
  const headers = { authorization: `Bearer ${settings.apiKey}`, 'content-type': 'application/x-ndjson' }
  try {
    const res = await fetch(`${settings.apiUrl}${path}`, { method: 'POST', headers, body, duplex: 'half' })
    if (!res.ok || res.body === null) throw failureOf(settings, res.status, parse(await res.text()))
    const lines = createInterface({ input: Readable.fromWeb(res.body) })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API writes its lines by the schema that T is
    for await (const line of lines) yield JSON.parse(line) as T
  } catch (error) {
    throw error instanceof CommandFailure ? error : unreachable(settings.apiUrl, error)
  }
}

function failureOf(settings: Settings, status: number, answer: unknown): CommandFailure {
  return isProblem(answer) ? refused(settings, answer) : notClouder(settings, status)
}

/**
 * A connection that broke leaves open whether the request took effect. It is sent once more with the same key, which
 * carries it out once whichever way it was.
 */
async function send(settings: Settings, request: Request, key: string): Promise<Response> {
  try {
    return await sendOnce(settings, request, key)
  } catch (error) {
    if (neverArrived(error)) throw unreachable(settings.apiUrl, error)
  }
  try {
    return await sendOnce(settings, request, key)
  } catch (error) {
    throw unreachable(settings.apiUrl, error)
  }
}

async function sendOnce(
  settings: Settings,
  { method, path, body, type = 'application/json' }: Request,
  key: string,
): Promise<Response> {
  const headers = { authorization: `Bearer ${settings.apiKey}`, accept: 'application/json' }
  const signal = AbortSignal.timeout(timeoutMs)
  const url = `${settings.apiUrl}${path}`
  if (method === 'GET') return await fetch(url, { headers, signal })
  return await fetch(url, {
    method,
    signal,
    headers: { ...headers, 'content-type': type, 'idempotency-key': key },
    body: JSON.stringify(body),
  })
}

function neverArrived(error: unknown): boolean {
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(socketCode(error))
}

function socketCode(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isProblem(answer: unknown): answer is Problem {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    'request_id' in answer &&
    'code' in answer &&
    'detail' in answer
  )
}

function refused({ apiUrl }: Settings, problem: Problem): CommandFailure {
  const kind = isErrorCode(problem.code) ? problemKinds[problem.code] : undefined
  const fields = problem.errors.filter(({ detail }) => detail !== problem.detail)
  return new CommandFailure({
    exitCode: exitCodeOfProblem(problem.status, problem.code),
    cause: [problem.detail, ...fields.map(({ pointer, detail }) => `${pointer}: ${detail}`)].join(' '),
    fix: kind?.remedy ?? problem.title,
    link: new URL(problem.type, `${apiUrl}/`).href,
    requestId: problem.request_id,
    problem,
  })
}

export function unreachable(apiUrl: string, cause: unknown): CommandFailure {
  const why = socketCode(cause) || messageOf(cause)
  return new CommandFailure(
    {
      exitCode: exitCodes.unreachable,
      cause: `Clouder does not answer at ${apiUrl} (${why}).`,
      fix: 'npm start   # or npx clouder doctor, which says what is missing',
    },
    { cause },
  )
}

function notClouder({ apiUrl }: Settings, status: number): CommandFailure {
  return new CommandFailure({
    exitCode: exitCodes.unreachable,
    cause: `What answers at ${apiUrl} (status ${status}) is not Clouder’s API.`,
    fix: 'npx clouder doctor   # says who holds the port; CLOUDER_API_URL names another address',
  })
}
