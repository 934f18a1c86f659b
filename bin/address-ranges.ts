import { z } from 'zod'
import { isRange } from '#domain/outbound-address.ts'

/** Ranges of addresses as the environment has them: `10.20.0.0/16,fd00:1::/48`; empty, none. */
export const addressRanges = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((range) => range.trim() || []))
  .refine((ranges) => ranges.every(isRange), { error: 'are not ranges such as 10.20.0.0/16,fd00:1::/48' })
