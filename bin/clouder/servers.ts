import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { messageOf } from '#domain/errors.ts'
import type { Server, ServerTest } from './answers.ts'
import type { Output } from './output.ts'
import { usageFailure } from './failure.ts'
import { ageText, instantText } from './format.ts'
import { addJoining } from './server-joining.ts'
import { limitOption, tellMore } from './list.ts'
import { addressOf, addServerCapacity, freeText, showCapacity } from './server-capacity.ts'
import { withSession, type Session } from './session.ts'

export function registerServers(program: Command): void {
  const group = program
    .command('servers')
    .alias('server')
    .summary('list, add and test the hosts that things are built on')
    .description(
      'Docker hosts, each with a worker of its own or reached through TLS; and work centres of people.',
    )
    .addHelpText(
      'before',
      `Examples
  npx clouder servers
  npx clouder servers set rack-2 --memory 64g --efficiency 0.8 --tag gpu
  npx clouder servers where wordpress
  npx clouder servers add rack-2 && npx clouder servers token rack-2
  npx clouder servers test rack-2
  npx clouder servers add rack-3 --engine tcp://10.0.0.7:2376 --ca ca.pem --certificate cert.pem --key key.pem
`,
    )
  group
    .command('ls')
    .description('list servers, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(withSession<[], { limit: number }>(async (session, { options }) => list(session, options.limit)))
  group
    .command('show <server>')
    .description('show one, with what its engine says of itself')
    .action(withSession<[string]>(async (session, { args: [id] }) => show(session, await read(session, id))))
  group
    .command('test <server>')
    .description('try the connection: versions, what is free, what is allowed; or why not, within 10 s')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const test = await api.post<ServerTest>(`${addressOf(id)}/test`, {})
        return out.isJson ? out.json(test) : showTest(out, test)
      }),
    )
  addAdding(group)
  addServerCapacity(group)
  addJoining(group)
}

interface Adding {
  readonly people?: true
  readonly ports?: string
  readonly engine?: string
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
}

function addAdding(group: Command): void {
  group
    .command('add <name>')
    .description('add one: with --engine it is reached through TLS, else a worker of its own joins')
    .option('--ports <first-last>', 'what its instances publish (200 after those of the other servers)')
    .option('--people', 'a work centre of people instead of a host')
    .option('--engine <address>', 'tcp://host:port of an engine behind TLS')
    .option('--ca <file>', 'certificate of who signed the engine’s')
    .option('--certificate <file>', 'certificate by which the engine knows this installation')
    .option('--key <file>', 'its key; it is sealed, and never shown again')
    .action(
      withSession<[string], Adding>(async (session, { args: [code], options }) => {
        const server = await session.api.post<Server>('/v1/servers', {
          code,
          resource_kind: options.people ? 'people' : undefined,
          engine: readEngine(options),
          ports: options.ports === undefined ? undefined : readPorts(options.ports),
        })
        show(session, server)
        if (server.connection === 'own_worker')
          session.out.say(`\n  Next  npx clouder servers token ${server.code}`)
      }),
    )
}

/** Files are read here: the API gets what is in them. */
function readEngine({ engine: address, ca, certificate, key }: Adding) {
  const files = { ca, certificate, key }
  if (address === undefined && Object.values(files).every((file) => file === undefined)) return undefined
  const read = (option: keyof typeof files): string => {
    const file = files[option]
    if (file === undefined)
      throw usageFailure(`An engine behind TLS needs --${option}.`, `--${option} FILE.pem`)
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      throw usageFailure(`${file} cannot be read: ${messageOf(error)}`, `--${option} FILE.pem`)
    }
  }
  if (address === undefined)
    throw usageFailure('Certificates are of no use without --engine.', '--engine tcp://host:2376')
  return { address, ca: read('ca'), certificate: read('certificate'), key: read('key') }
}

function readPorts(text: string): { first: number; last: number } {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []
  if (first === undefined || last === undefined)
    throw usageFailure(`${text} is no range of ports.`, '--ports 21000-21199')
  return { first: Number(first), last: Number(last) }
}

async function list({ api, out }: Session, limit: number): Promise<void> {
  const found = await api.list<Server>('/v1/servers', {}, limit)
  if (out.isJson) return out.json(found.rows)
  out.table(
    ['id', 'name', 'kind', 'state', 'seen', 'engine', 'instances', 'free', 'tags'],
    found.rows.map((row) => [
      row.id,
      row.code,
      kindText(row),
      row.state,
      ageText(row.last_seen_at, Date.now()),
      factText(row, 'engineVersion'),
      row.instances,
      row.draining_since === null ? freeText(row) : 'draining',
      row.tags.length === 0 ? null : row.tags.join(', '),
    ]),
  )
  tellMore(out, found, 'npx clouder servers add NAME')
}

function kindText(server: Server): string {
  if (server.connection === null) return server.resource_kind
  return server.runner === 'dry-run' ? 'dry run' : server.connection.replace('_', ' ')
}

function factText({ facts }: Server, name: string): string | null {
  const fact = facts[name]
  return typeof fact === 'string' || typeof fact === 'number' ? String(fact) : null
}

async function read({ api }: Session, id: string): Promise<Server> {
  return await api.get<Server>(addressOf(id))
}

function show({ out }: Session, server: Server): void {
  if (out.isJson) return out.json(server)
  out.facts([
    ['server', server.id],
    ['name', server.code],
    ['kind', kindText(server)],
    ['state', server.state],
    ['seen', `${ageText(server.last_seen_at, Date.now())} (${instantText(server.last_seen_at)})`],
    ['engine', factText(server, 'engineVersion')],
    ['address', server.engine_address],
    ['ports', server.ports === null ? null : `${server.ports.first}–${server.ports.last}`],
    ['instances', server.instances],
    ...(server.failure === null ? [] : ([['failure', server.failure.detail]] as const)),
  ])
  if (server.resource_kind !== 'people') showCapacity(out, server)
}

function showTest(out: Output, test: ServerTest): void {
  const { free, rights } = test
  out.facts([
    ['server', test.server],
    ['engine', `${test.engine_version}, API ${test.api_version}`],
    ['processors', `${free.cpus} of ${test.cpus} free`],
    ['memory', `${free.memory_mib} of ${test.memory_mib} MiB free`],
    ['containers', `${test.containers}, ${test.unlimited_containers} run without a limit`],
    ['rights', `list: ${rights.list ? 'yes' : 'no'}, create: ${rights.create ? 'yes' : 'no'}`],
  ])
}
