import { z } from 'zod'
import Big from 'big.js'
import type Docker from 'dockerode'
import { containerName } from '#domain/build-plan.ts'
import { roundDecimal } from '#domain/money.ts'
import type { InstanceRef, RunnerContext } from '#domain/runner.ts'
import { objectName } from '../compose/object-name.ts'
import { findContainer } from '../observation.ts'
import { readBounded } from './bounded-connection.ts'
import { defineSource, plainNumber, withoutValue } from './source.ts'

export const ENDPOINT_DEADLINE_MS = 5_000

const endpoint = {
  service: objectName,
  port: z.number().int().min(1).max(65_535),
  path: z.string().regex(/^\/[!-~]{0,500}$/, 'is not a path from / on'),
}

export interface Endpoint {
  readonly service: string
  readonly port: number
  readonly path: string
}

export interface EndpointAnswer {
  /** The start belongs to it: a restarted container counts from zero. */
  readonly id: string
  readonly text: string
}

/**
 * What a container answers, asked over its environment's network under the address that the engine gave it: the request
 * can reach no other host, and follows nowhere. Undefined when the container does not run.
 */
export async function askEndpoint(
  docker: Docker,
  ref: InstanceRef,
  { service, port, path }: Endpoint,
  ctx: RunnerContext,
): Promise<EndpointAnswer | undefined> {
  const found = await findContainer(docker, containerName(ref.instance, service), ctx)
  if (found === undefined || !found.State.Running) return undefined
  const address = Object.values(found.NetworkSettings.Networks).find(
    ({ IPAddress: ip }) => ip !== '',
  )?.IPAddress
  if (address === undefined) throw new Error(`${service} has no address in its network`)
  const res = await fetch(`http://${address}:${port}${path}`, { signal: ctx.abortSignal, redirect: 'error' })
  if (!res.ok) throw new Error(`${service} answered ${res.status} at ${path}`)
  return { id: `${found.Id}@${found.State.StartedAt}`, text: await readBounded(res.body ?? []) }
}

/** A number in a JSON answer, at a JSON pointer (RFC 6901), in the metric's own unit. */
export const httpJson = defineSource({
  type: 'http-json',
  schema: z.strictObject({
    type: z.literal('http-json'),
    ...endpoint,
    pointer: z.string().regex(/^(?:\/(?:[^~/]|~[01])*)*$/, 'is not a JSON pointer such as /users/count'),
  }),
  imagined: 'service',
  deadlineMs: ENDPOINT_DEADLINE_MS,
  async read(pass, metric, source) {
    const answer = await pass.answer(source)
    if (answer === undefined) return []
    const value = atPointer(JSON.parse(answer.text), source.pointer)
    if (value === undefined || value === null)
      throw withoutValue(`${source.path} has no value at ${source.pointer || 'its root'}.`)
    const text = typeof value === 'number' ? exact(String(value)) : value
    if (typeof text !== 'string' || !plainNumber.test(text)) {
      throw new Error(`${source.path} has no number from 0 at ${source.pointer || 'its root'}`)
    }
    return [{ series: `http:${answer.id}`, value: text, unit: metric.unit }]
  },
})

function atPointer(value: unknown, pointer: string): unknown {
  const keys = pointer.split('/').slice(1)
  return keys
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((at, key) => {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
      return (at as Record<string, unknown>)[key]
    }, value)
}

/**
 * A series of a Prometheus endpoint (text format 0.0.4), in the metric's own unit: the sum of all samples of that name
 * which have the given labels.
 */
export const prometheus = defineSource({
  type: 'prometheus',
  schema: z.strictObject({
    type: z.literal('prometheus'),
    ...endpoint,
    path: endpoint.path.default('/metrics'),
    series: z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'is not the name of a series'),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  imagined: 'service',
  deadlineMs: ENDPOINT_DEADLINE_MS,
  async read(pass, metric, source) {
    const answer = await pass.answer(source)
    if (answer === undefined) return []
    const value = sumOfSamples(answer.text, source.series, source.labels)
    return [{ series: `prometheus:${answer.id}`, value, unit: metric.unit }]
  },
})

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?$/
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g

/**
 * @example `requests_total{code="200"} 5` and `requests_total{code="500"} 1` give 6 for the name alone, 5 for `code: 200`
 * @throws `reading_without_value` when there is no such sample, an `Error` when one of them is no number from 0
 */
export function sumOfSamples(text: string, series: string, labels: Readonly<Record<string, string>>): string {
  const samples = text.split('\n').flatMap((line) => {
    const [, name, written = '', value = ''] = sampleLine.exec(line.trim()) ?? []
    if (name !== series) return []
    const own = new Map(
      [...written.matchAll(labelPair)].map(([, key = '', raw = '']) => [key, unescape(raw)]),
    )
    return Object.entries(labels).every(([key, wanted]) => own.get(key) === wanted) ? [value] : []
  })
  if (samples.length === 0) throw withoutValue(`there is no sample of ${series} with these labels`)
  return samples.reduce((sum, value) => sum.plus(exact(value)), new Big(0)).toFixed()
}

function unescape(raw: string): string {
  return raw.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

/**
 * `1.5e+06` is 1500000, exactly; of what programs divide, 20 decimals are kept: 1.2345678901234567e-5 is 0.00001234567890123457.
 * @throws an `Error` for what is no number from 0, and from 10^30
 */
export function exact(written: string): string {
  if (!/^\+?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/.test(written)) throw new Error(`${written} is no number from 0`)
  const value = new Big(written.replace(/^\+/, ''))
  if (value.gte(firstTooLarge)) throw new Error(`${written} is larger than a reading can be`)
  return roundDecimal(value, mostDecimals).toFixed()
}

const firstTooLarge = new Big('1e30')
const mostDecimals = 20
