import type { DataSources } from './data-source.ts'
import type { ErrorCode } from './errors.ts'
import type { ApplicationDefinition } from './application.ts'
import type { ContainerDifference } from './container-difference.ts'
import type { RegistryLogin } from './registry.ts'
import type { LogLine, LogRequest } from './log-line.ts'
import type { EngineStep, PlannedInstance, ReadyStep, SavedCopy, UndoableStep } from './build-plan.ts'
import type { UnreachableCause } from './server.ts'
import type { HostRules } from './host-rules.ts'
import type { HeldRange } from './subnet.ts'

/** What a caller gives to every call. */
export interface RunnerContext {
  /** Ends the call early; every call to the engine has a deadline of its own besides. */
  readonly abortSignal: AbortSignal
  /** Told what is waited for; an activity heartbeats with it. */
  readonly onProgress: (text: string) => void
  /** Values for the `${NAME}` of the plan. They never come back in a result, a progress text or an error. */
  readonly secrets: Readonly<Record<string, string>>
  /** For images of its host; they are pulled without one else. */
  readonly registryLogin?: RegistryLogin
}

/** An engine that refused a call, or could not be asked at all: `unreachable` then says why. */
export class EngineFailure extends Error {
  readonly unreachable: UnreachableCause | undefined

  constructor(message: string, unreachable: UnreachableCause | undefined, cause: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'EngineFailure'
    this.unreachable = unreachable
  }
}

/**
 * A container that its engine cannot start any more, for it was killed in the midst of a start and half of that start is left. Only one
 * that is made anew runs; what the old one held outside its volumes goes with it.
 */
export class ContainerStuck extends EngineFailure {
  constructor(name: string, cause: Error) {
    super(`container ${name} is stuck in a start that its engine did not survive`, undefined, cause)
    this.name = 'ContainerStuck'
  }
}

/** A container that is to be started and is not there any more. Its step makes it again, on the volumes that it had. */
export class ContainerMissing extends EngineFailure {
  constructor(name: string) {
    super(`container ${name} is not on the server any more`, undefined, undefined)
    this.name = 'ContainerMissing'
  }
}

export interface ServerDescription {
  readonly runner: string
  readonly engineVersion: string
  readonly apiVersion: string
  readonly cpus: number
  readonly memoryMib: number
  readonly cgroupVersion: string
  readonly storageDriver: string
  readonly containers: number
}

/** What a test of the connection finds out. */
export interface ServerExamination extends ServerDescription {
  readonly rights: { readonly canList: boolean; readonly canCreate: boolean }
  /** What the engine has, less what running containers may take at most. */
  readonly free: { readonly cpus: number; readonly memoryMib: number }
  /** Running containers without a limit of memory: what they take is not known. */
  readonly unlimitedContainers: number
}

export interface StepOutcome {
  /** The engine's id of what the step made or found; for a ready step the instance's id. */
  readonly externalId: string
  /** It was there already, made by an earlier try. */
  readonly isAdopted: boolean
  /** What became of a container that was there and not as planned; left out where there was none, or it was. */
  readonly change?: 'updated' | 'replaced'
  /** Of an image: the digest by which its registry has it; null where none has. */
  readonly repositoryDigest?: string | null
  readonly detail: string
}

export interface RemovalOutcome {
  /** False: it was not there, or is kept because others use it (a network). `detail` says which. */
  readonly isRemoved: boolean
  /** True when the server no longer has it, observed after the removal. */
  readonly isAbsent: boolean
  readonly detail: string
}

