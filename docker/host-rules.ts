import type Docker from 'dockerode'
import { z } from 'zod'
import { installationLabels } from '#domain/build-plan.ts'
import {
  findLacking,
  planChains,
  toRestoreText,
  type GuestAddresses,
  type HostRules,
} from '#domain/host-rules.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { ask, call } from './engine.ts'
import { isOnThisMachine, listNetworkRanges } from './held-ranges.ts'

/** How a command on the engine's host ended: its exit code, or why there was none, such as `ENOENT`. */
export interface HostCommandEnd {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** Carries out one command on the engine's host; no shell reads its arguments. */
export type RunOnHost = (argv: readonly string[], input: string) => Promise<HostCommandEnd>

/** Packets from containers to others pass the first one, which the engine leaves to its owner; those to the host the second. */
const PARENTS = ['DOCKER-USER', 'INPUT'] as const
/** Others change the rules, too. */
const WAIT = ['--wait', '5'] as const

const infoSchema = z.object({
  OSType: z.string().optional(),
  OperatingSystem: z.string().optional(),
  SecurityOptions: z.array(z.string()).nullish(),
})

/**
 * Sees to it that containers of an installation reach neither their host nor where its cloud tells about it: rules of the host's packet
 * filter, in chains of our own. Only what is lacking is made; nothing of others is changed, and nothing is ever removed.
 * @returns what was seen afterwards; it does not throw for what the host does not let us do
 */
export async function keepHostRules(
  { docker, runOnHost }: { docker: Docker; runOnHost: RunOnHost | undefined },
  { installation, pool }: Omit<GuestAddresses, 'networks'>,
  ctx: RunnerContext,
): Promise<HostRules> {
  if (runOnHost === undefined) return { state: 'off', detail: 'no rules of the host are wanted' }
  const elsewhere = await whyElsewhere(docker, ctx)
  if (elsewhere !== undefined) return { state: 'not_possible', detail: elsewhere }
  const own = await listNetworkRanges(docker, ctx, installationLabels(installation))
  return await keepChains({ installation, pool, networks: own.map(({ range }) => range) }, runOnHost)
}

async function whyElsewhere(docker: Docker, ctx: RunnerContext): Promise<string | undefined> {
  if (!isOnThisMachine(docker)) return 'the engine is on another host'
  const info = infoSchema.parse(
    await call(ctx, 'describe the engine', (signal) => ask(docker, 'info', signal)),
  )
  if (process.platform !== 'linux' || info.OSType !== 'linux') return 'the engine is not on Linux'
  if (/docker desktop/i.test(info.OperatingSystem ?? '')) return 'the engine is in a virtual machine'
  const isRootless = info.SecurityOptions?.some((option) => option.includes('rootless')) === true
  return isRootless ? 'the engine is rootless: its networks are in a namespace of their own' : undefined
}

/** The same for addresses that are known, without an engine. */
export async function keepChains(guests: GuestAddresses, runOnHost: RunOnHost): Promise<HostRules> {
  const filter = { runOnHost, chains: planChains(guests) }
  try {
    const before = await listRules(filter)
    if (!before.split('\n').includes('-N DOCKER-USER'))
      return { state: 'not_possible', detail: 'the engine keeps no chain DOCKER-USER on this host' }
    const lacking = findLacking(before, filter.chains, PARENTS)
    if (isAnyLacking(lacking)) {
      await makeLacking(filter, lacking)
      if (isAnyLacking(findLacking(await listRules(filter), filter.chains, PARENTS)))
        return { state: 'failed', detail: 'the rules were set, and are not listed' }
    }
    return { state: 'kept', detail: `chain ${filter.chains[0].name}, from ${PARENTS.join(' and ')}` }
  } catch (error) {
    if (error instanceof CommandFailed) return explain(error.end)
    throw error
  }
}

interface Filter {
  readonly runOnHost: RunOnHost
  readonly chains: ReturnType<typeof planChains>
}

class CommandFailed extends Error {
  readonly end: HostCommandEnd

  constructor(end: HostCommandEnd) {
    super(end.stderr)
    this.name = 'CommandFailed'
    this.end = end
  }
}

type Lacking = ReturnType<typeof findLacking>

function isAnyLacking({ chains, parents }: Lacking): boolean {
  return chains.length + parents.length > 0
}

async function makeLacking(filter: Filter, lacking: Lacking): Promise<void> {
  const { chains } = filter
  if (lacking.chains.length > 0)
    await run(filter, ['iptables-restore', ...WAIT, '--noflush'], toRestoreText(chains))
  for (const parent of lacking.parents)
    await run(filter, ['iptables', ...WAIT, '-I', parent, '-j', chains[0].name])
}

async function listRules(filter: Filter): Promise<string> {
  return await run(filter, ['iptables', ...WAIT, '-S'])
}

async function run({ runOnHost }: Filter, argv: readonly string[], input = ''): Promise<string> {
  const end = await runOnHost(argv, input)
  if (end.code !== 0) throw new CommandFailed(end)
  return end.stdout
}

function explain({ code, stderr }: HostCommandEnd): HostRules {
  if (code === 'ENOENT') return { state: 'not_possible', detail: 'there is no iptables on this host' }
  const [first = ''] = stderr.trim().split('\n')
  const isForbidden =
    code === 'EACCES' || /permission denied|operation not permitted|must be root/i.test(stderr)
  return { state: isForbidden ? 'not_permitted' : 'failed', detail: first || `iptables ended with ${code}` }
}
