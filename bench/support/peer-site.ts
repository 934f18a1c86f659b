import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { freePort } from '#bin/platform/ports.ts'
import { createOptions } from '#docker/container-options.ts'
import type { ContainerStep } from '#domain/build-plan.ts'

/** Looks at all that is waited for, taken together, cost alike however many they are: a tenth of a processor, not all of it. */
const looksPerSecond = 100
const answerTimeoutMs = 60_000

/**
 * The same containers made by hand: one network, and all at once container and start, with the very options of a step that
 * Clouder carried out, under other names and ports. Made without a look before and a look after, it is the least that the
 * engine needs.
 * @returns how long it took until each address answered 200
 */
export async function timePeerSites(
  docker: Docker,
  step: ContainerStep,
  { name, count, patienceMs }: { name: string; count: number; patienceMs?: number },
): Promise<number> {
  const labels = { [peerLabel]: name }
  const ports: number[] = []
  while (ports.length < count) {
    const port = await freePort()
    if (!ports.includes(port)) ports.push(port)
  }
  const startedMs = performance.now()
  await docker.createNetwork({ Name: name, Driver: 'bridge', Labels: labels })
  await Promise.all(
    ports.map(async (hostPort, index) => {
      const peer: ContainerStep = {
        ...step,
        name: `${name}-${index}`,
        labels,
        network: { name, labels },
        publish: { port: step.publish?.port ?? hostPort, hostPort },
      }
      const container = await docker.createContainer(createOptions(peer, {}))
      await container.start()
      await untilAnswers(`http://127.0.0.1:${hostPort}/`, { patienceMs, count })
    }),
  )
  return performance.now() - startedMs
}

const peerLabel = 'io.clouder.bench'

export async function removePeerSite(docker: Docker, name: string): Promise<void> {
  await removeLabelled(docker, `${peerLabel}=${name}`)
}

/** Removes, by exact id, the containers and networks that carry a label. */
export async function removeLabelled(docker: Docker, label: string): Promise<void> {
  const filters = { label: [label] }
  const containers = await docker.listContainers({ all: true, filters })
  await Promise.all(
    containers.map(async ({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })),
  )
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove()
}

/** Both sides are waited for alike. */
export async function untilAnswers(
  url: string,
  { patienceMs = answerTimeoutMs, count = 1 }: { patienceMs?: number | undefined; count?: number } = {},
): Promise<void> {
  const pollMs = Math.max(10, (count * 1_000) / looksPerSecond)
  const untilMs = performance.now() + patienceMs
  while (!(await isAnswering(url))) {
    if (performance.now() > untilMs) throw new Error(`${url} did not answer within ${patienceMs} ms`)
    await sleep(pollMs)
  }
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    const res = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await res.body?.cancel()
    return res.status === 200
  } catch {
    return false
  }
}
