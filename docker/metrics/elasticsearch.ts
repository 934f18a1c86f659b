import { once } from 'node:events'
import { request as requestPlainly, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as requestByTls } from 'node:https'
import { isIPv6 } from 'node:net'
import { z } from 'zod'
import type { ReachedDataSource } from '#domain/data-source.ts'
import { code } from '../compose/object-name.ts'
import { readBounded, tlsOf } from './bounded-connection.ts'
import { instanceParameter, parameterOf } from './external-sql.ts'
import { exact } from './http.ts'
import { defineSource, withoutValue } from './source.ts'

const deadlineMs = 30_000

const shards = z.object({ failed: z.number() })
const shardsKey = '_shards'
const countAnswer = z.object({ count: z.number(), [shardsKey]: shards })
const searchAnswer = z.object({
  timed_out: z.boolean(),
  [shardsKey]: shards,
  aggregations: z.object({ value: z.object({ value: z.number().nullable() }) }),
})

/**
 * How many documents of an Elasticsearch or OpenSearch index a query finds, or one aggregation of a field of them. In the query,
 * `{instance}` as a whole text stands for the instance's id, and so on. What was counted in a part of the shards only is no value.
 */
export const elasticsearch = defineSource({
  type: 'elasticsearch',
  schema: z.strictObject({
    type: z.literal('elasticsearch'),
    data_source: code,
    index: z.string().regex(/^[a-z0-9*][a-z0-9._*-]{0,199}$/, 'is not the name or the pattern of an index'),
    query: z.record(z.string(), z.unknown()),
    aggregation: z
      .strictObject({
        kind: z.enum(['sum', 'max', 'min', 'avg', 'value_count', 'cardinality']),
        field: z.string().min(1).max(200),
      })
      .exactOptional(),
  }),
  imagined: 'elsewhere',
  deadlineMs,
  async read({ ref, ctx, dataSource }, metric, { data_source: name, index, query, aggregation }) {
    const source = dataSource(name, ['elasticsearch'])
    const asked = filled(query, (of) => parameterOf(ref.instance, of))
    const value =
      aggregation === undefined
        ? readCount(await ask(source, { path: `/${index}/_count`, body: { query: asked } }, ctx.abortSignal))
        : readAggregation(
            await ask(
              source,
              {
                path: `/${index}/_search?allow_partial_search_results=false`,
                body: {
                  size: 0,
                  track_total_hits: false,
                  timeout: `${deadlineMs / 2_000}s`,
                  query: asked,
                  aggs: { value: { [aggregation.kind]: { field: aggregation.field } } },
                },
              },
              ctx.abortSignal,
            ),
          )
    return [{ series: `external:${name}`, value, unit: metric.unit }]
  },
})

/** With what stands for a fact of the instance, wherever it is a whole text. */
function filled(value: unknown, valueOf: (of: z.output<typeof instanceParameter>) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => filled(item, valueOf))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, valueOf)]))
  const [, name] = typeof value === 'string' ? (/^\{(\w+)\}$/.exec(value) ?? []) : []
  const parameter = instanceParameter.safeParse(name)
  return parameter.success ? valueOf(parameter.data) : value
}

/** @throws an `Error` for what is no answer to a count, or one of a part of the shards */
function readCount(text: string): string {
  const { count, [shardsKey]: counted } = countAnswer.parse(JSON.parse(text))
  refusePart(counted.failed > 0)
  return exact(String(count))
}

/** @throws `reading_without_value` where no document has the field, an `Error` for what counts in part only */
function readAggregation(text: string): string {
  const answer = searchAnswer.parse(JSON.parse(text))
  refusePart(answer.timed_out || answer[shardsKey].failed > 0)
  const { value } = answer.aggregations.value
  if (value === null) throw withoutValue('no document that was found has the field')
  return exact(String(value))
}

function refusePart(isPart: boolean): void {
  if (isPart) throw new Error('only a part of the shards answered: nothing is counted')
}

/** Asks the address that was checked, by the name that the operator gave; follows nowhere, uses no proxy, reads 1 MiB at most. */
async function ask(
  source: ReachedDataSource,
  { path, body }: { readonly path: string; readonly body: object },
  signal: AbortSignal,
): Promise<string> {
  const text = JSON.stringify(body)
  const options: RequestOptions = {
    method: 'POST',
    host: source.address,
    port: source.port,
    path,
    headers: {
      host: `${isIPv6(source.host) ? `[${source.host}]` : source.host}:${source.port}`,
      authorization: `Basic ${Buffer.from(`${source.username}:${source.password}`).toString('base64')}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      'accept-encoding': 'identity',
    },
    agent: false,
    signal,
  }
  const call = source.hasTls ? requestByTls({ ...options, ...tlsOf(source) }) : requestPlainly(options)
  call.on('error', () => undefined)
  call.end(text)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  const answer = await readBounded(response)
  if (response.statusCode !== 200)
    throw new Error(`${source.code} answered ${response.statusCode}: ${answer.slice(0, 200)}`)
  return answer
}
