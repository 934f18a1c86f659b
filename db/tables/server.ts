import type { HostRules } from '#domain/host-rules.ts'
import type { ResourceKind, ServerConnection, UnreachableCause } from '#domain/server.ts'
import type { Decimal, Defaulted, Generated, Instant } from './columns.ts'

export interface ServersTable {
  id: string
  code: string
  resource_kind: Defaulted<ResourceKind>
  /** Null, as the ports and how it is reached, of people. */
  runner: 'docker' | 'dry-run' | null
  connection: Defaulted<ServerConnection | null>
  port_range: string | null
  /** From which its environments get their subnets, and how long the prefix of each is. */
  subnet_pool: Defaulted<string>
  subnet_prefix_length: Defaulted<number>
  /** What its engine said of itself when it was asked last. */
  facts: Defaulted<Record<string, unknown>>
  /** Of an engine behind TLS, and since when this address and its certificates hold. */
  engine_address: Defaulted<string | null>
  engine_set_at: Defaulted<Instant | null>
  /** When its own worker redeemed the token. */
  joined_at: Defaulted<Instant | null>
  /** When its engine answered last. */
  last_seen_at: Instant | null
  /** When it was asked last, and why it did not answer then. */
  checked_at: Defaulted<Instant | null>
  failure_cause: Defaulted<UnreachableCause | null>
  failure_detail: Defaulted<string | null>
  /** When the sampler read its instances last. */
  sampled_at: Defaulted<Instant | null>
  /** Since when it is known, and told, that it is out of reach. */
  unreachable_since: Defaulted<Instant | null>
  /** Null here and in the next three: it is not counted. */
  memory_mib: Defaulted<number | null>
  cpus: Defaulted<Decimal | null>
  disk_mib: Defaulted<number | null>
  most_instances: Defaulted<number | null>
  efficiency: Defaulted<Decimal>
  tags: Defaulted<string[]>
  draining_since: Defaulted<Instant | null>
  removed_at: Defaulted<Instant | null>
  /** What keeps its containers from it, as it was seen when they were compared last. */
  host_rules: Defaulted<(HostRules & { readonly seenAt: string }) | null>
  created_at: Generated<Instant>
}

export interface ServerSecretsTable {
  server_id: string
  name: 'ca' | 'certificate' | 'key'
  key_id: string
  sealed: Buffer
}

export interface ServerJoinTokensTable {
  server_id: string
  secret_sha256: Buffer
  created_at: Instant
  expires_at: Instant
  used_at: Instant | null
}
