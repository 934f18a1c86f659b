import { BusinessError } from './errors.ts'

/** An application that another one brings along, as a part of it. */
export interface ChildApplication {
  /** Its code. */
  readonly application: string
  /** Lower is built first; what is equal, side by side. */
  readonly sequence: number
}

/** What is built for the applications of a subscription, with what each of them brings. */
export interface BuiltParts {
  /** Every one after all of its own parts. */
  readonly ids: readonly string[]
  /** By part, what it is a part of. */
  readonly parents: ReadonlyMap<string, string>
  /** By part, how many turns before its topmost parent it is built: 1 or more. */
  readonly turns: ReadonlyMap<string, number>
}

type ChildrenOf = (id: string) => readonly { readonly id: string; readonly sequence: number }[]

/** So deep that nobody means it; a circle is found long before. */
const deepest = 10

/**
 * The applications of a subscription with the children that they bring, and theirs. One application is there once: a child that
 * two of them bring, or that is sold beside them, is a part of the first one.
 * @param sold in the order in which they are built
 * @param childrenOf lower sequences are built first; the parent comes last
 * @example a shop with `data` at 10 and `files` at 20 gives `data`, `files`, `shop`; `data` is built 2 turns before, `files` 1
 * @throws `dependency_cycle` where one leads back to itself
 */
export function planParts(sold: readonly string[], childrenOf: ChildrenOf): BuiltParts {
  const parents = new Map<string, string>()
  const turns = new Map<string, number>()
  const ids = new Set<string>()
  const roots = sold.filter((id) => !isBroughtByOther(id, sold, childrenOf))
  for (const root of roots) {
    const levels = levelsBefore(root, childrenOf, { path: [root], parents })
    for (const [index, level] of levels.entries()) {
      for (const id of level) {
        ids.add(id)
        turns.set(id, levels.length - index)
      }
    }
    ids.add(root)
  }
  // What only brings itself in a circle has no root, thus was refused above; what is sold is never lost.
  for (const id of sold) {
    if (!ids.has(id)) throw cycle([id])
  }
  return { ids: [...ids], parents, turns }
}

/** Levels of what is built before an application, the first one first. */
function levelsBefore(
  id: string,
  childrenOf: ChildrenOf,
  { path, parents }: { path: readonly string[]; parents: Map<string, string> },
): string[][] {
  const groups = [...Map.groupBy(childrenOf(id), ({ sequence }) => sequence)].toSorted(([a], [b]) => a - b)
  return groups.flatMap(([, group]) => {
    const branches = group.flatMap(({ id: child }) => {
      if (path.includes(child) || path.length >= deepest) throw cycle([...path, child])
      if (parents.has(child)) return []
      parents.set(child, id)
      return [[...levelsBefore(child, childrenOf, { path: [...path, child], parents }), [child]]]
    })
    return sideBySide(branches)
  })
}

/** Branches that are built at once, and end together. */
function sideBySide(branches: readonly (readonly string[])[][]): string[][] {
  const length = Math.max(0, ...branches.map((levels) => levels.length))
  return Array.from({ length }, (_level, index) =>
    branches.flatMap((levels) => levels[index - (length - levels.length)] ?? []),
  )
}

function isBroughtByOther(id: string, sold: readonly string[], childrenOf: ChildrenOf): boolean {
  const brought = new Set<string>()
  const gather = (of: string): void => {
    for (const child of childrenOf(of)) {
      if (brought.has(child.id)) continue
      brought.add(child.id)
      gather(child.id)
    }
  }
  for (const other of sold) if (other !== id) gather(other)
  return brought.has(id)
}

function cycle(path: readonly string[]): BusinessError {
  return new BusinessError(
    'dependency_cycle',
    `An application that brings others leads back to itself, over ${path.length - 1} of them.`,
  )
}

/** What a part is a part of in the end; itself, where it is none. */
export function topmost({ parents }: Pick<BuiltParts, 'parents'>, id: string): string {
  let root = id
  for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) root = parent
  return root
}

/** When a part is built, by when its topmost parent is. */
export function partSequence(
  parts: Pick<BuiltParts, 'parents' | 'turns'>,
  sequence: ReadonlyMap<string, number>,
  id: string,
): number {
  return (sequence.get(topmost(parts, id)) ?? 0) - (parts.turns.get(id) ?? 0)
}
