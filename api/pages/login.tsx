import { renderPlainPage } from './document.tsx'

/** Asks once more before a login link is used up. */
export function loginPage() {
  return renderPlainPage({
    title: 'Sign in',
    children: (
      <>
        <h1>Sign in to Clouder</h1>
        <p>This link works once.</p>
        <form method="post">
          <button type="submit" class="primary">
            Sign in
          </button>
        </form>
      </>
    ),
  })
}
