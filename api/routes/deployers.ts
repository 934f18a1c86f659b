import { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import {
  askDeployer,
  removeDeployer,
  removeProductDeployer,
  setDeployer,
  setProductDeployer,
} from '#db/deployer.ts'
import { newId } from '#db/identifier.ts'
import { getDeployer, listDeployers } from '#db/read/deployer.ts'
import { atField } from '#domain/errors.ts'
import { checkPeerUrl } from '#domain/peer.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { dispatchOutbox } from '../relay.ts'
import { addressField, addressParams } from '../schemas/common.ts'
import {
  deployerSchema,
  newDeployedProductSchema,
  newDeployerSchema,
  toDeployerJson,
} from '../schemas/deployer.ts'

const nothingSchema = z.strictObject({})

/** Other installations that deploy what this one bills. */
export function registerDeployers(frame: Frame): void {
  registerDeployerReads(frame)
  frame.route(
    {
      method: 'post',
      path: '/v1/deployers',
      permission: 'deployers:write',
      tag: 'Deployers',
      summary: 'Give another installation that deploys what this one bills, or another key for it',
      body: newDeployerSchema,
      result: deployerSchema,
      status: 201,
      location: ({ id }) => `/v1/deployers/${id}`,
      refusals: ['peer_url_refused'],
    },
    async ({ transaction, body, principal, now, afterCommit }) => {
      const tx = transaction()
      const id = await keepDeployer(frame, tx, body, { actor: principal.name, now })
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return toDeployerJson(await getDeployer(tx, id))
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/deployers/{id}/look',
      permission: 'deployers:write',
      tag: 'Deployers',
      summary: 'Have a deployer looked at now: what runs there, and what was used',
      params: addressParams,
      body: nothingSchema,
      result: deployerSchema,
    },
    async ({ db, transaction, params, afterCommit }) => {
      const id = await resolveAddress(db, 'deployer', params.id)
      await askDeployer(transaction(), id, newId())
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return toDeployerJson(await getDeployer(db, id))
    },
  )
  frame.route(
    {
      method: 'delete',
      path: '/v1/deployers/{id}',
      permission: 'deployers:write',
      tag: 'Deployers',
      summary: 'Forget a deployer that never deployed anything',
      params: addressParams,
      result: z.null(),
      status: 204,
      refusals: ['in_use'],
    },
    async ({ db, transaction, params, principal }) => {
      await removeDeployer(transaction(), await resolveAddress(db, 'deployer', params.id), principal.name)
      return null
    },
  )
  registerDeployedProducts(frame)
}

function registerDeployerReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/deployers',
      permission: 'deployers:read',
      tag: 'Deployers',
      summary: 'List deployers',
      query: z.strictObject(pageQuery),
      result: pageOf(deployerSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listDeployers(db, page), page, toDeployerJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/deployers/{id}',
      permission: 'deployers:read',
      tag: 'Deployers',
      summary: 'Read a deployer',
      params: addressParams,
      result: deployerSchema,
    },
    async ({ db, params }) =>
      toDeployerJson(await getDeployer(db, await resolveAddress(db, 'deployer', params.id))),
  )
}

function registerDeployedProducts(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/deployers/{id}/products',
      permission: 'deployers:write',
      tag: 'Deployers',
      summary: 'Have a product deployed there from now on',
      description:
        'What was sold before stays where it is. A product that builds an application is deployed here.',
      params: addressParams,
      body: newDeployedProductSchema,
      result: deployerSchema,
      refusals: ['product_builds_here', 'product_unknown'],
    },
    async ({ db, transaction, params, body, principal, now, afterCommit }) => {
      const id = await resolveAddress(db, 'deployer', params.id)
      const tx = transaction()
      await keepDeployedProduct(tx, id, body, { actor: principal.name, now })
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return toDeployerJson(await getDeployer(tx, id))
    },
  )
  frame.route(
    {
      method: 'delete',
      path: '/v1/deployers/{id}/products/{product}',
      permission: 'deployers:write',
      tag: 'Deployers',
      summary: 'No longer have a product deployed there: what was sold stays',
      params: addressParams.extend({ product: addressField }),
      result: z.null(),
      status: 204,
    },
    async ({ db, transaction, params }) => {
      const id = await resolveAddress(db, 'deployer', params.id)
      await removeProductDeployer(transaction(), id, await resolveAddress(db, 'product', params.product))
      return null
    },
  )
}

/** @throws `peer_url_refused` */
export async function keepDeployer(
  { deps }: Frame,
  tx: Tx,
  body: z.output<typeof newDeployerSchema>,
  by: { actor: string; now: string },
): Promise<string> {
  const url = atField('/url', () => checkPeerUrl(body.url))
  return await setDeployer(tx, deps.installationKey, { ...body, url }, by)
}

/** @throws `product_unknown`, `product_builds_here` */
export async function keepDeployedProduct(
  tx: Tx,
  deployerId: string,
  body: z.output<typeof newDeployedProductSchema>,
  by: { actor: string; now: string },
): Promise<void> {
  const field = { kind: 'product', text: body.product, pointer: '/product' } as const
  const productId = await resolveField(tx, { ...field, unknown: 'product_unknown' })
  const there = body.kit_there === undefined ? { product: body.product_there ?? '' } : { kit: body.kit_there }
  await setProductDeployer(tx, { deployerId, productId, there }, by)
  // Whether it can be ordered there is known before the first customer asks.
  await askDeployer(tx, deployerId, newId())
}
