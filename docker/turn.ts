/** Does the work for each item, for so many at once, and keeps their order; what gives nothing is left out. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result | undefined>,
): Promise<Result[]> {
  const results = new Map<number, Result>()
  const queue = items.entries()
  const one = async (): Promise<void> => {
    for (const [index, item] of queue) {
      const result = await work(item)
      if (result !== undefined) results.set(index, result)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return items.flatMap((_item, index) => results.get(index) ?? [])
}
