import { access } from 'node:fs/promises'
import type Docker from 'dockerode'
import { z } from 'zod'
import { containerName, isFront } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { heldRateKbit } from '#domain/limit-hold.ts'
import type { InstanceRef, RunnerContext } from '#domain/runner.ts'
import { isElsewhere } from './engine.ts'
import type { RunOnHost } from './host-rules.ts'
import { findContainer } from './observation.ts'

const disciplines = z.array(
  z.object({
    kind: z.string(),
    dev: z.string(),
    root: z.boolean().optional(),
    options: z.object({ rate: z.number().optional() }).optional(),
  }),
)

/**
 * Shapes what the front containers of an instance send, in their own network namespaces, by the kernel's token bucket. It is entered
 * by the path that the engine names, never by a process id, which may be another process's by now. What they receive is not
 * shaped: of a web application that is the small part, and its sender is slowed by late answers.
 */
export async function throttle(
  { docker, runOnHost }: { docker: Docker; runOnHost: RunOnHost | undefined },
  { definition, instance }: InstanceRef,
  ctx: RunnerContext,
): Promise<void> {
  const rateKbit = heldRateKbit(instance.holds)
  for (const service of definition.services.filter(({ name }) => isFront(definition, name))) {
    const found = await findContainer(docker, containerName(instance, service.name), ctx)
    if (found?.State.Running !== true) continue
    const namespace = isElsewhere(docker) ? undefined : await namespaceOf(found)
    // Where nothing can have been set, there is nothing to be taken back.
    if ((namespace === undefined || runOnHost === undefined) && rateKbit === null) continue
    if (namespace === undefined || runOnHost === undefined)
      throw notEnforceable('its network is not one of this host that can be entered')
    await shape(async (argv) => await enter(runOnHost, namespace, argv), rateKbit)
  }
}

type Tc = (argv: readonly string[]) => Promise<string>

async function shape(tc: Tc, rateKbit: number | null): Promise<void> {
  for (const { dev, kind, rate } of await listDisciplines(tc)) {
    if (rateKbit === null) {
      if (kind === 'tbf') await tc(['qdisc', 'del', 'dev', dev, 'root'])
    } else if (kind !== 'tbf' || rate !== rateKbit * bytesInKilobit) {
      const bucket = ['rate', `${rateKbit}kbit`, 'burst', '16kb', 'latency', '400ms']
      await tc(['qdisc', 'replace', 'dev', dev, 'root', 'tbf', ...bucket])
    }
  }
}

const bytesInKilobit = 125

/** Undefined where it is not on this host, or shares the host's. */
async function namespaceOf({
  NetworkSettings: { SandboxKey: namespace },
  HostConfig,
}: Docker.ContainerInspectInfo): Promise<string | undefined> {
  if (HostConfig.NetworkMode === 'host' || !namespace) return undefined
  const isHere = await access(namespace).then(
    () => true,
    () => false,
  )
  return isHere ? namespace : undefined
}

async function enter(run: RunOnHost, namespace: string, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(['nsenter', `--net=${namespace}`, 'tc', ...argv], '')
  if (code === 0) return stdout
  const [reason = ''] = (stderr.trim() || `nsenter: ${code}`).slice(0, 200).split('\n')
  if (/ENOENT|permitted|denied|unknown|not found|failed to execute/i.test(reason))
    throw notEnforceable(reason)
  throw new Error(`slow down what is sent: ${reason}`)
}

/** What each network card of the container sends by. */
async function listDisciplines(tc: Tc): Promise<{ dev: string; kind: string; rate: number | undefined }[]> {
  const said = disciplines.parse(JSON.parse(await tc(['-j', 'qdisc', 'show'])))
  return said
    .filter(({ dev, root }) => root === true && dev !== 'lo')
    .map(({ dev, kind, options }) => ({ dev, kind, rate: options?.rate }))
}

function notEnforceable(reason: string): BusinessError {
  return new BusinessError(
    'limit_not_enforceable',
    `What is sent cannot be slowed down on this server: ${reason}. Run its worker on the engine's host as root, with tc and nsenter, or sell the limit hard.`,
  )
}
