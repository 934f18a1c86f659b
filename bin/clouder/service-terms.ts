import type { Command } from 'commander'
import type { ServiceTerms } from './answers.ts'
import { instantText } from './format.ts'
import { withSession } from './session.ts'

interface NewTerms {
  readonly url?: string
  readonly text?: string
  readonly from?: string
}

export function registerServiceTerms(program: Command): void {
  const group = program
    .command('service-terms')
    .summary('list and publish the terms of service')
    .description('What customers accept with an order, version by version. A version never changes.')
    .addHelpText(
      'before',
      `Examples
  npx clouder service-terms
  npx clouder service-terms publish --url https://example.com/terms/3
`,
    )
  group
    .command('ls')
    .description('list every version, newest first (what the word alone does)')
    .action(
      withSession(async ({ api, out }) => {
        const { data } = await api.get<{ data: ServiceTerms[] }>('/v1/service-terms')
        if (out.isJson) return out.json(data)
        out.table(
          ['version', 'published', 'in force', 'where'],
          data.map((row) => [
            String(row.version),
            instantText(row.published_at),
            row.is_in_force ? 'yes' : 'no',
            row.url ?? 'as text',
          ]),
        )
      }),
    )
  group
    .command('publish')
    .description('publish the next version')
    .option('--url <address>', 'where it can be read')
    .option('--text <text>', 'what it says')
    .option('--from <instant>', 'from when on orders accept it (now)')
    .action(
      withSession<[], NewTerms>(async ({ api, out }, { options: { url, text, from } }) => {
        const terms = await api.post<ServiceTerms>('/v1/service-terms', { url, text, published_at: from })
        if (out.isJson) return out.json(terms)
        out.say(
          `  Version ${terms.version}, ${terms.is_in_force ? 'in force' : `from ${terms.published_at}`}`,
        )
      }),
    )
}
