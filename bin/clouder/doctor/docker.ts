import { z } from 'zod'
import { fail, NothingToLookAt, ok, skipped, warn, type Check, type Finding } from './check.ts'
import { lookAtDisk } from './machine.ts'
import type { Place } from './place.ts'
import { getInstallation } from '#db/read/installation.ts'
import { listServersWithInstances } from '#db/read/operation.ts'
import { connectEngine } from '#docker/engine.ts'
import { tryIsolation } from '#docker/isolation.ts'
import { createDockerRunner } from '#docker/runner.ts'
import { encodeId } from '#domain/identifier.ts'
import type { RunnerContext, ServerResource } from '#domain/runner.ts'

const oldestApiMinor = 41
const infoSchema = z.object({ DockerRootDir: z.string().optional() })

export function dockerChecks(place: Place): Check[] {
  const describe = async () => {
    await requireUse(place)
    return await runnerOf(place).describe(context())
  }
  const compare = async () => await compareInstances(place)
  return [
    {
      name: 'Docker',
      wanted: `the engine answers with API 1.${oldestApiMinor} or later`,
      command: 'docker version   # or: DOCKER_HOST=unix:///… names another engine',
      look: async () => {
        const { engineVersion, apiVersion, containers } = await describe()
        const found = `${engineVersion}, API ${apiVersion}, ${containers} containers`
        return Number(apiVersion.split('.')[1]) >= oldestApiMinor ? ok(found) : fail(found)
      },
    },
    {
      name: 'cgroup version',
      wanted: '2: limits of memory and processes hold',
      command: 'https://docs.docker.com/engine/containers/runmetrics/#changing-cgroup-version',
      look: async () => {
        const { cgroupVersion } = await describe()
        return cgroupVersion === '2' ? ok(cgroupVersion) : warn(cgroupVersion)
      },
    },
    {
      name: 'Docker disk',
      wanted: '5 GiB or more free where images and volumes are',
      command: 'docker system df',
      look: async () => {
        await requireUse(place)
        return await lookAtEngineDisk(place)
      },
    },
    {
      name: 'network isolation',
      wanted: 'a container is not reached from another network',
      command:
        'have the engine filter packets: no "iptables": false in /etc/docker/daemon.json, then restart it',
      look: async () => {
        await requireUse(place)
        return await tryNetworks(place)
      },
    },
    {
      name: 'server for orders',
      wanted: 'one that takes what is ordered',
      command: 'npx clouder servers add rack-1 --engine tcp://…   # or: npx clouder servers undrain local',
      look: async () => judgeOrders(await listServers(place)),
    },
    {
      name: 'containers without instance',
      wanted: 'none of ours',
      command: 'docker ps -a --filter label=io.clouder.managed=true',
      look: async () => {
        const { orphans } = await compare()
        return orphans.length === 0 ? ok('none') : warn(orphans.map(({ name }) => name).join(', '))
      },
    },
    {
      name: 'instances without container',
      wanted: 'none that should run',
      command: 'npx clouder tasks',
      look: async () => {
        const { bare } = await compare()
        return bare.length === 0 ? ok('none') : fail(bare.join(', '))
      },
    },
  ]
}

/** Of an installation that was sold there is none at first: it has no right on the engine of who hosts it. */
export function judgeOrders(servers: readonly { code: string; draining_since: string | null }[]): Finding {
  const open = servers.filter((server) => server.draining_since === null)
  if (open.length > 0) return ok(open.map(({ code }) => code).join(', '))
  return warn(
    servers.length === 0 ? 'none' : `none: ${servers.map(({ code }) => code).join(', ')} takes nothing new`,
  )
}

/** An installation that runs dry needs no engine. Where its rows cannot be read, the engine is looked at all the same. */
async function requireUse(place: Place): Promise<void> {
  const servers = await listServers(place).catch(() => [])
  if (servers.length > 0 && servers.every(({ runner }) => runner === 'dry-run'))
    throw new NothingToLookAt('This installation runs dry: no engine is used.')
}

async function listServers(place: Place) {
  return await listServersWithInstances(await place.database())
}

/** Only asks: what a build needs besides is not wired. */
function runnerOf({ dockerHost }: Place) {
  return createDockerRunner({
    applicationsFolder: '',
    busyboxPath: '',
    ...(dockerHost === undefined ? {} : { dockerHost }),
  })
}

function context(): RunnerContext {
  return { abortSignal: AbortSignal.timeout(8_000), onProgress: () => undefined, secrets: {} }
}

async function lookAtEngineDisk({ dockerHost }: Place): Promise<Finding> {
  const info = infoSchema.parse(await connectEngine(dockerHost).info())
  const isLocal = dockerHost === undefined || dockerHost.startsWith('unix:')
  if (!isLocal || info.DockerRootDir === undefined) return skipped('the engine is on another machine')
  try {
    return lookAtDisk(info.DockerRootDir)
  } catch {
    return skipped(`${info.DockerRootDir} may not be looked at`)
  }
}

/** Tried with an image that a build has left; where nothing was built yet nothing needs to be kept apart. */
async function tryNetworks({ dockerHost }: Place): Promise<Finding> {
  const docker = connectEngine(dockerHost)
  const images = await docker.listImages({ filters: { label: ['io.clouder.managed=true'] } })
  const image = images
    .flatMap(({ RepoTags: names }) => names ?? [])
    .find((name) => name.startsWith('clouder/demo-base:'))
  if (image === undefined) return skipped('nothing was built here yet that it could be tried with')
  const labels = { 'io.clouder.probe': 'doctor' }
  const { isIsolated, detail } = await tryIsolation(docker, { image, labels }, context()).catch(
    (error: unknown) => {
      throw new NothingToLookAt('It could not be tried in time.', { cause: error })
    },
  )
  return isIsolated ? ok(detail) : fail(detail)
}

/** Rows and engine against each other, for the server on this machine. */
async function compareInstances(place: Place): Promise<{ orphans: ServerResource[]; bare: string[] }> {
  const db = await place.database()
  const server = (await listServers(place)).find(({ code }) => code === 'local')
  if (server === undefined || server.runner !== 'docker')
    throw new NothingToLookAt('No server of this installation uses Docker here.')
  const installation = encodeId('installation', (await getInstallation(db)).id)
  const containers = (await runnerOf(place).listManaged(installation, context())).filter(
    ({ kind }) => kind === 'container',
  )
  const live = new Set(server.instances.map(({ id }) => encodeId('instance', id)))
  const held = new Set(containers.map(({ labels }) => labels['io.clouder.instance']))
  return {
    orphans: containers.filter(({ labels }) => !live.has(labels['io.clouder.instance'] ?? '')),
    bare: server.instances
      .filter(
        ({ id, state }) =>
          ['running', 'limited', 'suspended'].includes(state) && !held.has(encodeId('instance', id)),
      )
      .map(({ name }) => name),
  }
}