/** Something on the server that carries our labels. */
export interface ServerResource {
  readonly kind: 'container' | 'volume' | 'network'
  readonly externalId: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export interface ExecuteRequest {
  /** Name on the server, see `containerName`. */
  readonly container: string
  /** An argument list; no shell reads it. */
  readonly argv: readonly string[]
  /** What the command finds in its environment, besides what the container has. */
  readonly environment?: Readonly<Record<string, string>>
  /** Written to its standard input, which then ends: what is secret is never an argument. */
  readonly input?: string
  readonly deadlineMs?: number
}

export interface ExecuteResult {
  readonly argv: readonly string[]
  readonly exitCode: number
  /** Both at most 64 KiB, cut at the end. */
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
}

/** One raw measurement of one series. A counter that starts again (new container, restart) is seen by its series or by falling. */
export interface MetricReading {
  readonly metric: string
  /** What counts by itself: `container:<id>@<start>`, `volume:<name>`, `command:<container id>`. */
  readonly series: string
  /** Decimal. */
  readonly value: string
  /** `B` for what the engine counts, else the metric's own unit. */
  readonly unit: string
  /** Type of the metric's source. */
  readonly source: string
  /** Instant, RFC 3339. */
  readonly readAt: string
  /** The instant it is of, where a source keeps history; left out, it is of now. */
  readonly at?: string
}

/** What was stored of an instance before a look, for sources that go on from there. */
export interface EarlierReadings {
  /** The instant of the look, with which its readings are stored. */
  readonly sampledAt: string
  /** By metric, the newest reading of each series; `value` is a decimal. */
  readonly newest: ReadonlyMap<
    string,
    readonly { readonly series: string; readonly value: string; readonly sampledAt: string }[]
  >
}

/** What one look at the metrics of an instance gave. */
export interface MetricsRead {
  readonly readings: readonly MetricReading[]
  /** Metrics without a value, and why; what does not run has none, and has not failed. */
  readonly failures: readonly MetricFailure[]
}

export interface MetricFailure {
  readonly metric: string
  readonly detail: string
  /** `reading_without_value`: its source answered and gave none. Left out where there is no code for it. */
  readonly code?: ErrorCode
}

export interface ContainerObservation {
  readonly service: string
  readonly name: string
  readonly externalId: string
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead'
  /** `none`: the container has no health check. */
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly exitCode: number | null
  readonly restartCount: number
  /** It may end: with exit code 0 it has done what it is for. */
  readonly isJob: boolean
  /** `sha256:…` of the image it was made from. */
  readonly imageDigest: string
  readonly hostPort: number | null
  readonly startedAt: string | null
  /** What the engine has otherwise than planned; empty where it was not compared with a plan. */
  readonly differences: readonly ContainerDifference[]
}

export interface ObservedObject extends ServerResource {
  /** What else is seen of a container; null for volumes, networks and containers of others. */
  readonly container: ContainerObservation | null
}

/** What is looked at in one go. */
export interface ServerObservationRequest {
  readonly installation: string
  /** Plans of instances: their names are looked for whoever has them now, and their containers are compared with them. */
  readonly steps: readonly EngineStep[]
  /** Only objects of these instances, and of those names; null: everything that carries the installation's label. */
  readonly instances: readonly string[] | null
}

export interface InstanceObservation {
  /** Every container of the instance that exists, by name. */
  readonly containers: readonly ContainerObservation[]
  /** All run, and those with a health check are healthy; jobs may have ended with exit code 0. False when there are none. */
  readonly isRunning: boolean
  /** There is at least one and none runs. */
  readonly isStopped: boolean
}

export interface ReadyObservation {
  readonly isReady: boolean
  /** What is still missing, or what answered. */
  readonly detail: string
}

export interface LimitObservation {
  readonly limit: string
  /** As the instance reports it. */
  readonly inForce: number
  readonly inUse: number
  /** What was asked, with the answers, for the log that people read. */
  readonly commands: readonly ExecuteResult[]
}

/** Which volume of an instance is copied, and as what. */
export interface SaveRequest {
  readonly instance: PlannedInstance
  readonly volume: { readonly volume: string; readonly name: string }
  /** `bak_…/data`: names of letters, digits, `.`, `-` and `_`, with a slash between. */
  readonly key: string
}

/** An application and where it runs: what instance-wide calls are given. */
export interface InstanceRef {
  readonly definition: ApplicationDefinition
  readonly instance: PlannedInstance
}

/**
 * Carries out a build plan on one server. Every call may be repeated at any time, after any crash: it looks first, makes what is
 * missing, and answers with what it observed.
 *
 * What cannot succeed by trying again is a `BusinessError`: `image_unknown`, `image_unreachable`, `image_gone`, `registry_login_failed`, `name_taken_on_server`,
 * `port_taken_on_server`, `subnet_taken_on_server`, `subnet_full`, `container_exited`, `not_ready_in_time`, `limit_not_in_force`, `limit_not_enforceable`, `limit_unknown`. Everything else is an
 * `Error` and worth a retry; after a `ContainerStuck` or a `ContainerMissing` only its container step helps, which makes it anew.
 */
export interface Runner {
  readonly id: 'docker' | 'dry-run'
  describe(ctx: RunnerContext): Promise<ServerDescription>
  /** Describes the engine, and tries what may be done with it. Nothing of it is left. */
  examine(ctx: RunnerContext): Promise<ServerExamination>
  /** One cheap call; throws an `Error` that says what could not be reached. */
  testConnection(ctx: RunnerContext): Promise<void>

