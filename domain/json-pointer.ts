/** Where a value stands in a JSON document, as RFC 6901 writes it: `['data', 'a/b', 0]` is `/data/a~1b/0`. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
