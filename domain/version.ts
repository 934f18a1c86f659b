/** What a thing of the catalog says from a day on. */
export interface Version {
  readonly version: number
  /** Null for the first one, which holds for every day before the others. */
  readonly effectiveOn: string | null
}

/**
 * The version that holds on a day: version 2 from 1 May holds on 1 May, version 1 on 30 April. Of several from one
 * day the last that was made holds. Undefined where there are none, or all begin later.
 */
export function versionOn<T extends Version>(versions: readonly T[], on: string): T | undefined {
  return versions
    .filter(({ effectiveOn }) => effectiveOn === null || effectiveOn <= on)
    .toSorted((first, second) => compare(first, second))
    .at(-1)
}

function compare(first: Version, second: Version): number {
  const [one, other] = [first.effectiveOn ?? '', second.effectiveOn ?? '']
  if (one !== other) return one < other ? -1 : 1
  return first.version - second.version
}
