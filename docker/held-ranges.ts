import { readFile } from 'node:fs/promises'
import type Docker from 'dockerode'
import { z } from 'zod'
import type { Labels } from '#domain/build-plan.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { HeldRange } from '#domain/subnet.ts'
import { call } from './engine.ts'
import { labelFilter } from './identity.ts'

const ROUTES = '/proc/net/route'

/** Addresses that networks of the engine have, and those that its host has a route to, where it is this machine. */
export async function listRanges(docker: Docker, ctx: RunnerContext): Promise<HeldRange[]> {
  const ofNetworks = await listNetworkRanges(docker, ctx)
  return [...ofNetworks, ...(isOnThisMachine(docker) ? await listRoutes() : [])]
}

/** @param labels left out: networks of others, too */
export async function listNetworkRanges(
  docker: Docker,
  ctx: RunnerContext,
  labels: Labels = {},
): Promise<HeldRange[]> {
  const filters = labelFilter(labels)
  const networks = await call(ctx, 'list networks', (abortSignal) =>
    docker.listNetworks({ filters, abortSignal }),
  )
  return networks.flatMap((network) =>
    (network.IPAM?.Config ?? []).flatMap(({ Subnet: range }) =>
      range === undefined ? [] : [{ range, holder: `network ${network.Name}` }],
    ),
  )
}

/** The library looks the usual socket up by itself, by a function, where none is named. */
const modemSchema = z.object({ socketPath: z.unknown().optional() })

/** Its socket is here, thus its host is this machine. */
export function isOnThisMachine({ modem }: Docker): boolean {
  return modemSchema.parse(modem).socketPath !== undefined
}

/** Linux tells its routes in a file; another system's are not known. */
export async function listRoutes(): Promise<HeldRange[]> {
  try {
    return readRoutes(await readFile(ROUTES, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/**
 * The ranges of a route table in the form of `/proc/net/route`, but for the default route, which has all that nobody else has.
 * @example readRoutes('Iface\tDestination\t…\tMask\neth0\t0000A8C0\t…\t00FFFFFF') // [{ range: '192.168.0.0/24', … }]
 */
export function readRoutes(table: string): HeldRange[] {
  const [heading = '', ...lines] = table.split('\n').filter((line) => line.trim() !== '')
  const columns = heading.trim().split(/\s+/)
  const at = (name: string): number => columns.indexOf(name)
  return lines.flatMap((line) => {
    const cells = line.trim().split(/\s+/)
    const prefixLength = bitsOf(cells[at('Mask')] ?? '')
    if (prefixLength === 0) return []
    const address = bytesOf(cells[at('Destination')] ?? '').join('.')
    return [{ range: `${address}/${prefixLength}`, holder: `route of ${cells[at('Iface')] ?? ''}` }]
  })
}

/** Written as the machine has it in memory: the last byte first. */
function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).toReversed()
}

function bitsOf(hex: string): number {
  return bytesOf(hex).reduce((bits, byte) => bits + byte.toString(2).replaceAll('0', '').length, 0)
}
