import type { Readable } from 'node:stream'
import type { Client } from '@temporalio/client'
import type { Db } from '#db/database.ts'
import type { InstallationKey } from '#db/sealing.ts'
import type { ApplicationDefinition } from '#domain/application.ts'
import type { SharedMetric } from '#domain/shared-metric.ts'

/** What the API reads besides its requests. Given by `bin/api.ts`, and by tests. */
export interface ApiDependencies {
  readonly db: Db
  readonly client: Client
  /** Where people reach this API, without a slash at the end: cookies and allowed origins follow from it. */
  readonly publicUrl: string
  readonly temporalUiUrl: string
  readonly temporalNamespace: string
  /** Reads a compose file; it lives with the Docker engine, which the API never touches. */
  readonly readApplication: (file: {
    readonly code: string
    readonly compose: string
    /** Text of the files beside it, by their path. */
    readonly files: Readonly<Record<string, string>>
    /** Permissions that the application has. */
    readonly grants: readonly string[]
    /** Metrics that the installation defines for all applications. */
    readonly sharedMetrics: readonly SharedMetric[]
  }) => ApplicationDefinition | Promise<ApplicationDefinition>
  /** Reads a copy of a volume from where the servers beside this API keep theirs. @throws `backup_failed` */
  readonly openCopy: (location: string) => Promise<Readable>
  /** Names of migrations that the database lacks. */
  readonly pendingMigrations: () => Promise<readonly string[]>
  /** Calls back whenever events were written; gives the way to stop. */
  readonly onEvents: (listener: () => void) => () => void
  /** The present as an ISO instant. */
  readonly now: () => string
  /** Seals what is said in secret; null: such orders cannot be taken here. */
  readonly installationKey: InstallationKey | null
  /** Where servers that join find database and Temporal; with `hasLogin` the login in the address is for them. */
  readonly joining: {
    readonly databaseUrl: { readonly url: string; readonly hasLogin: boolean }
    readonly temporalAddress: string
  }
  /** How many messages a second are taken of one peer; left out, 500. */
  readonly peerMessagesPerSecond?: number
  /** Ranges of addresses beside the public internet to which events are posted; left out, none. */
  readonly webhookRanges?: readonly string[]
  /** Ports beside 443 to which events are posted; left out, none. */
  readonly webhookPorts?: readonly number[]
  readonly log: ApiLog
}

/** The little of a logger that the API uses; pino fits. */
export interface ApiLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
