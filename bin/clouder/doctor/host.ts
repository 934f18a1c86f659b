import { NothingToLookAt, ok, skipped, warn, type Check, type Finding } from './check.ts'
import type { Place } from './place.ts'
import { listHostRules } from '#db/host-rules.ts'
import { listRoutes } from '#docker/held-ranges.ts'
import { overlaps } from '#domain/subnet.ts'

/** What is between containers and the hosts that they run on. */
export function hostChecks(place: Place): Check[] {
  return [
    {
      name: 'host rules',
      wanted: 'no container reaches its server, nor the metadata address of a cloud',
      command:
        'give the worker of the server the right (CAP_NET_ADMIN), or set the rules by hand: docs/running.md, Rules of the host',
      look: async () => judgeRules(await readRules(place)),
    },
    {
      name: 'addresses of the pool',
      wanted: 'this host has no route of its own to them',
      command: 'npx clouder subnets set local 10.…/16   # a range that nothing here has a route to',
      look: async () => {
        const local = (await readRules(place)).find(({ code }) => code === 'local')
        if (local === undefined) throw new NothingToLookAt('No server of this installation uses Docker here.')
        return judgeRoutes(local.pool, await listRoutes())
      },
    },
  ]
}

type Servers = Awaited<ReturnType<typeof listHostRules>>

async function readRules(place: Place): Promise<Servers> {
  return await listHostRules(await place.database())
}

/** As each server's worker saw it when it compared last: whoever asks may not be allowed to look. */
export function judgeRules(servers: Servers): Finding {
  const looked = servers.filter(({ rules }) => rules !== null && rules.state !== 'off')
  if (looked.length === 0) return skipped('none is kept, or nobody has looked yet')
  const open = looked.filter(({ rules }) => rules?.state !== 'kept')
  if (open.length === 0) return ok(`kept on ${looked.map(({ code }) => code).join(', ')}`)
  return warn(open.map(({ code, rules }) => `${code}: ${rules?.detail ?? ''}`).join('; '))
}

/** Bridges have the addresses of networks, which are known and skipped one by one. */
export function judgeRoutes(pool: string, routes: Awaited<ReturnType<typeof listRoutes>>): Finding {
  const met = routes.filter(({ range, holder }) => overlaps(range, pool) && !/ (?:br-|docker)/.test(holder))
  if (met.length === 0) return ok(`${pool}: none`)
  const held = met.map(({ range, holder }) => `${holder} has ${range}`).join(', ')
  return warn(`${pool} is not all ours: ${held}. That part is skipped`)
}
