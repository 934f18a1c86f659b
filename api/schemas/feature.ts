import { z } from '@hono/zod-openapi'
import { addressField, codeField } from './common.ts'

const valueField = z.union([z.boolean(), z.string().min(1).max(200)])

export const featuresField = z
  .record(codeField(60), valueField)
  .openapi({ description: 'On or off, or a value, by code.', example: { sso: true } })

export const newFeaturesField = featuresField
  .refine((features) => Object.keys(features).length <= 50, { error: 'At most 50 features' })
  .default({})
  .openapi({ description: 'What it switches on or off in applications, which ask for it by code.' })

export const featureParams = z.object({
  id: addressField.openapi({ description: 'An id.' }),
  code: codeField(60).openapi({ description: 'Of a feature.' }),
})

export const featureSchema = z
  .object({ feature: z.string(), value: valueField })
  .openapi('Feature', { example: { feature: 'sso', value: true } })
