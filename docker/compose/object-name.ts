import { z } from 'zod'

/** Of a service or a volume of the file. */
export const objectName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/, 'is not a name of letters and digits')

/** No shell ever reads it: a string would have to be taken apart as one does. */
export const argumentList = z
  .array(z.string().max(4000), 'is not a list of arguments; write it as a list')
  .min(1)
