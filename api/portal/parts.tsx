import type { PortalView } from './portal-page.tsx'

/** Newer and older rows of a list, as addresses. */
export function MorePages(props: { view: PortalView; newer: string | null; older: string | null }) {
  const { words } = props.view.speech
  if (props.newer === null && props.older === null) return null
  return (
    <nav class="pages" aria-label={`${words.newer}, ${words.older}`}>
      {props.newer !== null && (
        <a href={props.newer} rel="prev">
          {words.newer}
        </a>
      )}
      {props.older !== null && (
        <a href={props.older} rel="next">
          {words.older}
        </a>
      )}
    </nav>
  )
}
