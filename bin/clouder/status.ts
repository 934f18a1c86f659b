import type { Command } from 'commander'
import { unreachable } from './client.ts'
import { readReadiness } from './readiness.ts'
import { readRunFacts } from './run-facts.ts'
import { withSession } from './session.ts'
import { exitCodes } from './exit-code.ts'
import { dataFolderOf } from './settings.ts'

export function registerStatus(program: Command): void {
  program
    .command('status')
    .summary('where everything is, and whether it answers')
    .description('The addresses again, and whether the API has all it needs.')
    .addHelpText('before', 'Example\n  npx clouder status --json\n')
    .action(
      withSession(async ({ api, out, shell }) => {
        const folder = dataFolderOf(shell.env)
        const { temporalUi } = readRunFacts(folder)
        const checks = await readChecks(api.url)
        const addresses = {
          console: `${api.url}/`,
          api: `${api.url}/v1`,
          documentation: `${api.url}/docs`,
          temporal: temporalUi ?? null,
        }
        const missing = checks.filter(({ is_ready: isReady }) => !isReady)
        if (out.isJson) out.json({ addresses, data_folder: folder, checks })
        else {
          out.facts([
            ['console', addresses.console],
            ['API', addresses.api],
            ['documentation', addresses.documentation],
            ['Temporal', addresses.temporal],
            ['data', folder],
            ...checks.map(({ name, detail }) => [name, detail] as const),
          ])
          out.say(`\n  Next  npx clouder ${missing.length === 0 ? 'subscriptions' : 'doctor'}`)
        }
        return missing.length === 0 ? exitCodes.ok : exitCodes.warnings
      }),
    )
}

async function readChecks(apiUrl: string) {
  try {
    return await readReadiness(apiUrl)
  } catch (error) {
    throw unreachable(apiUrl, error)
  }
}
