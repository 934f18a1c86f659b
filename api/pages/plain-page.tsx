import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'

/** The frame of a page outside the console. */
export function PlainPage(props: { title: string; children?: Child }) {
  return (
    <>
      {raw('<!doctype html>')}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>{`${props.title} - Clouder`}</title>
        </head>
        <body>{props.children}</body>
      </html>
    </>
  )
}
