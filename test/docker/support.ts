import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Docker from 'dockerode'
import type { ApplicationDefinition, ServiceDefinition } from '#domain/application.ts'
import {
  CONTAINER_CEILING,
  environmentLabels,
  planBuild,
  type EngineStep,
  type PlannedInstance,
} from '#domain/build-plan.ts'
import type { InstanceRef, Runner, RunnerContext } from '#domain/runner.ts'
import { readApplication } from '#docker/applications.ts'
import { createDockerRunner } from '#docker/runner.ts'

export const applicationsFolder = new URL('../../applications', import.meta.url).pathname
export const docker = new Docker()
export const standIn = await readApplication(applicationsFolder, 'odoo-stand-in')

/** Made by the first copy, removed with the temporary folder of the test run. */
export const backupsFolder = join(tmpdir(), `clouder-backups-${process.pid}`)

export function dockerRunner(): Runner {
  return createDockerRunner({
    applicationsFolder,
    busyboxPath: process.env['CLOUDER_BUSYBOX'] ?? '/bin/busybox',
    backupsFolder,
  })
}

export function context(secrets: Record<string, string> = {}): RunnerContext & { readonly said: string[] } {
  const said: string[] = []
  return {
    abortSignal: AbortSignal.timeout(60_000),
    onProgress: (text) => void said.push(text),
    secrets,
    said,
  }
}

let count = 0

/** An instance in an environment of its own, whose objects are all removed when the test ends. */
export async function testInstance(
  t: TestContext,
  changes: Partial<PlannedInstance> = {},
): Promise<PlannedInstance> {
  const unique = `${process.pid}-${++count}`
  const instance: PlannedInstance = {
    // By this label the test run removes what an interrupted test leaves.
    installation: `test-${process.env['CLOUDER_TEST_RUN'] ?? process.pid}`,
    customer: 'cus_1',
    subscription: 'sub_1',
    instance: `inst_${unique}`,
    application: 'odoo-stand-in',
    generation: 1,
    environmentPrefix: `test-${unique}`,
    name: 'odoo',
    hostPort: await freePort(),
    ceiling: CONTAINER_CEILING,
    ...changes,
  }
  t.after(async () => await removeEverything(instance))
  return instance
}

/** The stand-in with its one service changed. */
export function standInWith(change: Partial<ServiceDefinition>): ApplicationDefinition {
  return { ...standIn, services: standIn.services.map((service) => ({ ...service, ...change })) }
}

export async function build(runner: Runner, ref: InstanceRef, ctx: RunnerContext): Promise<EngineStep[]> {
  const steps = planBuild(ref.definition, ref.instance)
  for (const step of steps) await runner.ensure(step, ctx)
  return steps
}

export function stepOf<K extends EngineStep['kind']>(steps: readonly EngineStep[], kind: K) {
  const found = steps.find((step): step is Extract<EngineStep, { kind: K }> => step.kind === kind)
  if (found === undefined) throw new Error(`the plan has no ${kind} step`)
  return found
}

export async function freePort(): Promise<number> {
  const { port, close } = await holdPort(0)
  await close()
  return port
}

/** Listens on a port as something foreign would. */
export async function holdPort(port: number): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(port, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, close: () => new Promise((resolve) => server.close(() => resolve())) }
}

async function removeEverything(instance: PlannedInstance): Promise<void> {
  const filters = {
    label: Object.entries(environmentLabels(instance)).map(([key, value]) => `${key}=${value}`),
  }
  for (const one of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(one.Id).remove({ force: true, v: true })
  }
  for (const one of (await docker.listVolumes({ filters })).Volumes) await docker.getVolume(one.Name).remove()
  for (const one of await docker.listNetworks({ filters })) await docker.getNetwork(one.Id).remove()
}
