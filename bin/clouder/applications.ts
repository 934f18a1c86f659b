import type { Command } from 'commander'
import type { Application, Product } from './answers.ts'
import type { PlanOptions } from './build-plan.ts'
import { addExport } from './compose-export.ts'
import { limitOption, tellMore } from './list.ts'
import { addRemoval } from './removal.ts'
import { outputOf, withSession, type GlobalOptions } from './session.ts'
import { shellOf } from './shell.ts'

export function registerApplications(program: Command): void {
  const group = program
    .command('applications')
    .alias('application')
    .summary('what can be built: list, check compose files, import, archive and delete them')
    .description('Applications are compose files: what is built when a product is sold.')
    .addHelpText(
      'before',
      `Examples
  npx clouder applications check compose.yaml
  npx clouder applications check templates/*.yml --json
  npx clouder applications plan compose.yaml --inline
  npx clouder applications import compose.yaml --code shop
`,
    )
  group
    .command('ls')
    .description('list applications, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Application>('/v1/applications', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['code', 'title', 'version', 'services'],
          found.rows.map((row) => [row.code, row.title, row.version, row.services.join(', ')]),
        )
        tellMore(out, found, 'npx clouder applications import --help')
      }),
    )
  addCheck(group)
  addPlan(group)
  addImport(group)
  addRemoval(group, { path: '/v1/applications', words: 'application' })
  addExport(group, 'applications')
}

/** Needs no server: the files are read here. */
function addCheck(group: Command): void {
  group
    .command('check <files...>')
    .description('say of compose files whether they are accepted, need permissions, or are refused, and why')
    .option('--grant <permission...>', 'as if these permissions were granted')
    .action(async function (this: Command, files: string[]) {
      const options = this.optsWithGlobals<GlobalOptions & { grant?: string[] }>()
      // Reading compose files takes libraries that no other command needs.
      const { checkFiles } = await import('./compose-check.ts')
      const shell = shellOf(this)
      shell.exitCode = await checkFiles(outputOf(shell, options), files, options.grant ?? [])
    })
}

function addPlan(group: Command): void {
  group
    .command('plan <file>')
    .description('list the steps that a compose file is built in, and which of them wait for which')
    .option(
      '--inline',
      'walk the plan at once, in this process and without an engine; list what would be done',
    )
    .option('--grant <permission...>', 'as if these permissions were granted')
    .action(async function (this: Command, file: string) {
      const options = this.optsWithGlobals<GlobalOptions & PlanOptions>()
      const { tellPlan } = await import('./build-plan.ts')
      await tellPlan(outputOf(shellOf(this), options), file, options)
    })
}

interface ImportOptions {
  readonly code?: string
  readonly grant?: string[]
  readonly reason?: string
  readonly price?: string
  readonly currency: string
}

function addImport(group: Command): void {
  group
    .command('import <file>')
    .description('make an application of a compose file and the files beside it, and a product to sell it by')
    .option('--code <code>', 'what it is called; left out, as its folder or file is')
    .option('--grant <permission...>', 'what it may do on a server beyond what every application may')
    .option('--reason <text>', 'why that is granted')
    .option('--price <amount>', 'a month, such as 12.50; left out, no product is made')
    .option('--currency <currency>', 'of the price', 'USD')
    .action(
      withSession<[string], ImportOptions>(async ({ api, out }, { args: [file], options }) => {
        const { readSent } = await import('./compose-check.ts')
        const grants = options.grant ?? []
        const sent = await readSent(file, options.code, grants)
        const permissions = grants.map((permission) => ({ permission, reason: options.reason ?? '' }))
        const application = await api.post<Application>('/v1/applications', { ...sent, permissions })
        const product =
          options.price === undefined
            ? null
            : await api.post<Product>('/v1/products', productOf(application, options))
        if (out.isJson) return out.json({ application, product })
        out.facts([
          ['application', `${application.code}, version ${application.version}`],
          ['services', application.services.join(', ')],
          ['permissions', application.permissions.join(', ') || null],
          ['asked for', application.variables.map((variable) => variable.name).join(', ') || null],
          ['product', product === null ? null : `${product.code}: ${product.price_sentence}`],
        ])
      }),
    )
}

/** A month of it, paid in advance: the first price, which the seller changes as he likes. */
function productOf(application: Application, { price, currency }: ImportOptions) {
  return {
    code: application.code,
    name: application.title,
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: price,
    currency,
    applications: [application.code],
  }
}
