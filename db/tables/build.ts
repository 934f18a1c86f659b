import type { ColumnType } from 'kysely'
import type { StepPlan } from '#domain/backup-plan.ts'
import type { GivenLimits } from '#domain/build-plan.ts'
import type { BuildCommandKind, BuildState } from '#domain/build-command.ts'
import type { Finding, FindingKind } from '#domain/finding.ts'
import type { ServiceDifference } from '#domain/instance-configuration.ts'
import type { InstanceState } from '#domain/instance.ts'
import type { Hold } from '#domain/limit-hold.ts'
import type { ObservedState, SeenContainer } from '#domain/repair.ts'
import type { Enforcement } from '#domain/terms.ts'
import type {
  CalendarDate,
  Decimal,
  Defaulted,
  DefaultedJson,
  Generated,
  Instant,
  NullableJson,
} from './columns.ts'

/** What an instance takes of its server, from the order on. */
export interface ReservationsTable {
  instance_id: string
  server_id: string
  memory_mib: number
  cpus: Decimal
  disk_mib: number
  reserved_at: Generated<Instant>
  released_at: Instant | null
}

/** The addresses of an environment's network on a server. */
export interface SubnetsTable {
  server_id: string
  environment_id: string
  range: string
  taken_at: Generated<Instant>
}

/** Addresses that others have on a server. */
export interface ForeignSubnetsTable {
  server_id: string
  range: string
  holder: string
  is_listed: boolean
  seen_at: Generated<Instant>
}

/** Ports of a server's range that something else was found to hold. */
export interface ForeignPortsTable {
  server_id: string
  port: number
  seen_at: Generated<Instant>
}

export interface InstancesTable {
  id: string
  subscription_id: string
  environment_id: string
  server_id: string
  application_version_id: string
  sequence: Defaulted<number>
  /** Whose part it is; null: it is a part of nothing. */
  parent_instance_id: Defaulted<string | null>
  name: string
  generation: Defaulted<number>
  host_port: number | null
  state: Defaulted<InstanceState>
  state_at: Defaulted<Instant>
  /** Values of the application's variables; null stands for one that is sealed. */
  variables: DefaultedJson<Readonly<Record<string, string | null>>>
  /** What its volumes begin with. */
  restored_from_backup_id: Defaulted<string | null>
  destroyed_at: Instant | null
  /** What was seen of its containers when somebody last looked; null until then. */
  observed_state: ColumnType<ObservedState | null, never, ObservedState>
  observed_at: ColumnType<string | null, never, string>
  /** In which its containers were otherwise than planned then. */
  observed_differences: ColumnType<readonly ServiceDifference[], never, string>
  /** Each of its containers, as it was seen then. */
  observed_containers: ColumnType<readonly SeenContainer[], never, string>
  /** Why it is on its server, in words; null for those that were placed before anybody wrote it down. */
  placed_because: Defaulted<string | null>
  /** What people call it; null: by its name, which is a part of names on a server and never changes. */
  display_name: Defaulted<string | null>
  /** By service, what an operator gave its container. */
  container_limits: DefaultedJson<GivenLimits>
  /** By service, of those whose containers were replaced since the build. */
  service_generations: DefaultedJson<Readonly<Record<string, number>>>
  created_at: Generated<Instant>
}

/** What was on a server before the instance that has it. */
export interface TakenOverObjectsTable {
  instance_id: string
  server_id: string
  kind: 'container' | 'volume'
  component: string
  name: string
  external_id: string
  taken_at: Generated<Instant>
  released_at: Defaulted<Instant | null>
}

/** What the name of a service's image meant when it was first built. */
export interface InstanceImagesTable {
  instance_id: string
  service: string
  reference: string
  repository_digest: string | null
  image_id: string
  resolved_at: Generated<Instant>
}

