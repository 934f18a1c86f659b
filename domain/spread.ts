/**
 * A number below 2^32 that a text alone says: FNV-1a of 32 bits. Ids that differ in one character lie far apart, and everywhere it
 * comes out the same.
 */
export function spread(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return hash
}
