import { z } from 'zod'
import { isRange } from '#domain/outbound-address.ts'

/** Ranges of addresses as the environment has them: `10.20.0.0/16,fd00:1::/48`; empty, none. */
export const addressRanges = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((range) => range.trim() || []))
  .refine((ranges) => ranges.every(isRange), { error: 'are not ranges such as 10.20.0.0/16,fd00:1::/48' })

/** Ports as the environment has them: `8443,9443`; empty, none. */
export const portList = z
  .string()
  .regex(/^( *\d{1,5} *(, *\d{1,5} *)*)?$/, 'are not ports such as 8443,9443')
  .default('')
  .transform((text) => text.split(',').flatMap((port) => (port.trim() === '' ? [] : Number(port))))
