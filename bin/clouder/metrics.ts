import type { Command } from 'commander'
import type { SharedMetric } from './answers.ts'
import { limitOption, tellMore } from './list.ts'
import { addRemoval } from './removal.ts'
import { withSession } from './session.ts'

interface NewMetric {
  readonly title: string
  readonly unit: string
  readonly kind: string
  readonly aggregation: string
  readonly level: string
  readonly source?: string
  readonly percent?: string
  readonly bucket?: string
  readonly history?: true
}

export function registerMetrics(program: Command): void {
  const group = program
    .command('metrics')
    .alias('metric')
    .summary('list and define metrics for all applications')
    .description(
      'What is measured, defined once: applications name it with a source each, products bill what is pushed.',
    )
    .addHelpText(
      'before',
      `Examples
  npx clouder metrics
  npx clouder metrics add disk --title Disk --unit GiB --kind gauge --aggregation max --level volume --source volume-disk
  npx clouder metrics add api-requests --title Requests --unit request --kind event --aggregation sum --level customer
`,
    )
  addList(group)
  addDefinition(group)
  addRemoval(group, { path: '/v1/metrics', words: 'metric' })
}

function addList(group: Command): void {
  group
    .command('ls')
    .description('list metrics, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<SharedMetric>('/v1/metrics', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['code', 'title', 'unit', 'kind', 'aggregation', 'level', 'source', 'used by'],
          found.rows.map((row) => [
            row.archived_at === null ? row.code : `${row.code} (archived)`,
            row.title,
            row.unit,
            row.kind,
            row.aggregation,
            row.level,
            row.source_type,
            `${row.application_count} applications, ${row.product_count} products`,
          ]),
        )
        tellMore(out, found, 'None is defined for all applications. npx clouder metrics add --help')
      }),
    )
}

function addDefinition(group: Command): void {
  group
    .command('add')
    .description('define a metric; what its code measures never changes')
    .argument('<code>', 'by which applications and products name it')
    .requiredOption('--title <title>', 'what people read')
    .requiredOption('--unit <unit>', 'such as GiB, user or request')
    .requiredOption('--kind <kind>', 'counter, gauge or event')
    .requiredOption('--aggregation <aggregation>', 'such as sum, max, time_weighted_average')
    .requiredOption('--level <level>', 'container, volume, instance, environment or customer')
    .option('--source <type>', 'the one source that may give it; left out, as each application says')
    .option('--percent <number>', 'of percentile')
    .option('--bucket <seconds>', 'of bucket_max')
    .option('--history', 'only sources that keep history may give it')
    .action(
      withSession<[string], NewMetric>(async ({ api, out }, { args: [code], options }) => {
        const { title, unit, kind, aggregation, level, source, percent, bucket, history } = options
        const made = await api.post<SharedMetric>('/v1/metrics', {
          code,
          title,
          unit,
          kind,
          aggregation,
          level,
          source_type: source,
          percent: percent === undefined ? undefined : Number(percent),
          bucket_s: bucket === undefined ? undefined : Number(bucket),
          needs_history: history === true,
        })
        if (out.isJson) return out.json(made)
        out.say(`  ${made.code}: ${made.kind} in ${made.unit}, ${made.aggregation}, of each ${made.level}`)
      }),
    )
}
