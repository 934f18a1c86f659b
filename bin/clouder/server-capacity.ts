import type { Command } from 'commander'
import Big from 'big.js'
import { resourceNames, sayAmount, type CapacityResource } from '#domain/capacity.ts'
import type { Instance, Placement, Server } from './answers.ts'
import { usageFailure } from './failure.ts'
import { gather } from './list.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

interface Said {
  readonly memory?: string
  readonly cpus?: string
  readonly disk?: string
  readonly instances?: string
  readonly efficiency?: string
  readonly tag?: readonly string[]
  readonly tags?: false
  readonly asEngine?: true
}

/** How much a server offers and to what, and where an application would go. */
export function addServerCapacity(group: Command): void {
  group
    .command('set <server>')
    .description('say how much it has, what part of that is offered, and its tags; "none" is not counted')
    .option('--memory <size>', 'such as 16g')
    .option('--cpus <number>', 'such as 8')
    .option('--disk <size>', 'such as 500g')
    .option('--instances <number>', 'at most so many')
    .option('--as-engine', 'memory and processors as its engine tells them')
    .option('--efficiency <decimal>', 'the part that is offered, such as 0.8')
    .option('--tag <tag>', 'it takes only what asks for the tag, as often as there are any', gather)
    .option('--no-tags', 'it has no tags any more')
    .action(
      withSession<[string], Said>(async ({ api, out }, { args: [id], options }) => {
        const path = addressOf(id)
        const engine = options.asEngine ? asEngine(await api.get<Server>(path)) : {}
        const body = toChange(options, engine)
        if (Object.keys(body).length === 0)
          throw usageFailure('Nothing is said of the server.', 'npx clouder servers set --help')
        showCapacity(out, await api.patch<Server>(path, body))
      }),
    )
  addDraining(group)
  addRemoval(group)
  addWhere(group)
}

function addDraining(group: Command): void {
  group
    .command('drain <server>')
    .description('nothing new is placed on it; says what is still there')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const server = await api.patch<Server>(addressOf(id), { draining: true })
        const { rows } = await api.list<Instance>('/v1/instances', { server: server.id }, 500)
        if (out.isJson) return out.json({ server, instances: rows })
        out.table(
          ['id', 'name', 'application', 'state', 'subscription'],
          rows.map((row) => [row.id, row.name, row.application, row.state, row.subscription]),
        )
        const next = rows.length === 0 ? `rm ${server.code}` : `undrain ${server.code}`
        out.say(`\n  ${server.code} takes nothing new. Next  npx clouder servers ${next}`)
      }),
    )
  group
    .command('undrain <server>')
    .description('it takes new instances again')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) =>
        showCapacity(out, await api.patch<Server>(addressOf(id), { draining: false })),
      ),
    )
}

function addRemoval(group: Command): void {
  group
    .command('rm <server>')
    .description('remove one on which nothing is; what is there is listed')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        await api.delete(addressOf(id))
        if (out.isJson) return out.json({ removed: id })
        out.facts([['removed', id]])
      }),
    )
}

function addWhere(group: Command): void {
  group
    .command('where <application>')
    .description('say where an instance of it would go now, and why')
    .option('--server <server>', 'where it should be, if it can be there')
    .option('--environment <id>', 'beside the instances of this environment')
    .action(
      withSession<[string], { server?: string; environment?: string }>(
        async ({ api, out }, { args: [application], options: { server, environment } }) => {
          const placement = await api.get<Placement>(
            `/v1/applications/${encodeURIComponent(application)}/placement`,
            {
              server,
              environment,
            },
          )
          if (out.isJson) return out.json(placement)
          showPlacement(out, placement)
        },
      ),
    )
}

/** Every server, with why it is the one and why it is not. */
export function showPlacement(out: Output, { servers }: Placement): void {
  out.table(
    ['', 'server', 'why'],
    servers.map((row) => [
      row.is_chosen ? 'here' : row.fits ? 'fits' : 'no',
      row.server,
      row.reasons.map(({ detail }) => detail).join('; '),
    ]),
  )
  if (servers.length === 0) out.say('  None. npx clouder servers add NAME')
}

/** What it offers, by resource; what is not counted offers as much as is asked for. */
export function showCapacity(out: Output, server: Server): void {
  if (out.isJson) return out.json(server)
  const say = (resource: CapacityResource, amount: string | null) =>
    amount === null ? 'not counted' : sayAmount(resource, amount)
  out.table(
    [server.code, 'offered', 'reserved', 'free'],
    resourceNames.map(([name, resource]) => {
      const { offered, reserved, free } = server.capacity[name]
      return [
        name,
        say(resource, offered),
        say(resource, reserved),
        offered === null ? null : say(resource, free),
      ]
    }),
  )
  out.facts([
    ['efficiency', server.efficiency],
    ['tags', server.tags.length === 0 ? null : server.tags.join(', ')],
    ['draining', server.draining_since],
  ])
}

/** The free memory of a list's row, else how many instances it could take. */
export function freeText({ capacity }: Server): string | null {
  const { memory_mib: memory, instances } = capacity
  if (memory.free !== null) return sayAmount('memoryMib', memory.free)
  return instances.free === null ? null : sayAmount('instances', instances.free)
}

/** @param id its code or id, as a person typed it */
export function addressOf(id: string): string {
  return `/v1/servers/${encodeURIComponent(id)}`
}

function toChange(said: Said, engine: object): Record<string, unknown> {
  const capacity = {
    ...engine,
    ...(said.memory === undefined ? {} : { memory_mib: toMib(said.memory) }),
    ...(said.cpus === undefined ? {} : { cpus: said.cpus === 'none' ? null : said.cpus }),
    ...(said.disk === undefined ? {} : { disk_mib: toMib(said.disk) }),
    ...(said.instances === undefined
      ? {}
      : { instances: said.instances === 'none' ? null : Number(said.instances) }),
  }
  return {
    ...(Object.keys(capacity).length === 0 ? {} : { capacity }),
    ...(said.efficiency === undefined ? {} : { efficiency: said.efficiency }),
    ...(said.tag === undefined ? {} : { tags: said.tag }),
    ...(said.tags === false ? { tags: [] } : {}),
  }
}

/** What an engine said when it was asked last. */
function asEngine({ code, facts }: Server): object {
  const { memoryMib, cpus } = facts
  if (typeof memoryMib !== 'number' || typeof cpus !== 'number')
    throw usageFailure(`The engine of ${code} has not told yet what it has.`, '--memory 16g --cpus 8')
  return { memory_mib: memoryMib, cpus }
}

const mibOf: Readonly<Record<string, number>> = { m: 1, g: 1024, t: 1024 * 1024 }

/** `16g` is 16384; `none` is null. */
function toMib(text: string): number | null {
  if (text === 'none') return null
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([mgt])$/i.exec(text) ?? []
  const mib = mibOf[unit.toLowerCase()]
  if (mib === undefined) throw usageFailure(`${text} is not a size.`, 'write it like 512m, 16g or 2t')
  return new Big(number).times(mib).round().toNumber()
}