/** One difference between wanted, recorded and observed, from when it was found until it was gone. */
export interface FindingsTable {
  id: string
  server_id: string
  /** Null where no instance of ours has anything to do with it. */
  instance_id: string | null
  kind: FindingKind
  severity: Finding['severity']
  object_kind: Finding['objectKind']
  object_name: string
  detail: string
  is_safe: boolean
  command: string
  found_at: Instant
  seen_at: Instant
  settled_at: Instant | null
}

export interface BuildOrdersTable {
  id: string
  subscription_id: string
  kind: 'build' | 'unbuild'
  number: number
  state: Defaulted<BuildState>
  failure_code: string | null
  failure_detail: string | null
  created_at: Generated<Instant>
  /** When its first step was begun: until then it is in the queue. */
  begun_at: Defaulted<Instant | null>
  finished_at: Instant | null
}

/** What an operator asked of a build order, or of one of its steps. */
export interface BuildCommandsTable {
  id: string
  build_order_id: string
  kind: BuildCommandKind
  build_step_id: string | null
  actor: string
  reason: string | null
  asked_at: Generated<Instant>
}

export interface BuildStepsTable {
  id: string
  build_order_id: string
  instance_id: string
  server_id: string
  position: number
  /** Positions of the steps that it waits for; null in plans of before, whose steps are walked one by one. */
  waits_for: number[] | null
  kind: StepPlan['kind']
  name: string
  title: string
  plan: StepPlan
  state: Defaulted<BuildState>
  attempt: Defaulted<number>
  started_at: Instant | null
  finished_at: Instant | null
  progress: string | null
  progress_at: Defaulted<Instant | null>
  failure_code: string | null
  failure_detail: string | null
}

export interface ResourcesTable {
  id: string
  instance_id: string
  server_id: string
  kind: 'container' | 'volume' | 'network' | 'image'
  name: string
  component: Defaulted<string>
  external_id: string
  made_at: Generated<Instant>
  removed_at: Instant | null
}

export interface SecretsTable {
  instance_id: string
  name: string
  version: Defaulted<number>
  key_id: string
  sealed: Buffer
  created_at: Generated<Instant>
  destroyed_at: Instant | null
  /** When it was shown to a person: once. */
  shown_at: Defaulted<Instant | null>
  /** Since another value has stood in its place. */
  retired_at: Defaulted<Instant | null>
  /** The request that made this version. */
  rotated_by: Defaulted<string | null>
}

export interface LimitsTable {
  instance_id: string
  code: string
  sold_quantity: Decimal
  in_force_quantity: Decimal | null
  in_force_at: Instant | null
  /** Since when it is to be set again: until it is, nobody knows what is in force. */
  not_in_force_since: Defaulted<Instant | null>
  /** As it is sold, together with its quantity. */
  enforcement: Defaulted<Enforcement>
  unit: Defaulted<string | null>
  /** In that unit, as it was measured last. */
  used_quantity: Defaulted<Decimal | null>
  used_at: Defaulted<Instant | null>
  reached_at: Defaulted<Instant | null>
  /** What is done to the instance from outside while it is reached; null where it is held by itself, or only told of. */
  hold: NullableJson<Hold>
  /** When that was seen in force. */
  held_at: Defaulted<Instant | null>
  /** Why it cannot be. */
  hold_failure: Defaulted<string | null>
}

/** Units of a limit that Clouder hands out. What is neither confirmed nor released by `expires_at` is nobody's again. */
export interface UnitReservationsTable {
  id: string
  instance_id: string
  limit_code: string
  quantity: Decimal
  reference: string | null
  reserved_by: string
  reserved_at: Defaulted<Instant>
  expires_at: Instant
  confirmed_at: Defaulted<Instant | null>
  released_at: Defaulted<Instant | null>
}

export interface LimitCommandsTable {
  id: string
  instance_id: string
  limit_code: string
  quantity: Decimal
  command: string[]
  exit_code: number | null
  answer: string | null
  read_back: string | null
  duration_ms: number | null
  sent_at: Defaulted<Instant>
}

export interface InstanceValuesTable {
  instance_id: string
  code: string
  value: Decimal
  starts_on: CalendarDate
  recorded_at: Instant
  recorded_by: string
}
