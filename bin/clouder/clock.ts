import type { Command } from 'commander'
import type { TestClock } from './answers.ts'
import { findClock } from './clock-choice.ts'
import { followClock, newestEvent } from './clock-watch.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { instantText } from './format.ts'
import { untilInterrupted } from './interruption.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession, type Session } from './session.ts'

interface ClockOptions {
  readonly clock?: string
}

const whichClock = ['--clock <clock>', 'its id, number or name; left out, the only one'] as const

export function registerClock(program: Command): void {
  const group = program
    .command('clock')
    .alias('clocks')
    .summary('show and move test clocks')
    .description('Subscriptions ordered on a test clock live by it. Moving it does the real work at once.')
    .addHelpText(
      'before',
      `Examples
  npx clouder clock                      where it stands
  npx clouder clock advance 1mo          also 12h, 3d, 2w, 1y
  npx clouder clock set 2026-02-28T09:00:00Z
  npx clouder clock create demo --now 2026-01-31T09:00:00Z
`,
    )
  addReads(group)
  addMoves(group)
}

function addReads(group: Command): void {
  group
    .command('show')
    .description('where a test clock stands (what the word alone does)')
    .option(...whichClock)
    .action(
      withSession<[], ClockOptions>(async (session, { options }) =>
        show(session, await findClock(session, options.clock)),
      ),
    )
  group
    .command('ls')
    .description('list test clocks')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<TestClock>('/v1/test-clocks', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['id', 'number', 'name', 'now', 'on its way to', 'subscriptions'],
          found.rows.map((row) => [row.id, row.number, row.name, row.now, row.target, row.subscriptions]),
        )
        tellMore(out, found, 'npx clouder clock create demo --now 2026-01-31T09:00:00Z')
      }),
    )
}

function addMoves(group: Command): void {
  group
    .command('create <name>')
    .description('make a test clock')
    .requiredOption('--now <instant>', 'the instant at which it begins')
    .action(
      withSession<[string], { now: string }>(async (session, { args: [name], options }) => {
        show(session, await session.api.post<TestClock>('/v1/test-clocks', { name, now: options.now }))
        session.out.say(
          `  Next  npx clouder order odoo-config-1 --customer harbour-bakery --on-clock ${name}`,
        )
      }),
    )
  group
    .command('advance <step>')
    .description('move it on by 12h, 3d, 2w, 1mo or 1y, and follow what happens')
    .option(...whichClock)
    .action(
      withSession<[string], ClockOptions>(async (session, { args: [by], options }) =>
        move(session, options, { by }),
      ),
    )
  group
    .command('set <instant>')
    .description('move it on to an instant, and follow what happens')
    .option(...whichClock)
    .action(
      withSession<[string], ClockOptions>(async (session, { args: [to], options }) =>
        move(session, options, { to }),
      ),
    )
}

function show({ out }: Session, clock: TestClock): void {
  if (out.isJson) return out.json(clock)
  out.facts([
    ['test clock', `${clock.id} (${clock.number})`],
    ['name', clock.name],
    ['now', clock.now],
    ...(clock.target === null ? [] : [['on its way to', clock.target] as const]),
    ['subscriptions', clock.subscriptions],
  ])
}

async function move(
  session: Session,
  { clock: text }: ClockOptions,
  step: { by: string } | { to: string },
): Promise<ExitCode> {
  const { api, out } = session
  const clock = await findClock(session, text)
  const after = await newestEvent(session)
  const moving = await api.post<TestClock>(`/v1/test-clocks/${clock.id}/advance`, step)
  out.say(`  ${clock.name}: ${instantText(clock.now)} → ${instantText(moving.target ?? moving.now)}`)
  const back = () =>
    `\n  The clock goes on without you. Look again with  npx clouder clock show --clock ${clock.number}`
  return await untilInterrupted(session, back, async (stopped) => {
    const end = await followClock(session, { id: clock.id, after }, stopped)
    if (out.isJson) out.json(end)
    else {
      out.facts([
        ['now', end.clock.now],
        ['invoices', end.invoices.length],
        ['ended', end.ended.length],
        ['drafts that wait', end.clock.drafts],
        ['parked', end.parked.length],
      ])
      out.say(`\n  Next  npx clouder ${end.parked.length > 0 ? 'tasks' : 'invoices'}`)
    }
    return end.parked.length > 0 ? exitCodes.warnings : exitCodes.ok
  })
}
