import { accessSync, constants, existsSync, readFileSync, statSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { fail, ok, skipped, warn, type Check, type Finding } from './check.ts'
import type { Place } from './place.ts'
import { holderOf, isPortFree } from '#bin/platform/ports.ts'
import { projectFolder } from '#bin/platform/tools.ts'

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), optional: z.boolean().optional() }),
  ),
})
const oldestNode = 26
const gib = 1024 ** 3
const mib = 1024 ** 2

export function machineChecks(place: Place): Check[] {
  const { dataFolder } = place
  return [
    {
      name: 'Node version',
      wanted: `Node ${oldestNode} or later, as the project brings it`,
      command: 'npm ci',
      look: () =>
        Number(process.versions.node.split('.')[0]) >= oldestNode
          ? ok(process.versions.node)
          : fail(process.versions.node),
    },
    {
      name: 'npm dependencies',
      wanted: 'what package-lock.json names',
      command: 'npm ci',
      look: lookAtDependencies,
    },
    {
      name: 'data folder',
      wanted: 'a folder that this user may write to',
      command: `mkdir -p ${dataFolder} && sudo chown "$USER" ${dataFolder}`,
      look: () => lookAtFolder(dataFolder),
    },
    {
      name: 'free disk',
      wanted: '5 GiB or more; below 1 GiB nothing starts',
      command: 'CLOUDER_DATA=/a/bigger/disk npm start   # or make room',
      look: () => lookAtDisk(existsSync(dataFolder) ? dataFolder : projectFolder),
    },
    {
      name: 'memory',
      wanted: '512 MiB or more available',
      command: 'ps aux --sort=-rss | head',
      look: () => {
        const free = Math.floor(process.availableMemory() / mib)
        return free < 512 ? warn(`${free} MiB available`) : ok(`${free} MiB available`)
      },
    },
    ...secretChecks(dataFolder),
    {
      name: 'ports',
      wanted: 'each held by the part that it belongs to, or free',
      command: 'CLOUDER_PORT=4500 npm start   # another one; npm start -- --help names all',
      look: () => lookAtPorts(place),
    },
  ]
}

function lookAtDependencies(): Finding {
  const read = (file: string) =>
    lockSchema.parse(JSON.parse(readFileSync(join(projectFolder, file), 'utf8'))).packages
  const wanted = read('package-lock.json')
  const installed = read('node_modules/.package-lock.json')
  const differing = Object.entries(wanted).filter(([path, { version, optional }]) => {
    if (path === '' || (optional && installed[path] === undefined)) return false
    return installed[path]?.version !== version
  })
  const names = differing.map(([path]) => path.replace(/^node_modules\//, ''))
  if (names.length === 0) return ok(`${Object.keys(wanted).length} packages, as locked`)
  return fail(`other than locked: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ' …' : ''}`)
}

function lookAtFolder(folder: string): Finding {
  if (!existsSync(folder)) return warn(`${folder} is not there yet`)
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    return ok(folder)
  } catch {
    return fail(`${folder} may not be written to`)
  }
}

export function lookAtDisk(folder: string): Finding {
  const { bavail, blocks, bsize } = statfsSync(folder)
  const freeGib = (bavail * bsize) / gib
  const found = `${freeGib.toFixed(1)} of ${((blocks * bsize) / gib).toFixed(1)} GiB free where ${folder} is`
  if (freeGib < 1) return fail(found)
  return freeGib < 5 ? warn(found) : ok(found)
}

/** A secret that others on the machine may read is no secret. */
function secretChecks(folder: string): Check[] {
  return [
    { name: 'secrets file', file: join(folder, 'secrets.json'), mode: '600' },
    { name: 'key file', file: join(folder, 'installation.key'), mode: '400' },
    { name: 'API key file', file: join(folder, 'cli.json'), mode: '600' },
  ].map(({ name, file, mode }) => ({
    name,
    wanted: `mode ${mode}: for its owner alone`,
    command: `chmod ${mode} ${file}`,
    look: () => {
      if (!existsSync(file)) return skipped(`${file} is not there`)
      const actual = (statSync(file).mode & 0o777).toString(8)
      return (statSync(file).mode & 0o077) === 0 ? ok(`mode ${actual}`) : fail(`mode ${actual}: ${file}`)
    },
  }))
}

async function lookAtPorts({ facts, apiPort }: Place): Promise<Finding> {
  const addresses = {
    API: facts['console'] ?? `http://127.0.0.1:${apiPort}`,
    Temporal: facts['temporal'] === undefined ? undefined : `tcp://${facts['temporal']}`,
    'Temporal UI': facts['temporalUi'],
    PostgreSQL: facts['postgres'],
  }
  const told: string[] = []
  let isForeign = false
  for (const [name, address] of Object.entries(addresses)) {
    const port = Number(address === undefined ? '' : new URL(address).port)
    if (port === 0) continue
    if (await isPortFree(port)) told.push(`${name} ${port} free`)
    else {
      told.push(`${name} ${port} held by ${holderOf(port) ?? 'a process of another user'}`)
      // Nothing was started from here, and yet somebody listens: the next start will meet it.
      if (name === 'API' && facts['console'] === undefined) isForeign = true
    }
  }
  return isForeign ? warn(told.join('; ')) : ok(told.join('; '))
}
