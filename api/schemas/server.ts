import { z } from '@hono/zod-openapi'
import type { ServerRow } from '#db/read/server.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ServerExamination } from '#domain/runner.ts'
import { resourceKinds, sayUnreachable, unreachableCauses } from '#domain/server.ts'
import { capacitySchema, toCapacityJson } from './capacity.ts'
import { codeField } from './common.ts'

const instantOrNull = z.string().nullable()

const failureSchema = z
  .object({
    cause: z.enum(unreachableCauses),
    detail: z.string().openapi({ description: 'What it means, what to do, and what the system said.' }),
    checked_at: z.string(),
  })
  .openapi({
    description: 'Why its engine could not be asked when somebody last tried; null where it answered.',
  })

export const serverSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    resource_kind: z.enum(resourceKinds),
    connection: z.enum(['local', 'own_worker', 'tls']).nullable(),
    state: z
      .enum(['expected', 'reachable', 'unreachable'])
      .nullable()
      .openapi({ description: 'As of its last sighting; expected: nobody has seen it yet. Null: people.' }),
    runner: z.enum(['docker', 'dry-run']).nullable(),
    facts: z.record(z.string(), z.unknown()).openapi({ description: 'What its engine says of itself.' }),
    engine_address: z.string().nullable(),
    ports: z.object({ first: z.number().int(), last: z.number().int() }).nullable(),
    instances: z.number().int(),
    capacity: capacitySchema,
    efficiency: z.string(),
    tags: z.array(z.string()),
    draining_since: instantOrNull.openapi({ description: 'Since when it takes nothing new.' }),
    last_seen_at: instantOrNull.openapi({ description: 'When its engine answered last.' }),
    failure: failureSchema.nullable(),
    unreachable_since: instantOrNull.openapi({ description: 'Since when it is known to be out of reach.' }),
    joined_at: instantOrNull,
    token_expires_at: instantOrNull.openapi({ description: 'Until when a token waits to be redeemed.' }),
    created_at: z.string(),
  })
  .openapi('Server')

export function toServerJson(row: ServerRow): z.input<typeof serverSchema> {
  return {
    id: encodeId('server', row.id),
    code: row.code,
    resource_kind: row.resource_kind,
    connection: row.connection,
    state: row.state,
    runner: row.runner,
    facts: row.facts,
    engine_address: row.engine_address,
    ports:
      row.first_port === null || row.last_port === null
        ? null
        : { first: row.first_port, last: row.last_port },
    instances: row.instance_count,
    capacity: toCapacityJson(row),
    efficiency: row.efficiency,
    tags: row.tags,
    draining_since: row.draining_since,
    last_seen_at: row.last_seen_at,
    failure: toFailureJson(row),
    unreachable_since: row.unreachable_since,
    joined_at: row.joined_at,
    token_expires_at: row.token_expires_at,
    created_at: row.created_at,
  }
}

function toFailureJson(row: ServerRow): z.input<typeof failureSchema> | null {
  const { failure_cause: cause, failure_detail: detail, checked_at: checkedAt } = row
  if (cause === null) return null
  return { cause, detail: sayUnreachable(cause, detail ?? ''), checked_at: checkedAt ?? row.read_at }
}

/** PEM of any number of certificates, or of a key. */
function pemField(what: string) {
  return z
    .string()
    .max(65_536)
    .regex(new RegExp(`^\\s*-----BEGIN [A-Z ]*${what}-----[\\s\\S]+-----END [A-Z ]*${what}-----\\s*$`), {
      error: `Not a ${what.toLowerCase()} in PEM form`,
    })
}

export const engineSchema = z
  .strictObject({
    address: z.string().min(1).max(300).openapi({ example: 'tcp://10.0.0.7:2376' }),
    ca: pemField('CERTIFICATE').openapi({ description: 'Of who signed the engine’s certificate.' }),
    certificate: pemField('CERTIFICATE').openapi({ description: 'By which the engine knows us.' }),
    key: pemField('PRIVATE KEY').openapi({ description: 'Sealed, and never shown again.' }),
  })
  .openapi('EngineAccess')

export const newServerSchema = z
  .strictObject({
    code: codeField(40),
    resource_kind: z.enum(resourceKinds).default('infrastructure'),
    engine: engineSchema
      .optional()
      .openapi({ description: 'Of an engine behind TLS. Left out, a worker of its own serves the server.' }),
    ports: z
      .strictObject({
        first: z.number().int().min(1_024).max(65_535),
        last: z.number().int().min(1_024).max(65_535),
      })
      .optional()
      .openapi({
        description: 'What its instances publish. Left out: 200 after those of the other servers.',
      }),
  })
  .openapi('NewServer')

export const joinTokenSchema = z
  .object({
    server: z.string(),
    token: z.string().openapi({ description: 'Shown once; only its hash is kept.' }),
    expires_at: z.string(),
    command: z.string().openapi({ description: 'To be run on the host of the server.' }),
  })
  .openapi('JoinToken')

export const redemptionSchema = z.strictObject({ token: z.string().min(1).max(200) })

export const joinedServerSchema = z
  .object({
    server: z.string(),
    code: z.string(),
    installation: z.string(),
    installation_key: z.string().openapi({ description: 'Opens what instances are given in secret.' }),
    database_url: z.string().openapi({ description: 'With a login of this server’s own.' }),
    temporal_address: z.string(),
    temporal_namespace: z.string(),
  })
  .openapi('JoinedServer')

export const serverTestSchema = z
  .object({
    server: z.string(),
    engine_version: z.string(),
    api_version: z.string(),
    storage_driver: z.string(),
    cgroup_version: z.string(),
    cpus: z.number(),
    memory_mib: z.number().int(),
    containers: z.number().int(),
    free: z
      .object({ cpus: z.number(), memory_mib: z.number().int() })
      .openapi({ description: 'What the engine has, less what running containers may take at most.' }),
    unlimited_containers: z
      .number()
      .int()
      .openapi({ description: 'Running containers without a limit of memory: what they take is not known.' }),
    rights: z.object({ list: z.boolean(), create: z.boolean() }),
  })
  .openapi('ServerTest')

export function toServerTestJson(id: string, found: ServerExamination): z.input<typeof serverTestSchema> {
  return {
    server: encodeId('server', id),
    engine_version: found.engineVersion,
    api_version: found.apiVersion,
    storage_driver: found.storageDriver,
    cgroup_version: found.cgroupVersion,
    cpus: found.cpus,
    memory_mib: found.memoryMib,
    containers: found.containers,
    free: { cpus: found.free.cpus, memory_mib: found.free.memoryMib },
    unlimited_containers: found.unlimitedContainers,
    rights: { list: found.rights.canList, create: found.rights.canCreate },
  }
}
