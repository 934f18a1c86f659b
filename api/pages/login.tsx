import { PlainPage } from './plain-page.tsx'

/** Asks once more before a login link is used up. */
export function loginPage() {
  return (
    <PlainPage title="Sign in">
      <main>
        <h1>Sign in to Clouder</h1>
        <p>This link works once.</p>
        <form method="post">
          <button type="submit">Sign in</button>
        </form>
      </main>
    </PlainPage>
  )
}
