import type { LookupAddress } from 'node:dns'
import { lookup as lookUp } from 'node:dns/promises'
import { isIP } from 'node:net'
import { openDataSources } from '#db/data-source.ts'
import { dataSourcesOf, type ApplicationDefinition } from '#domain/application.ts'
import type { DataSources, ReachedDataSource } from '#domain/data-source.ts'
import { BusinessError } from '#domain/errors.ts'
import { isSpokenTo } from '#domain/outbound-address.ts'
import type { ServerDependencies } from './dependencies.ts'

export type LookUp = (host: string) => Promise<readonly LookupAddress[]>

/**
 * The data sources that an application's metrics name, each with the address that is connected to: its name is looked up once,
 * every answer has to be one that is spoken to, and it is not looked up again. One that is not reached keeps none of the others.
 * @returns undefined where none is named
 */
export async function reachDataSources(
  { db, installationKey, dataSourceRanges: allowed = [] }: Omit<ServerDependencies, 'runner'>,
  definition: ApplicationDefinition,
  look: LookUp = async (host) => await lookUp(host, { all: true }),
): Promise<DataSources | undefined> {
  const codes = dataSourcesOf(definition)
  if (codes.length === 0) return undefined
  const opened = await openDataSources(db, installationKey, codes)
  const reached = await Promise.all(
    opened.map(async (source): Promise<[string, ReachedDataSource | Error]> => {
      try {
        return [source.code, { ...source, address: await checkedAddress(source.host, allowed, look) }]
      } catch (error) {
        if (error instanceof Error) return [source.code, error]
        throw error
      }
    }),
  )
  return new Map(reached)
}

/** @throws `data_source_refused` */
async function checkedAddress(host: string, allowed: readonly string[], look: LookUp): Promise<string> {
  const addresses = isIP(host) === 0 ? (await look(host)).map(({ address }) => address) : [host]
  const [first] = addresses
  if (first === undefined) throw new Error(`${host} has no address`)
  const refused = addresses.find((address) => !isSpokenTo(address, { isOnLoopback: false, allowed }))
  if (refused === undefined) return first
  throw new BusinessError(
    'data_source_refused',
    `${host} is not asked: ${refused} is no public address, and of none of the ranges of CLOUDER_DATA_SOURCE_RANGES.`,
  )
}
