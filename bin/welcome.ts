export type WelcomeFacts = {
  consoleUrl: string
  loginUrl: string
  apiKey: string
  temporalUiUrl: string | undefined
  /** Of the demo subscription, when there is one. */
  subscriptionId: string | undefined
  /** Where its application answers. */
  appUrl: string | undefined
  customer: string
  dataFolder: string
  /** The folder that `npx clouder` has to be told; undefined for the usual one. */
  toldFolder: string | undefined
  seconds: number
}

/** The last thing a start prints: where everything is, how to get in, and what to try next. */
export function welcome(facts: WelcomeFacts): string {
  const row = (title: string, url: string, about: string, detail: string) =>
    `  ${title.padEnd(10)} ${url.padEnd(34)} ${about.padEnd(15)} ${detail}`.trimEnd()
  const { consoleUrl, temporalUiUrl, subscriptionId, appUrl, toldFolder } = facts
  const [about, workflow] =
    subscriptionId === undefined ? ['', ''] : ['workflow', `subscription/${subscriptionId}`]
  return [
    '',
    `  Clouder is ready (${facts.seconds} s)      data in ${facts.dataFolder}, the next start finds it all again`,
    '',
    row('Console', `${consoleUrl}/`, 'one-time login', facts.loginUrl),
    row('API', `${consoleUrl}/docs`, 'API key', facts.apiKey),
    ...(temporalUiUrl === undefined ? [] : [row('Temporal', `${temporalUiUrl}/`, about, workflow)]),
    ...(appUrl === undefined ? [] : [row('Sold app', appUrl, '', '')]),
    '',
    ...(toldFolder === undefined
      ? []
      : [`  Before     export CLOUDER_DATA=${toldFolder}   so that npx clouder finds this one`]),
    `  Try now    npx clouder order odoo-config-1 --customer ${facts.customer} --on-clock demo --watch`,
    `             npx clouder clock advance 1mo   a month passes for what is on the clock: billed, metered, ended for real`,
    `             npx clouder invoices            and  npx clouder subscriptions show <id>  for lines, limits and actions`,
    `  Again      npx clouder status              Look  npx clouder doctor     Stop  Ctrl-C: in order, containers keep running`,
    '',
  ].join('\n')
}

/** Ordering and billing can be tried without containers, but nobody may believe that something was deployed. */
export const dryRunBanner = `
  ╔══════════════════════════════════════════════════════════════════════════════════╗
  ║  DRY RUN: no Docker engine is used. NOTHING IS DEPLOYED.                         ║
  ║  Orders, builds and bills run through, with a runner that only pretends.         ║
  ║  To deploy for real: install Docker, or set DOCKER_HOST; then npm start again.   ║
  ╚══════════════════════════════════════════════════════════════════════════════════╝
`
