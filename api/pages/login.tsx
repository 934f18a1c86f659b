import { renderPlainPage } from './document.tsx'

/** Asks once more before a link that logs in is used up. */
export function loginPage(words: { title: string; heading?: string; text: string; button: string }) {
  return renderPlainPage({
    title: words.title,
    children: (
      <>
        <h1>{words.heading ?? words.title}</h1>
        <p>{words.text}</p>
        <form method="post">
          <button type="submit" class="primary">
            {words.button}
          </button>
        </form>
      </>
    ),
  })
}
