import { z } from 'zod'
import type { LimitDefinition } from '#domain/application.ts'
import { argumentList, code, objectName, title } from './object-name.ts'

const named = { code, title }

/** The application holds it: the value is set by a command, and read back by another. */
const byCommands = z.strictObject({
  ...named,
  service: objectName,
  set: argumentList.refine(
    (list) => list.slice(1).filter((argument) => argument === '{value}').length === 1,
    'does not have {value} as one argument of its own',
  ),
  read: argumentList,
  use: argumentList,
})

/** The engine holds it: the container may have no more. */
const byResource = z.strictObject({
  ...named,
  service: objectName,
  resource: z.enum(['memory', 'cpus', 'pids']),
})

const ways = ['block-ingress', 'block-network', 'read-only', 'stop'] as const
const wayNames = {
  'block-ingress': 'block_ingress',
  'block-network': 'block_network',
  'read-only': 'read_only',
  stop: 'stop',
} as const

/** Clouder holds it from outside, once what a metric measures has reached it. */
const byMetric = z
  .strictObject({
    ...named,
    metric: code,
    hard: z.enum(ways).exactOptional(),
    /** Kilobits a second. */
    throttle: z.int().min(8).max(100_000_000).exactOptional(),
  })
  .transform(({ hard, throttle, ...of }) => ({
    ...of,
    ...(hard === undefined ? {} : { hard: wayNames[hard] }),
    ...(throttle === undefined ? {} : { throttleKbit: throttle }),
  }))

/** Clouder hands the units out. */
const byReservation = z
  .strictObject({ ...named, reserved: z.literal(true) })
  .transform(({ reserved: isReserved, ...of }) => ({ ...of, isReserved }))

/** What enforces a ceiling that can be sold; which kind it is, its keys say. */
export const limit: z.ZodType<LimitDefinition> = z.union([byCommands, byResource, byMetric, byReservation])
