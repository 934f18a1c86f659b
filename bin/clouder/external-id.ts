import { Argument, type Command } from 'commander'
import { withSession } from './session.ts'

const paths = {
  customer: '/v1/customers',
  order: '/v1/orders',
  product: '/v1/products',
  subscription: '/v1/subscriptions',
} as const
type Kind = keyof typeof paths

export function registerExternalId(program: Command): void {
  program
    .command('external-id')
    .summary('say by which id another system knows something')
    .description('Gives a customer, order, product or subscription an external id, unique per kind.')
    .addArgument(new Argument('<kind>', 'of what it is').choices(Object.keys(paths)))
    .argument('<id>', 'its id or code, or ext: and the external id that it has')
    .argument('[external-id]', 'left out: it has none any more')
    .addHelpText(
      'before',
      `Examples
  npx clouder external-id customer harbour-bakery crm-4711
  npx clouder subscriptions --customer ext:crm-4711
`,
    )
    .action(
      withSession<[Kind, string, string | undefined]>(async ({ api, out }, { args }) => {
        const [kind, id, externalId = null] = args
        const path = `${paths[kind]}/${encodeURIComponent(id)}`
        const changed = await api.patch<{ id: string }>(path, { external_id: externalId })
        if (out.isJson) return out.json(changed)
        out.say(
          externalId === null
            ? `  ${changed.id} has no external id.`
            : `  ${changed.id} can be addressed as ext:${externalId}`,
        )
      }),
    )
}
