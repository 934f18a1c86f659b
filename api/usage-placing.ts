import type { SubjectReader } from '#db/usage-placing.ts'
import { readFields, unknownField } from './addressing.ts'

const subjectField = { kind: 'subscription', pointer: '/subject', unknown: 'subscription_unknown' } as const

/** Whoever pushes usage events names subscriptions as everybody does: by their ids, or `ext:` and his own. */
export const subjects: SubjectReader = {
  read: async (db, texts) => await readFields(db, subjectField, texts),
  unknown: (text) => unknownField(subjectField, text),
}
