import type { Command } from 'commander'
import type { Deployer } from './answers.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { readPassword } from './password.ts'
import { withSession } from './session.ts'

const keyVariable = 'CLOUDER_DEPLOYER_KEY'

export function registerDeployers(program: Command): void {
  const group = program
    .command('deployers')
    .alias('deployer')
    .summary('list, give and forget installations that deploy what this one bills')
    .description(
      'Other installations that deploy what this one bills. Their keys are sealed, and never shown.',
    )
    .addHelpText(
      'before',
      `Examples
  npx clouder deployers
  npx clouder deployers add yard --url https://deploys.example.com --customer acme-billing < key.txt
  npx clouder deployers product yard hosted-site --kit site
  npx clouder deployers look yard
`,
    )
  addList(group)
  addGiving(group)
  addProduct(group)
  group
    .command('look')
    .description('have it looked at now: what runs there, and what was used')
    .argument('<deployer>', 'its code or id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [named] }) => {
        const seen = await api.post<Deployer>(`/v1/deployers/${encodeURIComponent(named)}/look`, {})
        if (out.isJson) return out.json(seen)
        out.say(`  ${seen.code} is being looked at.`)
      }),
    )
  group
    .command('rm')
    .description('forget a deployer; it is refused once it has deployed anything')
    .argument('<deployer>', 'its code or id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [named] }) => {
        await api.delete(`/v1/deployers/${encodeURIComponent(named)}`)
        if (out.isJson) return out.json({ deleted: named })
        out.facts([['deleted', named]])
      }),
    )
}

function addList(group: Command): void {
  group
    .command('ls')
    .description('list deployers (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Deployer>('/v1/deployers', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['code', 'where', 'as', 'deployed', 'products', 'usage taken over', 'trouble'],
          found.rows.map((row) => [
            row.code,
            row.url,
            row.customer,
            String(row.deployments),
            row.products.map(({ product }) => product).join(', '),
            row.usage_taken_at === null ? 'never' : instantText(row.usage_taken_at),
            troubleText(row),
          ]),
        )
        tellMore(out, found, 'None is given. npx clouder deployers add --help')
      }),
    )
}

function troubleText({ failing_since: since, failure, products }: Deployer): string | null {
  const refused = products.filter(({ refusal }) => refusal !== null)
  const troubles = [
    ...(since === null ? [] : [`since ${instantText(since)}: ${failure}`]),
    ...refused.map(({ product, refusal }) => `${product} cannot be ordered there: ${refusal}`),
  ]
  return troubles.length === 0 ? null : troubles.join('; ')
}

function addGiving(group: Command): void {
  group
    .command('add')
    .description('give a deployer, or the code another address and key')
    .argument('<code>', 'by which it is known here')
    .requiredOption('--url <url>', 'where the other installation is reached')
    .requiredOption('--customer <customer>', 'as whom is ordered there: id or code')
    .addHelpText(
      'after',
      `\nThe API key of the other side is read from standard input, from ${keyVariable}, or asked for.\n`,
    )
    .action(
      withSession<[string], { url: string; customer: string }>(
        async (session, { args: [code], options: { url, customer } }) => {
          const { api, out } = session
          const key = await readPassword(session, keyVariable)
          const made = await api.post<Deployer>('/v1/deployers', { code, url, customer, key })
          if (out.isJson) return out.json(made)
          out.say(`  ${made.code}: ${made.url}`)
        },
      ),
    )
}

function addProduct(group: Command): void {
  group
    .command('product')
    .description('have a product deployed there from now on, or no longer')
    .argument('<deployer>', 'its code or id')
    .argument('<product>', 'of this installation: its code or id')
    .option('--product <product>', 'as which it is ordered there')
    .option('--kit <kit>', 'as which it is ordered there')
    .option('--no-longer', 'it is deployed there no longer; what was sold stays')
    .action(
      withSession<[string, string], { product?: string; kit?: string; longer: boolean }>(
        async ({ api, out }, { args: [named, product], options }) => {
          const path = `/v1/deployers/${encodeURIComponent(named)}/products`
          if (!options.longer) {
            await api.delete(`${path}/${encodeURIComponent(product)}`)
            return out.isJson ? out.json({ deleted: product }) : out.facts([['deleted', product]])
          }
          const body = { product, product_there: options.product, kit_there: options.kit }
          const made = await api.post<Deployer>(path, body)
          if (out.isJson) return out.json(made)
          out.say(`  ${made.code} deploys ${made.products.map((of) => of.product).join(', ')}`)
        },
      ),
    )
}
