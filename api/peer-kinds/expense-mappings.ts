import { receiveMappings } from '#db/told-mapping.ts'
import { saidMappingsSchema } from '../schemas/told-mapping.ts'
import { takenBy } from './kind.ts'

/** As what a customer counts our products: all of it, in place of what it told before. It changes nothing of what we bill. */
export const expenseMappingsKind = takenBy(saidMappingsSchema, async (tx, told, { peerId, now }) => {
  await receiveMappings(tx, { peerId, told, now })
  return { outcome: 'stored' }
})
