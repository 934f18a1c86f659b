import { z } from '@hono/zod-openapi'
import type { DeployerRow, DeploymentRow } from '#db/read/deployer.ts'
import { deploymentStates } from '#domain/deployment.ts'
import { encodeId } from '#domain/identifier.ts'
import { addressField, codeField, nameField } from './common.ts'

const deployedProduct = z.object({
  product: z.string().openapi({ description: 'Code.' }),
  product_there: z.string().nullable(),
  kit_there: z.string().nullable(),
  refusal: z.string().nullable().openapi({
    description: 'Why its order would be refused there; it is tried with each look, and nothing is ordered.',
  }),
})

export const deployerSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    url: z.string(),
    customer: z.string().openapi({ description: 'As whom this installation orders there.' }),
    products: z.array(deployedProduct),
    deployments: z.number().int().openapi({ description: 'What it has of ours and has not ended.' }),
    usage_taken_at: z
      .string()
      .nullable()
      .openapi({ description: 'What was recorded there before it is here.' }),
    failing_since: z.string().nullable(),
    failure: z.string().nullable(),
    set_at: z.string().openapi({ description: 'When it was given last.' }),
    set_by: z.string(),
    created_at: z.string(),
  })
  .openapi('Deployer')

export const newDeployerSchema = z
  .strictObject({
    code: codeField(40).openapi({ description: 'Given again, it has another address and key.' }),
    url: z.string().max(300).openapi({
      description: 'Of another Clouder: by https, but on the loopback.',
      example: 'https://deploys.example.com',
    }),
    customer: nameField.openapi({
      description: 'The customer there for whom it is ordered: id or code. Its orders are billed elsewhere.',
    }),
    key: z
      .string()
      .trim()
      .regex(/^[!-~]{1,500}$/, 'A key has visible ASCII characters only')
      .openapi({
        description:
          'An API key of the other side with orders:read, orders:write, orders:bill_elsewhere, subscriptions:read, subscriptions:write, subscriptions:cancel_now and usage:read. Sealed, and never shown again.',
        format: 'password',
      }),
  })
  .openapi('NewDeployer')

export const newDeployedProductSchema = z
  .strictObject({
    product: addressField,
    product_there: nameField.optional(),
    kit_there: nameField.optional(),
  })
  .refine((of) => (of.product_there === undefined) !== (of.kit_there === undefined), {
    path: ['product_there'],
    error: 'It is ordered there as a product or as a kit',
  })
  .openapi('NewDeployedProduct')

export function toDeployerJson(row: DeployerRow): z.input<typeof deployerSchema> {
  return {
    id: encodeId('deployer', row.id),
    code: row.code,
    url: row.url,
    customer: row.customer,
    products: row.products.map(({ product, product_there, kit_there, refusal }) => ({
      product,
      product_there,
      kit_there,
      refusal,
    })),
    deployments: row.deployments,
    usage_taken_at: row.usage_taken_at,
    failing_since: row.failing_since,
    failure: row.failure,
    set_at: row.set_at,
    set_by: row.set_by,
    created_at: row.created_at,
  }
}

export const deploymentSchema = z
  .object({
    id: z.string().openapi({ description: 'The other side knows its order and subscription by it.' }),
    deployer: z.string().openapi({ description: 'Code.' }),
    line: z.string(),
    state: z.enum(deploymentStates),
    subscription_there: z.string().nullable(),
    phase_there: z.string().nullable(),
    parked_there: z.string().nullable().openapi({ description: 'Set while it waits for a person there.' }),
    address_there: z.string().nullable(),
    seen_at: z.string().nullable(),
  })
  .openapi('Deployment', { description: 'What was sold here and is deployed elsewhere.' })

export function toDeploymentJson(row: DeploymentRow): z.input<typeof deploymentSchema> {
  return {
    id: encodeId('deployment', row.id),
    deployer: row.deployer_code,
    line: encodeId('subscriptionLine', row.first_line_id),
    state: row.state,
    subscription_there: row.subscription_there,
    phase_there: row.phase_there,
    parked_there: row.parked_there,
    address_there: row.address_there,
    seen_at: row.seen_at,
  }
}
