import { z } from 'zod'

const DURATION = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/
const SIZE = /^(\d+)\s*(b|k|kb|m|mb|g|gb)?$/i
const UNIT_BYTES: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
const MIB = 1024 ** 2

/** What `$` could mean here is not for a value that the engine gets as it is. */
export const plainText = z
  .string()
  .min(1)
  .max(1000)
  .refine((text) => !text.includes('$'), 'variables are not supported here; write the value out')

/** `1m30s`, `500ms`, in milliseconds. */
export const duration = z.string().transform((text, ctx) => {
  const match = DURATION.exec(text)
  if (match === null || text === '') {
    ctx.addIssue('is not a duration such as 30s or 1m30s; write it like that')
    return z.NEVER
  }
  const [hours, minutes, seconds, ms] = match.slice(1).map((digits) => Number(digits ?? 0))
  return (hours ?? 0) * 3_600_000 + (minutes ?? 0) * 60_000 + (seconds ?? 0) * 1_000 + (ms ?? 0)
})

/** `512m`, `1g` or bytes, in whole MiB. */
export const memory = z.union([z.string(), z.number().int()]).transform((size, ctx) => {
  const match = SIZE.exec(String(size))
  const unit = (match?.[2] ?? 'b').toLowerCase().charAt(0)
  const mib = (Number(match?.[1]) * (UNIT_BYTES[unit] ?? Number.NaN)) / MIB
  if (Number.isInteger(mib) && mib >= 6) return mib
  ctx.addIssue('is not a whole number of MiB from 6 on; write it like 512m')
  return z.NEVER
})

export const cpus = z.union([z.string().regex(/^\d+(\.\d+)?$/), z.number()]).transform((count, ctx) => {
  if (Number(count) >= 0.01 && Number(count) <= 64) return Number(count)
  ctx.addIssue('is not a number of processors from 0.01 to 64; write it like 0.5')
  return z.NEVER
})

export const pids = z.number().int().min(1).max(256)

export const port = z
  .union([z.string().regex(/^\d{1,5}$/), z.number().int()])
  .transform(Number)
  .refine((number) => number >= 1 && number <= 65_535, 'is not a port from 1 to 65535')

export const absolutePath = plainText.refine(
  (path) => /^\/[^:,\s]+$/.test(path) && !path.split('/').includes('..'),
  'is not an absolute path inside the container; write it like /data',
)

/** Of a service or a volume of the file. */
export const objectName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,39}$/, 'is not a name of lower case letters and digits')
export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of a variable')

/** `[argument, …]`. A string would have to be taken apart as a shell does. */
export const argumentList = z
  .array(z.string().max(4000), 'is not a list of arguments; write it as a list')
  .min(1)
