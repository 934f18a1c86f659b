import type { Command } from 'commander'
import { exitCodes, type ExitCode } from './exit-code.ts'
import type { Output } from './output.ts'
import { addressOf } from './server-capacity.ts'
import { withSession } from './session.ts'

interface Subnets {
  readonly server: string
  readonly pool: string
  readonly prefix_length: number
  readonly total: number
  readonly free: number
  readonly taken: readonly { range: string; environment: string; customer: string }[]
  readonly foreign: readonly { range: string; holder: string; seen_at: string }[]
}

export function registerSubnets(program: Command): void {
  const group = program
    .command('subnets')
    .alias('subnet')
    .summary('the addresses that a server has for networks')
    .description('Every environment on a server has a small subnet of its own, from a pool of the server.')
    .addHelpText(
      'before',
      `Examples
  npx clouder subnets show local
  npx clouder subnets set local 10.220.0.0/15
`,
    )
  group
    .command('show')
    .description('how many are left, and who has which; exit code 7 where none is')
    .argument('<server>', 'its code or id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [server] }) => {
        return show(out, await api.get<Subnets>(subnetsOf(server)))
      }),
    )
  group
    .command('set')
    .description('say from which addresses; environments that are there keep what they have')
    .argument('<server>', 'its code or id')
    .argument('<pool>', 'such as 10.220.0.0/16')
    .option('--prefix-length <length>', 'of each subnet; as before where it is left out')
    .action(
      withSession<[string, string], { prefixLength?: string }>(
        async ({ api, out }, { args: [server, pool], options }) => {
          const before = await api.get<Subnets>(subnetsOf(server))
          const prefixLength = Number(options.prefixLength ?? before.prefix_length)
          return show(out, await api.put<Subnets>(subnetsOf(server), { pool, prefix_length: prefixLength }))
        },
      ),
    )
}

function subnetsOf(server: string): string {
  return `${addressOf(server)}/subnets`
}

function show(out: Output, subnets: Subnets): ExitCode {
  const code = subnets.free === 0 ? exitCodes.warnings : exitCodes.ok
  if (out.isJson) return (out.json(subnets), code)
  const { server, pool, prefix_length: length, total, free } = subnets
  out.say(`  ${free} of ${total} subnets of /${length} in ${pool} are free on ${server}`)
  out.table(
    ['range', 'who has it', ''],
    [
      ...subnets.taken.map((row) => [row.range, row.environment, row.customer]),
      ...subnets.foreign.map((row) => [row.range, row.holder, 'not ours']),
    ],
  )
  return code
}
