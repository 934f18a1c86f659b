import { createInterface } from 'node:readline/promises'
import { Option, type Command } from 'commander'
import { cancelReasons } from '#domain/cancellation.ts'
import type { SubscriptionDetail } from './answers.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { usageFailure } from './failure.ts'
import { untilInterrupted } from './interruption.ts'
import { withSession, type Session } from './session.ts'
import type { Shell } from './shell.ts'
import { newestBuild, tellEnd, watchBuild } from './watch.ts'

interface CancelOptions {
  readonly now?: true
  readonly on?: string
  readonly serviceUntil?: string
  readonly reason?: string
  readonly because?: string
  readonly force?: true
  readonly watch?: true
}

/** `clouder cancel`, and the same as `clouder subscriptions cancel`. */
export function addCancel(parent: Command): void {
  parent
    .command('cancel <subscription>')
    .summary('cancel a subscription')
    .description(
      'Cancels at the end of what is paid, and can be taken back until then. --now ends it at once.',
    )
    .option('--now', 'end it now: what was deployed is removed, a final invoice is made')
    .option('--on <date>', 'on a day: the first that is not billed')
    .option('--service-until <date>', 'keep it running until this day, unbilled')
    .option('--reason <text>', 'why, in your own words')
    .addOption(new Option('--because <code>', 'why, as reports count it').choices(cancelReasons))
    .option('--force', 'do not ask')
    .option('--watch', 'with --now: follow the unbuild')
    .addHelpText(
      'before',
      `Examples
  npx clouder cancel sub_…                       at the end of what is paid
  npx clouder cancel sub_… --now --force --watch
`,
    )
    .action(
      withSession<[string], CancelOptions>(async (session, { args: [id], options }) => {
        const path = `/v1/subscriptions/${encodeURIComponent(id)}`
        const refusal = options.now && !options.force ? await askFirst(session, path) : undefined
        if (refusal !== undefined) return refusal
        const body = {
          when: options.now ? 'now' : options.on === undefined ? 'period_end' : 'date',
          ends_on: options.on,
          service_ends_on: options.serviceUntil,
          ...(options.reason === undefined ? {} : { reason: options.reason }),
          ...(options.because === undefined ? {} : { reason_code: options.because }),
        }
        const detail = await session.api.post<SubscriptionDetail>(`${path}/cancel`, body)
        if (options.now && options.watch) return await follow(session, detail.id)
        return tell(session, detail)
      }),
    )
}

/** Undefined: yes. A code: how to end without having done anything. */
async function askFirst({ api, out, shell }: Session, path: string): Promise<ExitCode | undefined> {
  if (!out.canAsk) {
    throw usageFailure(
      'Cancelling now removes what was deployed, and nobody can be asked here.',
      'Add --force to do it without a question.',
    )
  }
  const { title, customer } = await api.get<SubscriptionDetail>(path)
  const answer = await askPerson(
    shell,
    `  ${title} of ${customer.name} ends now, and what was deployed is removed. Go on? [y/N] `,
  )
  if (answer !== undefined && /^y(es)?$/i.test(answer.trim())) return undefined
  out.say(`${answer === undefined ? '\n' : ''}  Nothing was changed.`)
  return answer === undefined ? exitCodes.interrupted : exitCodes.failed
}

/** What was typed: nothing where the input ended, undefined for Ctrl-C. */
async function askPerson({ stdin, stderr }: Shell, question: string): Promise<string | undefined> {
  const prompt = createInterface({ input: stdin, output: stderr })
  const { promise: interrupted, resolve } = Promise.withResolvers<string | undefined>()
  prompt.once('SIGINT', () => resolve(undefined))
  prompt.once('close', () => resolve(''))
  const answer = await Promise.race([prompt.question(question), interrupted])
  prompt.close()
  return answer
}

async function follow(session: Session, id: string): Promise<ExitCode> {
  const back = () =>
    `\n  The subscription goes on ending without you. Come back with  npx clouder subscriptions show ${id}`
  return await untilInterrupted(session, back, async (stopped) => {
    const end = await watchBuild(session, { subscriptionId: id, kind: 'unbuild' }, stopped)
    if (session.out.isJson) session.out.json(end.subscription)
    else tellEnd(session, end)
    return end.code
  })
}

function tell({ out }: Session, detail: SubscriptionDetail): ExitCode {
  if (out.isJson) return (out.json(detail), exitCodes.ok)
  const unbuild = newestBuild(detail.builds, 'unbuild')
  const isAtOnce = detail.ends_on === null || detail.phase === 'unbuilding' || detail.phase === 'ended'
  out.facts([
    ['subscription', detail.id],
    ['phase', detail.phase],
    ['ends', detail.ends_on ?? 'now'],
  ])
  if (!isAtOnce)
    out.say(`\n  Next  npx clouder subscriptions uncancel ${detail.id}   until ${detail.ends_on}`)
  else out.say(`\n  Next  npx clouder builds watch ${unbuild?.id ?? detail.id}`)
  return exitCodes.ok
}
