export type WelcomeFacts = {
  consoleUrl: string
  loginUrl: string
  apiKey: string
  temporalUiUrl: string | undefined
  demo: { subscriptionId: string; url: string | undefined } | undefined
  customer: string
  product: string
  dataFolder: string
  seconds: number
}

/** The last thing a start prints: where everything is, how to get in, and what to try next. */
export function welcome(facts: WelcomeFacts): string {
  const row = (title: string, url: string, about: string, detail: string) =>
    `  ${title.padEnd(10)} ${url.padEnd(34)} ${about.padEnd(15)} ${detail}`.trimEnd()
  const { demo } = facts
  return [
    '',
    `  Clouder is ready (${facts.seconds} s)      data in ${facts.dataFolder}, the next start finds it all again`,
    '',
    row('Console', `${facts.consoleUrl}/`, 'one-time login', facts.loginUrl),
    row('API', `${facts.consoleUrl}/docs`, 'test key', facts.apiKey),
    ...(facts.temporalUiUrl === undefined ? [] : [temporalRow(facts.temporalUiUrl)]),
    ...(demo?.url === undefined ? [] : [row('Sold app', demo.url, '', '')]),
    '',
    `  Try now    npx clouder order ${facts.product} --customer ${facts.customer} --watch`,
    `             npx clouder subscriptions`,
    `  Again      npx clouder doctor              Stop  Ctrl-C: in order, containers keep running`,
    '',
  ].join('\n')

  function temporalRow(url: string): string {
    return row(
      'Temporal',
      `${url}/`,
      'workflow',
      demo === undefined ? '' : `subscription/${demo.subscriptionId}`,
    )
  }
}

/** Ordering and billing can be tried without containers, but nobody may believe that something was deployed. */
export const dryRunBanner = `
  ╔══════════════════════════════════════════════════════════════════════════════════╗
  ║  DRY RUN: no Docker engine is used. NOTHING IS DEPLOYED.                         ║
  ║  Orders, builds and bills run through, with a runner that only pretends.         ║
  ║  To deploy for real: install Docker, or set DOCKER_HOST; then npm start again.   ║
  ╚══════════════════════════════════════════════════════════════════════════════════╝
`
