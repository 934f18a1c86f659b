import { mkdirSync } from 'node:fs'
import type { Command } from 'commander'
import { keepJoinedServer, readJoinedServer, type JoinedServer } from '#bin/joined-server.ts'
import { exitCodeOf, loaderFlags, runTool } from '#bin/platform/tools.ts'
import type { JoinToken } from './answers.ts'
import { postOpenly } from './client.ts'
import { usageFailure } from './failure.ts'
import { instantText } from './format.ts'
import { addressOf } from './server-capacity.ts'
import { withSession, outputOf, type GlobalOptions } from './session.ts'
import { dataFolderOf } from './settings.ts'
import { shellOf, type Shell } from './shell.ts'

/** How the worker of a server joins, told where the server was added, and done on its host. */
export function addJoining(group: Command): void {
  group
    .command('token <server>')
    .description('issue the token with which the worker of a server joins; shown once, good for an hour')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const issued = await api.post<JoinToken>(`${addressOf(id)}/join-token`, {})
        if (out.isJson) return out.json(issued)
        out.facts([
          ['token', issued.token],
          ['good until', instantText(issued.expires_at)],
        ])
        out.say(
          `\n  It is not shown again. On the host of the server, in a copy of Clouder:\n  ${issued.command}`,
        )
      }),
    )
  group
    .command('join <token>')
    .description('on the host of a server: redeem its token, then do its work')
    .requiredOption('--url <address>', 'of the API, as this host reaches it')
    .option('--no-work', 'only join; npx clouder servers work does the work')
    .action(async function (this: Command, token: string) {
      await join(shellOf(this), token, this.optsWithGlobals<Joining & GlobalOptions>())
    })
  group
    .command('work')
    .description('on the host of a server that has joined: do its work until it is stopped')
    .action(async function (this: Command) {
      const shell = shellOf(this)
      const joined = readJoinedServer(dataFolderOf(shell.env))
      if (joined === undefined)
        throw usageFailure(
          'No server has joined from here.',
          'npx clouder servers join TOKEN --url https://…',
        )
      await work(shell, joined)
    })
}

interface Joining {
  readonly url: string
  readonly work: boolean
}

async function join(shell: Shell, token: string, options: Joining & GlobalOptions): Promise<void> {
  requireSafe(options.url)
  const out = outputOf(shell, options)
  const joined = await postOpenly<JoinedServer>(options.url, '/v1/servers/join', { token })
  const folder = dataFolderOf(shell.env)
  mkdirSync(folder, { recursive: true })
  const file = keepJoinedServer(folder, joined)
  out.say(`  Joined as server ${joined.code}; what it needs is in ${file}.`)
  if (options.work) await work(shell, joined)
}

/** The answer holds the installation's key: it goes through TLS, or stays on this machine. */
function requireSafe(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(parsed?.hostname ?? '')
  if (parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isHere)) return
  throw usageFailure(
    'The address of the API must begin with https:// unless it is on this host.',
    '--url https://…',
  )
}

async function work(shell: Shell, { code }: JoinedServer): Promise<void> {
  shell.stderr.write(`  Working for server ${code}; Ctrl-C stops.\n`)
  const child = runTool('node', [...loaderFlags, 'bin/server-worker.ts'], {
    CLOUDER_DATA: dataFolderOf(shell.env),
  })
  // It gets Ctrl-C from the terminal itself; what only this process is told is handed on.
  shell.on('SIGINT', () => {})
  shell.on('SIGTERM', () => child.kill('SIGTERM'))
  shell.exitCode = await exitCodeOf(child)
}
