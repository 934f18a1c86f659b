import { z } from '@hono/zod-openapi'
import { stringify } from 'yaml'
import type { ExportedFile } from '#db/compose-export.ts'

export const composeExportSchema = z
  .object({
    application: z.string(),
    compose: z.string().openapi({ description: 'A compose file, as `docker compose up` takes it.' }),
    variables: z.array(z.string()).openapi({
      description:
        'What has no value in it: to be given by the environment or a file `.env` beside it. Secrets that were left out are among them.',
    }),
    local_images: z.array(z.string()).openapi({
      description: 'Images that no registry has: they are built or loaded before it is started.',
    }),
    linked_to: z
      .array(z.object({ name: z.string(), offer: z.string() }))
      .openapi({ description: 'Instances that it needs, and does not bring along.' }),
  })
  .openapi('ComposeExport')

export function toComposeExportJson(file: ExportedFile): z.input<typeof composeExportSchema> {
  return {
    application: file.application,
    compose: stringify(file.compose, { lineWidth: 0 }),
    variables: [...file.variables],
    local_images: [...file.localImages],
    linked_to: [...file.linkedTo],
  }
}
