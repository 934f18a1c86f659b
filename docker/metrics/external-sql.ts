import { z } from 'zod'
import type { PlannedInstance } from '#domain/build-plan.ts'
import { code } from '../compose/object-name.ts'
import { askMysql } from './external-mysql.ts'
import { askPostgresql } from './external-postgresql.ts'
import { exact } from './http.ts'
import { defineSource, plainNumber, withoutValue } from './source.ts'

export interface ExternalQuery {
  readonly query: string
  readonly parameters: readonly string[]
  /** After which the server ends it. */
  readonly timeoutMs: number
}

/** What a query elsewhere may ask for of the instance that it is about. */
export const instanceParameter = z.enum(['instance', 'subscription', 'customer', 'environment', 'name'])

export function parameterOf(instance: PlannedInstance, of: z.output<typeof instanceParameter>): string {
  return of === 'environment' ? instance.environmentPrefix : instance[of]
}

/** Less than the deadline: the server is the one to end it, and it says so. */
const timeoutMs = 20_000

/**
 * The one value of an SQL query in a PostgreSQL, MySQL or MariaDB elsewhere, in the metric's own unit. Facts of the instance are
 * parameters of the statement, and never a part of its text.
 */
export const externalSql = defineSource({
  type: 'external-sql',
  schema: z.strictObject({
    type: z.literal('external-sql'),
    data_source: code,
    query: z
      .string()
      .min(1)
      .max(2_000)
      .transform((text) => text.trim().replace(/;$/, '')),
    parameters: z.array(instanceParameter).max(10).default([]),
  }),
  imagined: 'elsewhere',
  deadlineMs: 30_000,
  async read({ ref, ctx, dataSource }, metric, { data_source: name, query, parameters }) {
    const source = dataSource(name, ['postgresql', 'mysql'])
    const values = parameters.map((of) => parameterOf(ref.instance, of))
    const asked = { query, parameters: values, timeoutMs }
    const ask = source.kind === 'postgresql' ? askPostgresql : askMysql
    const [value, ...more] = await ask(source, asked, ctx.abortSignal)
    if (more.length > 0) throw new Error('the query gave several rows: let it give one')
    if (value === undefined || value === null) throw withoutValue('the query gave no value')
    return [{ series: `external:${name}`, value: numberOf(value), unit: metric.unit }]
  },
})

/** Less than what is taken of a text: one that was cut off is none. */
const longestNumber = 99
const saidCharacters = 60

/** A server may write a number as it likes, and as many digits as it likes. */
function numberOf(written: string): string {
  const text = written.trim()
  const value = text.length > longestNumber ? '' : exact(text)
  if (plainNumber.test(value)) return value
  throw new Error(`the query gave no number from 0: ${JSON.stringify(text.slice(0, saidCharacters))}`)
}
