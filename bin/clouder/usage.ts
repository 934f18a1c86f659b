import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { Usage, UsageEventResult, UsageWindow, UsageWindowReadings } from './answers.ts'
import { withSession } from './session.ts'
import { addExport } from './usage-export.ts'
import { registerPushFile } from './usage-file.ts'
import { registerRefusedUsage } from './usage-refused.ts'
import { addWarnings } from './usage-warnings.ts'

interface PushOptions {
  readonly subscription: string
  readonly metric: string
  readonly quantity: string
  readonly unit?: string
  readonly at?: string
  readonly source: string
  readonly id?: string
}

export function registerUsage(program: Command): void {
  const group = program
    .command('usage')
    .summary('push and show what was used')
    .description('Metered usage: what was read, and what was pushed.')
    .addHelpText(
      'before',
      `Examples
  npx clouder usage push --subscription sub_… --metric network --quantity 3
  npx clouder usage push-file events.ndjson
  npx clouder usage show sub_…
  npx clouder usage warnings --subscription sub_…
  npx clouder usage refused
  npx clouder usage open win_… --on 2026-01-31
  npx clouder usage export sub_… --to usage.csv
`,
    )
  group
    .command('push')
    .description('push one usage event')
    .requiredOption('--subscription <subscription>', 'whose')
    .requiredOption('--metric <metric>', 'what')
    .requiredOption('--quantity <number>', 'how much')
    .option('--unit <unit>', 'its unit; left out, the unit of what is sold')
    .option('--at <instant>', 'when; left out, now')
    .option('--source <name>', 'who counted', 'command-line')
    .option('--id <id>', 'names the event for ever: sent twice, it counts once; left out, a fresh one')
    .action(
      withSession<[], PushOptions>(async ({ api, out }, { options }) => {
        const { subscription, metric, quantity, unit, at, source, id = randomUUID() } = options
        const event = {
          specversion: '1.0',
          source,
          id,
          type: metric,
          subject: subscription,
          time: at,
          data: { quantity, unit },
        }
        const type = 'application/cloudevents+json'
        const answer = await api.post<UsageEventResult>('/v1/usage-events', event, type)
        if (out.isJson) return out.json({ ...answer, id })
        out.facts([[answer.result, `${quantity} of ${metric}, event ${id}`]])
        out.say(`\n  Next  npx clouder usage show ${subscription}`)
      }),
    )
  registerPushFile(group)
  registerRefusedUsage(group)
  group
    .command('show <subscription>')
    .description('what was used and is not billed yet, and what was billed')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const usage = await api.get<Usage>(`/v1/subscriptions/${encodeURIComponent(id)}/usage`)
        if (out.isJson) return out.json(usage)
        const rows = usage.lines.flatMap(({ metric, current, windows }) => [
          ...(current === null ? [] : [{ metric, state: 'not billed yet', ...current }]),
          ...windows.map((window) => ({ metric, state: 'billed', ...window })),
        ])
        for (const { present } of usage.lines) if (present !== null) out.say(present.says)
        out.table(
          ['metric', 'state', 'quantity', 'from', 'to', 'readings', 'events', 'window'],
          rows.map((row) => [
            row.metric,
            row.state,
            `${row.quantity} ${row.unit}`,
            row.start,
            row.end,
            row.readings,
            row.events,
            'id' in row ? row.id : '',
          ]),
        )
      }),
    )
  addWarnings(group)
  registerOpen(group)
  addExport(group)
}

/** From a billed quantity to its days, and from a day to each reading. */
function registerOpen(group: Command): void {
  group
    .command('open <window>')
    .description('what a billed quantity is made of')
    .option('--on <date>', 'the readings of a day')
    .action(
      withSession<[string], { on?: string }>(async ({ api, out }, { args: [id], options }) => {
        const path = `/v1/usage-windows/${encodeURIComponent(id)}`
        if (options.on !== undefined) {
          const query = new URLSearchParams({ on: options.on })
          const readings = await api.get<UsageWindowReadings>(`${path}/readings?${query.toString()}`)
          if (out.isJson) return out.json(readings)
          return out.table(
            ['read', 'of', 'value', 'counted'],
            readings.data.map((row) => [row.read_at, row.series, `${row.value} ${row.unit}`, row.counted]),
          )
        }
        const window = await api.get<UsageWindow>(path)
        if (out.isJson) return out.json(window)
        out.facts([[window.metric, `${window.quantity} ${window.unit}, on invoice ${window.invoice}`]])
        out.table(
          ['day', 'readings', 'events', 'counted'],
          window.days.map((day) => [day.on, day.readings, day.events, day.counted]),
        )
      }),
    )
}
