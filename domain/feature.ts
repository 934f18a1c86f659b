/** What a product switches on or off in applications, or a value that it has there: `sso` is true, `storage-class` is `gold`. */
export type Features = Readonly<Record<string, boolean | string>>

/**
 * What several products that are sold together give: on where one of them has it on, else off; of several values the last one's.
 * `{ sso: false }` and `{ sso: true, tier: 'gold' }` give `{ sso: true, tier: 'gold' }`.
 */
export function joinFeatures(sold: readonly Features[]): Features {
  const joined = new Map<string, boolean | string>()
  for (const [code, value] of sold.flatMap((features) => Object.entries(features))) {
    if (value !== false || !joined.has(code)) joined.set(code, value)
  }
  return Object.fromEntries(joined)
}
