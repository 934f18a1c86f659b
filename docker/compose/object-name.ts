import { z } from 'zod'

/** Of a service or a volume of the file. */
export const objectName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/, 'is not a name of letters and digits')

/** Of something that the block says: what others call it by. */
export const code = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'is not a code of lower case letters, digits, - and _')

/** What people read instead of a code. */
export const title = z.string().min(1).max(100)

export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of a variable')

/** No shell ever reads it: a string would have to be taken apart as one does. */
export const argumentList = z
  .array(z.string().max(4000), 'is not a list of arguments; write it as a list')
  .min(1)
