/** What a customer tells its supplier of its expense mappings: each of the supplier's products, and as what it is counted over there. */
interface ToldMapping {
  /** Of the supplier. */
  readonly product_code: string
  /** Of the customer's own. */
  readonly category: { readonly code: string; readonly name: string }
}

export interface ToldMappings {
  /** How many there are; of more than can be told the first are told. */
  readonly total: number
  readonly mappings: readonly ToldMapping[]
}

export const toldMappingBounds = {
  /** As many as one message holds, each as long as it may be. */
  mappings: 1_000,
  /** As the product of a document's line. */
  productCode: /^[^\p{Cc}\p{Cs}]{1,100}$/u,
  categoryCode: /^[a-z][a-z0-9-]{0,59}$/,
  categoryName: /^[^\p{Cc}\p{Cs}]{1,200}$/u,
} as const

/**
 * The whole present mapping, as it is told. What is said by the text of a line is our own, and so is a mapping of what no document can
 * name as a product.
 */
export function toldMappings(
  said: readonly {
    readonly matches: 'product_code' | 'description'
    readonly value: string
    readonly code: string
    readonly name: string
  }[],
): ToldMappings {
  const told = said
    .filter(({ matches, value }) => matches === 'product_code' && toldMappingBounds.productCode.test(value))
    .map(({ value, code, name }) => ({ product_code: value, category: { code, name } }))
  return { total: told.length, mappings: told.slice(0, toldMappingBounds.mappings) }
}
