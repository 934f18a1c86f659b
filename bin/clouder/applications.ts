import type { Command } from 'commander'
import type { Application } from './answers.ts'
import { limitOption, tellMore } from './list.ts'
import { outputOf, withSession, type GlobalOptions } from './session.ts'

export function registerApplications(program: Command): void {
  const group = program
    .command('applications')
    .alias('application')
    .summary('what can be built: list, check compose files, import them')
    .description('Applications are compose files: what is built when a product is sold.')
    .addHelpText(
      'before',
      `Examples
  npx clouder applications check compose.yaml
  npx clouder applications check templates/*.yml --json
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
      process.exitCode = await checkFiles(outputOf(options), files, options.grant ?? [])
    })
}
