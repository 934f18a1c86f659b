import type { Client } from '@temporalio/client'
import type { Db } from '#db/database.ts'
import type { InstallationKey } from '#db/sealing.ts'
import type { TaxIdCheck } from '#domain/tax-id.ts'
import type { TaxService } from '#domain/tax-service.ts'
import type { Runner } from '#domain/runner.ts'

/** What activities that only need rows and Temporal are made with. */
export interface DatabaseDependencies {
  readonly db: Db
  readonly client: Client
  /** Where people reach the console, without a slash at the end: Temporal's UI links to it. */
  readonly consoleUrl: string
  /** With which the keys for other installations are sealed. */
  readonly installationKey: InstallationKey
  /** Ranges of addresses beside the public internet where other installations are spoken to; left out, none. */
  readonly peerRanges?: readonly string[]
  /** Ports beside 443 where other installations are spoken to; left out, none. */
  readonly peerPorts?: readonly number[]
  /** Ranges of addresses beside the public internet to which events are posted; left out, none. */
  readonly webhookRanges?: readonly string[]
  /** Ports beside 443 to which events are posted; left out, none. */
  readonly webhookPorts?: readonly number[]
  /** Where tax ids are looked up; left out, nobody is asked, and an operator says what was found. */
  readonly taxIdCheck?: TaxIdCheck
  /** Who determines taxes where the seller has a service do so; left out, what it would answer stays unbilled. */
  readonly taxService?: TaxService
  /** How long a sold limit may not be in force before a person is told; left out, 60 s. */
  readonly limitPatienceMs?: number
}

/** With what other installations are spoken to. */
export type PeerDependencies = Pick<
  DatabaseDependencies,
  'db' | 'installationKey' | 'consoleUrl' | 'peerRanges' | 'peerPorts'
>

/** What activities of one server are made with: they run on its queue, beside its engine. */
export interface ServerDependencies {
  readonly db: Db
  readonly runner: Runner
  readonly installationKey: InstallationKey
  /** Ranges of addresses beside the public internet where data sources are asked; left out, none. */
  readonly dataSourceRanges?: readonly string[]
  /** How long a sold limit may not be in force before a person is told; left out, 60 s. */
  readonly limitPatienceMs?: number
}
