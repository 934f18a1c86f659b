import type { Db } from '#db/database.ts'
import { listProductsToTry, noteProductTried } from '#db/deployer.ts'
import { newId } from '#db/identifier.ts'
import { orderThere } from '#domain/deployment.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { DeployerCall } from './deployer-call.ts'

const triedAtOnce = 20

/** Asks what an order of each product would become there: what it would be refused for is told before a customer orders it. */
export async function tryProducts(
  db: Db,
  { deployer, ask }: Pick<DeployerCall, 'deployer' | 'ask'>,
): Promise<void> {
  for (const sold of await listProductsToTry(db, deployer.id, triedAtOnce)) {
    const body = orderThere(encodeId('deployment', newId()), { ...sold, quantity: '1' }, deployer.customer)
    const refusal = await refusalOf(async () => ask({ method: 'POST', path: '/v1/orders/preview', body }))
    await noteProductTried(db, sold, { refusal, now: new Date().toISOString() })
  }
}

async function refusalOf(attempt: () => Promise<unknown>): Promise<string | null> {
  try {
    await attempt()
    return null
  } catch (error) {
    if (error instanceof BusinessError) return error.message.slice(0, 1_000)
    throw error
  }
}
