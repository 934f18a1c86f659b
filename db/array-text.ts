/**
 * Arrays as PostgreSQL writes them, for statements that take thousands of rows as one array a column: a text costs a fraction of
 * what the driver takes to look at each element.
 */

/** Of texts, or of JSON as text; null is NULL. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quote(value))).join(',')}}`
}

/** Of ids, numbers and truth values, which need no quotes. */
export function plainArray(values: readonly (string | number | boolean)[]): string {
  return `{${values.join(',')}}`
}

function quote(value: string): string {
  const isPlain = !value.includes('"') && !value.includes('\\')
  return isPlain ? `"${value}"` : `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
