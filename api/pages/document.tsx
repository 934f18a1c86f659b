import { html } from 'hono/html'
import type { Child } from 'hono/jsx'
import { assetUrl, type AssetName } from './assets.ts'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

export interface DocumentProps {
  readonly title: string
  /** Whose pages they are; ours, where it is left out. */
  readonly site?: string
  /** English, where it is left out. */
  readonly language?: string
  readonly direction?: 'ltr' | 'rtl'
  readonly theme?: Theme
  /** Besides the style sheet of all pages. */
  readonly styles?: readonly AssetName[]
  /** What the page listens to, read by live.js. */
  readonly live?: { readonly stream: string; readonly kinds: string } | undefined
  readonly children?: Child
}

/** The outermost of every page. No script and no style is inside it: the content policy allows none. */
export function renderDocument(props: DocumentProps) {
  return html`<!doctype html>${(<Document {...props} />)}`
}

function Document(props: DocumentProps) {
  const { title, site = 'Clouder', language = 'en', direction = 'ltr', styles = [], live, children } = props
  return (
    <html lang={language} dir={direction} data-theme={props.theme ?? 'system'}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${site}`}</title>
        <link rel="icon" href={assetUrl('icon.svg')} type="image/svg+xml" />
        <link rel="stylesheet" href={assetUrl('console.css')} />
        {styles.map((name) => (
          <link rel="stylesheet" href={assetUrl(name)} />
        ))}
        {live && <script src={assetUrl('live.js')} defer></script>}
      </head>
      <body data-live-stream={live?.stream} data-live-kinds={live?.kinds}>
        {children}
      </body>
    </html>
  )
}

/** A page for somebody who may not be signed in: one thing to read, one thing to do. */
export function renderPlainPage(props: { title: string; children?: Child }) {
  return renderDocument({
    title: props.title,
    children: (
      <main class="plain" id="main">
        <p class="brand">
          <a href="/">Clouder</a>
        </p>
        {props.children}
      </main>
    ),
  })
}
