import { renderPlainPage } from './document.tsx'

/** Asks once more before the link is used up. */
export function instanceLoginPage() {
  return renderPlainPage({
    title: 'Open the application',
    children: (
      <>
        <h1>Open the application</h1>
        <p>This link works once, and logs you in.</p>
        <form method="post">
          <button type="submit" class="primary">
            Open
          </button>
        </form>
      </>
    ),
  })
}
