import { BusinessError } from '#domain/errors.ts'
import { versionOn } from '#domain/version.ts'
import { toDifferencesJson, type DifferenceJson } from './schemas/version.ts'

interface VersionRow {
  readonly version: number
  readonly effective_on: string | null
  readonly created_at: string
}

/** A version as it stands among the others. */
export interface ShownVersion<Row> {
  readonly row: Row
  readonly isInForce: boolean
  readonly subscriptionCount: number
  readonly differences: readonly DifferenceJson[]
}

/** Versions of a thing, oldest first, each with what it changed and how many subscriptions stand on it. */
export function showVersions<Row extends VersionRow>(
  rows: readonly Row[],
  shown: {
    readonly today: string
    readonly counts: ReadonlyMap<number, number>
    readonly toBody: (row: Row) => object
  },
): ShownVersion<Row>[] {
  const versions = rows.map((row) => ({ version: row.version, effectiveOn: row.effective_on }))
  const inForce = versionOn(versions, shown.today)
  return rows.map((row, index) => {
    const before = rows[index - 1]
    return {
      row,
      isInForce: row.version === inForce?.version,
      subscriptionCount: shown.counts.get(row.version) ?? 0,
      differences: before === undefined ? [] : toDifferencesJson(shown.toBody(before), shown.toBody(row)),
    }
  })
}

/** @param pair.to undefined is the last one @throws `not_found` where one of the two is none */
export function compareVersions<Row extends VersionRow>(
  rows: readonly Row[],
  pair: { readonly from: number; readonly to?: number | undefined },
  toBody: (row: Row) => object,
): { from: number; to: number; differences: DifferenceJson[] } {
  const { from, to = rows.length } = pair
  const [first, second] = [from, to].map((asked) => rows.find(({ version }) => version === asked))
  if (!first || !second) throw new BusinessError('not_found', `It has the versions 1 to ${rows.length}.`)
  return { from, to, differences: toDifferencesJson(toBody(first), toBody(second)) }
}

export function toVersionJson({ row, isInForce, subscriptionCount, differences }: ShownVersion<VersionRow>) {
  return {
    version: row.version,
    effective_on: row.effective_on,
    is_in_force: isInForce,
    subscription_count: subscriptionCount,
    differences: [...differences],
    created_at: row.created_at,
  }
}
