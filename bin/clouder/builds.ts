import type { Command } from 'commander'
import type { Build, BuildDetail } from './answers.ts'
import { registerBuildCommands } from './build-commands.ts'
import type { ExitCode } from './exit-code.ts'
import { instantText } from './format.ts'
import { untilInterrupted } from './interruption.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession, type Session } from './session.ts'
import { tellEnd, watchBuild, type WatchTarget } from './watch.ts'

export function registerBuilds(program: Command): void {
  const group = program
    .command('builds')
    .alias('build')
    .summary('list, follow and retry builds')
    .description('Builds make what was sold, unbuilds remove it, step by step.')
    .addHelpText(
      'before',
      `Examples
  npx clouder builds watch bo_…      or the id of its subscription
  npx clouder builds retry bo_… --watch
  npx clouder builds skip bo_… 7 --reason 'looked at it by hand'
`,
    )
  group
    .command('ls')
    .description('list builds and unbuilds, newest first (what the word alone does)')
    .option('--subscription <subscription>', 'only those of this subscription')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number; subscription?: string }>(async (session, { options }) =>
        list(session, options),
      ),
    )
  group
    .command('watch <build>')
    .description('follow a build to its end; a subscription’s id follows its newest')
    .action(
      withSession<[string]>(async (session, { args: [id] }) => follow(session, await toTarget(session, id))),
    )
  group
    .command('retry <build>')
    .description('try a build again that failed for good, once its cause is gone')
    .option('--watch', 'follow it')
    .action(
      withSession<[string], { watch?: true }>(async (session, { args: [id], options }) => {
        const build = await session.api.post<BuildDetail>(`/v1/builds/${encodeURIComponent(id)}/retry`, {})
        const { subscription: subscriptionId, kind } = build
        if (options.watch) return await follow(session, { subscriptionId, kind })
        return session.out.isJson ? session.out.json(build) : tellRetry(session, build)
      }),
    )
  registerBuildCommands(group)
}

async function list(
  { api, out }: Session,
  { limit, subscription }: { limit: number; subscription?: string },
): Promise<void> {
  const found = await api.list<Build>('/v1/builds', { subscription }, limit)
  if (out.isJson) return out.json(found.rows)
  out.table(
    ['id', 'what', 'title', 'state', 'steps', 'created', 'failure'],
    found.rows.map((row) => [
      row.id,
      `${row.kind} ${row.number}`,
      row.subscription_title,
      row.state,
      `${row.steps_done}/${row.steps_total}`,
      instantText(row.created_at),
      row.failure?.code ?? null,
    ]),
  )
  tellMore(out, found, 'An order makes the first: npx clouder order static-site --customer harbour-bakery')
}

async function toTarget({ api }: Session, id: string): Promise<WatchTarget> {
  if (id.startsWith('sub_')) {
    const { rows } = await api.list<Build>('/v1/builds', { subscription: id }, 1)
    return { subscriptionId: id, kind: rows[0]?.kind ?? 'build' }
  }
  const build = await api.get<BuildDetail>(`/v1/builds/${encodeURIComponent(id)}`)
  return { subscriptionId: build.subscription, kind: build.kind, buildId: build.id }
}

async function follow(session: Session, target: WatchTarget): Promise<ExitCode> {
  const id = target.buildId ?? target.subscriptionId
  const back = () =>
    `\n  The ${target.kind} goes on without you. Come back with  npx clouder builds watch ${id}`
  return await untilInterrupted(session, back, async (stopped) => {
    const end = await watchBuild(session, target, stopped)
    if (session.out.isJson) session.out.json(end.build)
    else tellEnd(session, end)
    return end.code
  })
}

function tellRetry({ out }: Session, build: BuildDetail): void {
  out.facts([
    ['build', build.id],
    ['state', build.state],
    ['subscription', build.subscription],
  ])
  out.say(`\n  Next  npx clouder builds watch ${build.subscription}`)
}
