import type { Command } from 'commander'
import { withSession } from './session.ts'

interface Archived {
  readonly code: string
  readonly archived_at: string | null
}

/** How something of the catalog is taken out of sale, put back, or deleted where nothing uses it. */
export function addRemoval(group: Command, { path, words }: { path: string; words: string }): void {
  for (const [action, description] of [
    ['archive', `sell the ${words} no more; what was sold goes on`],
    ['unarchive', `sell the ${words} again`],
  ] as const) {
    group
      .command(`${action} <${words}>`)
      .description(description)
      .action(
        withSession<[string]>(async ({ api, out }, { args: [text] }) => {
          const kept = await api.post<Archived>(`${path}/${encodeURIComponent(text)}/${action}`, {})
          if (out.isJson) return out.json(kept)
          out.facts([
            [words, kept.code],
            ['archived', kept.archived_at ?? 'no'],
          ])
        }),
      )
  }
  group
    .command(`rm <${words}>`)
    .description(`delete the ${words}; it is refused, with what uses it, while anything does`)
    .action(
      withSession<[string]>(async ({ api, out }, { args: [text] }) => {
        await api.delete(`${path}/${encodeURIComponent(text)}`)
        if (out.isJson) return out.json({ deleted: text })
        out.facts([['deleted', text]])
      }),
    )
}
