import { z } from 'zod'
import { objectName } from '../compose/object-name.ts'
import { ENDPOINT_DEADLINE_MS, exact } from './http.ts'
import { defineSource, withoutValue, type SourceReading } from './source.ts'

/** More points than that Prometheus does not give at once; what lies before them is not filled in. */
const mostSteps = 10_000

/**
 * What a Prometheus server in a container answers to a query that gives one series, in the metric's own unit. It keeps history:
 * what was not read since the last reading is read now, at the steps of the source.
 */
export const prometheusQuery = defineSource({
  type: 'prometheus-query',
  schema: z.strictObject({
    type: z.literal('prometheus-query'),
    service: objectName,
    port: z.number().int().min(1).max(65_535).default(9090),
    query: z.string().min(1).max(500),
    step_s: z.number().int().min(10).max(3_600).default(60),
  }),
  imagined: 'service',
  deadlineMs: ENDPOINT_DEADLINE_MS,
  async read(pass, metric, { service, port, query, step_s: stepS }) {
    const since = pass.since?.get(metric.code)
    const asked = questionOf({ since, nowMs: Date.now(), stepS })
    if (asked === null) return []
    const path = `/api/v1/${asked.path}?query=${encodeURIComponent(query)}&${asked.parameters}`
    const answer = await pass.answer({ service, port, path })
    if (answer === undefined) return []
    const read = readAnswer(answer.text).filter(({ at }) => since === undefined || at > since)
    if (read.length === 0) throw withoutValue('the query gave no value')
    return read.map((one): SourceReading => ({ series: `query:${service}`, unit: metric.unit, ...one }))
  },
})

/** Null where not a step has passed since. Times are whole seconds, so that asked again the steps are the same. */
export function questionOf(of: {
  readonly since: string | undefined
  readonly nowMs: number
  readonly stepS: number
}): { readonly path: 'query' | 'query_range'; readonly parameters: string } | null {
  const endS = Math.floor(of.nowMs / 1_000)
  if (of.since === undefined) return { path: 'query', parameters: `time=${endS}` }
  const nextS = Math.ceil(Date.parse(of.since) / 1_000) + of.stepS
  if (nextS > endS) return null
  const startS = Math.max(nextS, endS - of.stepS * mostSteps)
  return { path: 'query_range', parameters: `start=${startS}&end=${endS}&step=${of.stepS}` }
}

const point = z.tuple([z.number(), z.string()])
const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    result: z.array(z.object({ value: point.optional(), values: z.array(point).optional() })),
  }),
})

/** @throws an `Error` for an answer that is no success, has several series, or a value that is no number from 0 */
export function readAnswer(text: string): { at: string; value: string }[] {
  const { result } = answerSchema.parse(JSON.parse(text)).data
  if (result.length > 1) throw new Error(`the query gave ${result.length} series: let it sum them`)
  return result
    .flatMap(({ value, values }) => values ?? (value === undefined ? [] : [value]))
    .map(([atS, value]) => ({ at: new Date(Math.round(atS * 1_000)).toISOString(), value: exact(value) }))
}
