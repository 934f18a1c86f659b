import { fieldError } from './errors.ts'

export const dataSourceKinds = ['postgresql', 'mysql', 'elasticsearch'] as const
export type DataSourceKind = (typeof dataSourceKinds)[number]

/** A database elsewhere, as an operator knows it. `mysql` is MariaDB too. */
export interface DataSource {
  readonly code: string
  readonly kind: DataSourceKind
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
  /** Null where queries name an index. */
  readonly database: string | null
  readonly username: string
  readonly hasTls: boolean
  /** In PEM; null: as the system trusts. */
  readonly certificateAuthority: string | null
}

/** With what it is spoken to: its name was looked up, every address was allowed, and to this one is connected. */
export interface ReachedDataSource extends DataSource {
  readonly address: string
  readonly password: string
}

/** What became of the data sources that are named, by code: reached, or why not. */
export type DataSources = ReadonlyMap<string, ReachedDataSource | Error>

/** @throws `field_required`, `field_invalid`, with the pointer of the field */
export function checkDataSource({ kind, database, hasTls, certificateAuthority }: DataSource): void {
  if (kind === 'elasticsearch' && database !== null)
    throw fieldError('/database', 'field_invalid', 'Queries name an index: leave the database out.')
  if (kind !== 'elasticsearch' && database === null)
    throw fieldError('/database', 'field_required', `A ${kind} source needs its database.`)
  if (!hasTls && certificateAuthority !== null)
    throw fieldError('/certificate_authority', 'field_invalid', 'Without TLS no certificate is checked.')
}
