import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { instanceLabels, type ContainerStep, type Labels, type PlannedInstance } from '#domain/build-plan.ts'
import type { ServerResource } from '#domain/runner.ts'

const CALLS_MAX = 1_000

export interface ImaginedObject extends ServerResource {
  readonly step?: ContainerStep
  /** Of a network. */
  readonly subnet?: string
  readonly isRunning?: boolean
}

/** What the imagined server has: a plain JSON value, so that it outlives a restart of the worker. */
export interface DryRunState {
  objects: ImaginedObject[]
  limits: Record<string, number>
}

export interface DryRunOptions {
  /** Where the state is kept; without it, in memory only. */
  readonly stateFile?: string
  readonly state?: DryRunState
}

/** A server that exists on paper only. */
export class ImaginedServer {
  readonly state: DryRunState
  readonly calls: string[] = []
  readonly #stateFile: string | undefined

  constructor({ stateFile, state }: DryRunOptions) {
    this.#stateFile = stateFile
    this.state = state ?? readState(stateFile)
  }

  find(kind: ServerResource['kind'], name: string): ImaginedObject | undefined {
    return this.state.objects.find((one) => one.kind === kind && one.name === name)
  }

  findContainers(instance: PlannedInstance): ImaginedObject[] {
    return this.state.objects.filter((one) => one.kind === 'container' && isOf(one, instanceLabels(instance)))
  }

  put(object: ImaginedObject): void {
    this.drop(object)
    this.state.objects.push(object)
    this.save()
  }

  drop({ kind, name }: Pick<ImaginedObject, 'kind' | 'name'>): void {
    this.state.objects = this.state.objects.filter((one) => one.kind !== kind || one.name !== name)
    this.save()
  }

  record(text: string): void {
    this.calls.push(text)
    if (this.calls.length > CALLS_MAX) this.calls.shift()
  }

  /** Moved into place, so that a process killed in between leaves the state before. */
  save(): void {
    if (this.#stateFile === undefined) return
    writeFileSync(`${this.#stateFile}.new`, JSON.stringify(this.state), { mode: 0o600 })
    renameSync(`${this.#stateFile}.new`, this.#stateFile)
  }
}

function readState(stateFile: string | undefined): DryRunState {
  if (stateFile === undefined) return { objects: [], limits: {} }
  try {
    return JSON.parse(readFileSync(stateFile, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { objects: [], limits: {} }
    throw error
  }
}

export function isOf(object: ImaginedObject, labels: Labels): boolean {
  return Object.entries(labels).every(([key, value]) => object.labels[key] === value)
}