  ensure(step: EngineStep, ctx: RunnerContext): Promise<StepOutcome>
  /** Removes by exact name and labels. What is not there is a success; what is not ours is `name_taken_on_server` and untouched. */
  remove(step: UndoableStep, ctx: RunnerContext): Promise<RemovalOutcome>

  /**
   * Sees to it that containers of an installation do not reach their server, nor where its cloud tells about it. What the host does not
   * let be done is told, not thrown.
   * @param of `ins_…`, and the pool of its subnets on this server
   */
  keepHostRules(of: { installation: string; pool: string }, ctx: RunnerContext): Promise<HostRules>

  /** Containers and volumes of the instance, by label; its environment's network too when this instance is the last to use it. */
  list(instance: PlannedInstance, ctx: RunnerContext): Promise<readonly ServerResource[]>
  /** Addresses that the engine's networks and, where it can be looked at, its host have: ours among them. */
  listRanges(ctx: RunnerContext): Promise<readonly HeldRange[]>
  /** Everything on the server that carries this installation's labels, to be compared with what should be there. */
  listManaged(installation: string, ctx: RunnerContext): Promise<readonly ServerResource[]>
  isAbsent(instance: PlannedInstance, ctx: RunnerContext): Promise<boolean>
  observe(instance: PlannedInstance, ctx: RunnerContext): Promise<InstanceObservation>
  /** The server as it is now. Objects of others are told of by kind and name, when the name is one of the plans'. */
  observeServer(request: ServerObservationRequest, ctx: RunnerContext): Promise<readonly ObservedObject[]>
  /** Tells which instance has changed whenever one of its containers did; ends with an `Error` when the engine tells no more. */
  watch(installation: string, onChange: (instance: string) => void, ctx: RunnerContext): Promise<void>

  /** Suspends: stopped in reverse order of start, over a reboot too. The answer is what was observed afterwards. */
  stop(ref: InstanceRef, ctx: RunnerContext): Promise<InstanceObservation>
  /** Resumes in the order of `depends_on`. Says that containers run, not that they are ready. */
  start(ref: InstanceRef, ctx: RunnerContext): Promise<InstanceObservation>
  /** Looks once. `ensure` of the same step waits. */
  checkReady(step: ReadyStep, ctx: RunnerContext): Promise<ReadyObservation>

  /** A command that ends with another exit code than 0 is a result, not an error. */
  execute(request: ExecuteRequest, ctx: RunnerContext): Promise<ExecuteResult>
  /** Lines of the instance's containers, without its secrets. */
  readLog(ref: InstanceRef, request: LogRequest, ctx: RunnerContext): Promise<readonly LogLine[]>
  /** Sets the ceiling and reads it back. @throws `limit_not_in_force` when the instance reports another one. */
  applyLimit(
    ref: InstanceRef,
    limit: { code: string; value: number },
    ctx: RunnerContext,
  ): Promise<LimitObservation>
  readLimit(ref: InstanceRef, code: string, ctx: RunnerContext): Promise<LimitObservation>
  /** How much of a limit with commands is used now. */
  readUse(ref: InstanceRef, code: string, ctx: RunnerContext): Promise<number>
  /**
   * Makes the instance send as slowly as its holds say, or as fast as it can where they say nothing; set again, it changes nothing.
   * A container that was started since sends freely until this is done again.
   * @throws `limit_not_enforceable` where this process may not, or is not on the engine's host
   */
  throttle(ref: InstanceRef, ctx: RunnerContext): Promise<void>
  readMetrics(
    ref: InstanceRef,
    ctx: RunnerContext,
    /** Instants by metric: what a source that keeps history has of the time after them is read too. */
    since?: ReadonlyMap<string, string>,
    earlier?: EarlierReadings,
    /** Databases elsewhere that its metrics name, each as it was reached. */
    dataSources?: DataSources,
  ): Promise<MetricsRead>

  /**
   * Copies a volume into the server's storage, whole or not at all, under a key: saved again under the same key, the copy is
   * replaced. The volume is only read. @throws `backup_failed` where there is no such volume, or no room for the copy
   */
  saveVolume(request: SaveRequest, ctx: RunnerContext): Promise<SavedCopy>
  /** Reads a copy back: its size, its checksum, its structure to the end. @throws `backup_failed` when it is not whole */
  verifyCopy(copy: SavedCopy, ctx: RunnerContext): Promise<{ readonly entries: number }>
  /** Not there is a success. */
  deleteCopy(location: string, ctx: RunnerContext): Promise<void>
  /** Removes what an interrupted copy left on the engine. */
  clearCopying(instance: PlannedInstance, ctx: RunnerContext): Promise<void>
}
