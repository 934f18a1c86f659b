import type { TaxCategory } from '#domain/tax.ts'

const pairs = [
  ['standard', 'S'],
  ['zero', 'Z'],
  ['exempt', 'E'],
  ['reverse_charge', 'AE'],
  ['out_of_scope', 'O'],
] as const satisfies readonly (readonly [TaxCategory, string])[]

/** The codes of UNCL 5305 for our categories of tax. */
export const taxCodes: ReadonlyMap<string, string> = new Map(pairs)

/** The same from code to category. */
export const taxCategories: ReadonlyMap<string, string> = new Map(
  pairs.map(([category, code]) => [code, category]),
)
