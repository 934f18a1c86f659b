import Docker from 'dockerode'
import { BusinessError } from '#domain/errors.ts'
import { EngineFailure, type RunnerContext } from '#domain/runner.ts'
import { unreachableCause } from './unreachable.ts'

/** Long enough for a busy engine, short enough that a hanging one is noticed. */
const CALL_DEADLINE_MS = 20_000

/** The engine refused a call, or could not be reached (`status` undefined). */
export class EngineError extends EngineFailure {
  readonly status: number | undefined

  constructor(message: string, status: number | undefined, cause: unknown) {
    super(message, status === undefined ? unreachableCause(cause) : undefined, cause)
    this.name = 'EngineError'
    this.status = status
  }
}

/** How an engine behind TLS is known, and knows us: PEM. */
export interface EngineCertificates {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** Connects to `unix://…` or `tcp://…`, with certificates through TLS; without an address, to what `DOCKER_HOST` or the default socket says. */
export function connectEngine(dockerHost?: string, certificates?: EngineCertificates): Docker {
  if (dockerHost === undefined || dockerHost === '') return new Docker()
  const url = new URL(dockerHost)
  if (url.protocol === 'unix:') return new Docker({ socketPath: url.pathname })
  if (url.protocol !== 'tcp:') throw new Error(`engine address ${dockerHost} is neither unix:// nor tcp://`)
  const host = url.hostname.replaceAll(/[[\]]/g, '')
  if (certificates === undefined)
    return new Docker({ protocol: 'http', host, port: Number(url.port || '2375') })
  const { ca, certificate: cert, key } = certificates
  const docker = new Docker({ protocol: 'https', host, port: Number(url.port || '2376'), ca, cert, key })
  if (!/^(?:localhost|127\.[\d.]+|::1)$/.test(host)) enginesElsewhere.add(docker)
  return docker
}

/** Engines whose loopback is not ours. */
const enginesElsewhere = new WeakSet<Docker>()

/** What instances publish is on the loopback of the engine's host: from here it cannot be asked where that is another one. */
export function isElsewhere(docker: Docker): boolean {
  return enginesElsewhere.has(docker)
}

/** A question to the engine itself. Given up, its connection is closed: an engine that hangs would gather them. */
export async function ask(
  docker: Docker,
  question: 'info' | 'version' | 'ping',
  abortSignal: AbortSignal,
): Promise<unknown> {
  type Question = (options: { abortSignal: AbortSignal }) => Promise<unknown>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- dockerode takes a signal here as well; its types leave it out
  const questions = docker as unknown as Readonly<Record<typeof question, Question>>
  return await questions[question]({ abortSignal })
}

/**
 * One call to the engine: with a deadline, ended by the caller's signal, its error told with what was attempted.
 * The engine may still carry out a call that we gave up, so every caller looks before it makes.
 */
export async function call<T>(
  ctx: RunnerContext,
  what: string,
  work: (abortSignal: AbortSignal) => Promise<T>,
  deadlineMs = CALL_DEADLINE_MS,
): Promise<T> {
  ctx.abortSignal.throwIfAborted()
  const deadline = AbortSignal.timeout(deadlineMs)
  const abortSignal = AbortSignal.any([ctx.abortSignal, deadline])
  try {
    return await untilAborted(work(abortSignal), abortSignal)
  } catch (error) {
    ctx.abortSignal.throwIfAborted()
    if (deadline.aborted)
      throw new EngineError(`${what}: no answer within ${deadlineMs} ms`, undefined, deadline.reason)
    const failure = engineError(ctx, what, error)
    throw diskFull(failure.message) ?? failure
  }
}

/**
 * Like `call`, for what makes something: once asked, it is waited for, even when the caller is told to end. Given up half way,
 * the engine might still make it after the caller's undo has looked for it.
 */
export async function callToEnd<T>(
  ctx: RunnerContext,
  what: string,
  work: (abortSignal: AbortSignal) => Promise<T>,
  deadlineMs = CALL_DEADLINE_MS,
): Promise<T> {
  ctx.abortSignal.throwIfAborted()
  return await call({ ...ctx, abortSignal: new AbortController().signal }, what, work, deadlineMs)
}

/** Like `call`, with undefined for what the engine does not have. */
export async function find<T>(
  ctx: RunnerContext,
  what: string,
  work: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await call(ctx, what, work)
  } catch (error) {
    if (isStatus(error, 404)) return undefined
    throw error
  }
}

export function isStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof EngineError && error.status !== undefined && statuses.includes(error.status)
}

/** Waits, or ends early with the caller's signal. */
export async function pause(ctx: RunnerContext, durationMs: number): Promise<void> {
  ctx.abortSignal.throwIfAborted()
  const timer = Promise.withResolvers<void>()
  const timeout = setTimeout(timer.resolve, durationMs)
  try {
    await untilAborted(timer.promise, ctx.abortSignal)
  } finally {
    clearTimeout(timeout)
  }
}

/** Text of a container or the engine may repeat a secret that we gave it; it must not travel further. */
export function withoutSecrets(ctx: RunnerContext, text: string): string {
  return Object.values(ctx.secrets)
    .filter((secret) => secret.length >= 6)
    .reduce((clean, secret) => clean.replaceAll(secret, '…'), text)
}

/** Trying again would fill it again, and more of a build would be left half made: a person makes room, then retries. */
export function diskFull(text: string): BusinessError | undefined {
  if (!/no space left on device|disk quota exceeded/i.test(text)) return undefined
  return new BusinessError('server_disk_full', `the disk of the server is full: ${text}`)
}

function engineError(ctx: RunnerContext, what: string, error: unknown): EngineError {
  const message = error instanceof Error ? error.message.trim() : String(error)
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
  // The cause is left out when secrets are about: its message is the engine's own text.
  return new EngineError(
    withoutSecrets(ctx, `${what}: ${message}`),
    typeof status === 'number' ? status : undefined,
    Object.keys(ctx.secrets).length === 0 || status === undefined ? error : undefined,
  )
}

/** Ends with the signal, even where the work does not hear it. */
export async function untilAborted<T>(work: Promise<T>, abortSignal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const stop = (): void => aborted.reject(abortSignal.reason)
  abortSignal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    abortSignal.removeEventListener('abort', stop)
  }
}
