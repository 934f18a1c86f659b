import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { freePort } from '#bin/platform/ports.ts'
import { createOptions } from '#docker/container-options.ts'
import type { ContainerStep } from '#domain/build-plan.ts'

const pollMs = 10
const answerTimeoutMs = 60_000

/**
 * The same containers made by hand: network, container, start, with the very options of a step that Clouder carried out,
 * under another name and port. Made without a look before and a look after, it is the least that the engine needs.
 * @returns how long it took until the address answered 200
 */
export async function timePeerSite(docker: Docker, step: ContainerStep, name: string): Promise<number> {
  const hostPort = await freePort()
  const labels = { [peerLabel]: name }
  const peer: ContainerStep = {
    ...step,
    name,
    labels,
    network: { name, labels },
    publish: { port: step.publish?.port ?? hostPort, hostPort },
  }
  const startedMs = performance.now()
  await docker.createNetwork({ Name: name, Driver: 'bridge', Labels: labels })
  const container = await docker.createContainer(createOptions(peer, {}))
  await container.start()
  await untilAnswers(`http://127.0.0.1:${hostPort}/`)
  return performance.now() - startedMs
}

const peerLabel = 'io.clouder.bench'

export async function removePeerSite(docker: Docker, name: string): Promise<void> {
  await removeLabelled(docker, `${peerLabel}=${name}`)
}

/** Removes, by exact id, the containers and networks that carry a label. */
export async function removeLabelled(docker: Docker, label: string): Promise<void> {
  const filters = { label: [label] }
  for (const { Id } of await docker.listContainers({ all: true, filters }))
    await docker.getContainer(Id).remove({ force: true, v: true })
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove()
}

/** Both sides are waited for alike. */
export async function untilAnswers(url: string): Promise<void> {
  const untilMs = performance.now() + answerTimeoutMs
  while (!(await isAnswering(url))) {
    if (performance.now() > untilMs) throw new Error(`${url} did not answer within ${answerTimeoutMs} ms`)
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
