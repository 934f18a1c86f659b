/**
 * A code for a supplier that nobody gave one: of its name, and of the last digits of what tells it from others of that name.
 * @example "Upstream Hosting GmbH" with an id that ends in …0a1b2c3d: `upstream-hosting-gmbh-0a1b2c3d`
 */
export function codeOf(name: string, id: string): string {
  const words = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[-0-9]+|-+$/g, '')
  return `${words === '' ? 'supplier' : words.slice(0, 40)}-${id.slice(-8)}`
}
