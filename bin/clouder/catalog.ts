import type { Command } from 'commander'
import type { Kit, Product } from './answers.ts'
import { addCatalogFiles } from './catalog-files.ts'
import { intervalText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { addRemoval } from './removal.ts'
import { withSession } from './session.ts'

const orderOne = 'npx clouder order static-site --customer harbour-bakery --dry-run'

export function registerCatalog(program: Command): void {
  registerProducts(program)
  registerKits(program)
}

function registerProducts(program: Command): void {
  const group = program
    .command('products')
    .alias('product')
    .summary('list what is sold; keep the catalog as files; archive and delete')
  group.description('Products: what can be on an order.').addHelpText(
    'before',
    `Examples
  ${orderOne}
  npx clouder products export catalog.yaml
  npx clouder products diff catalog.yaml
  npx clouder products apply catalog.yaml --from 2027-01-01
`,
  )
  addCatalogFiles(group)
  addRemoval(group, { path: '/v1/products', words: 'product' })
  group
    .command('ls')
    .description('list products, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Product>('/v1/products', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['code', 'name', 'type', 'price', 'unit', 'billed', 'builds'],
          found.rows.map((row) => [
            row.code,
            row.name,
            row.billing_type,
            row.base_price === null ? row.price_sentence : `${row.base_price} ${row.currency}`,
            row.unit,
            intervalText(row.recurrence),
            row.applications.join(', ') || null,
          ]),
        )
        tellMore(out, found, 'npx clouder products apply --help')
      }),
    )
}

function registerKits(program: Command): void {
  const group = program.command('kits').alias('kit').summary('list kits; archive and delete them')
  group.description('Kits: products made of products.').addHelpText('before', `Example\n  ${orderOne}\n`)
  group
    .command('ls')
    .description('list kits, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Kit>('/v1/kits', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['code', 'name', 'bill of materials'],
          found.rows.map((row) => [
            row.code,
            row.name,
            row.bill_of_materials
              .map(({ quantity, product, kit }) => `${quantity} × ${product ?? kit ?? ''}`)
              .join(', '),
          ]),
        )
        tellMore(out, found, 'npx clouder products apply --help')
      }),
    )
  addRemoval(group, { path: '/v1/kits', words: 'kit' })
}
