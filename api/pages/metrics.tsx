import { setArchived } from '#db/removal.ts'
import { listMetricPage, type SharedMetricRow } from '#db/read/shared-metric.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { metricLevels, sharedMetricKinds } from '#domain/shared-metric.ts'
import { unitNames } from '#domain/unit.ts'
import { metricAggregations } from '#domain/usage.ts'
import type { Frame } from '../frame.ts'
import { createMetric } from '../routes/metrics.ts'
import { newMetricSchema } from '../schemas/metric.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Choice, PostForm, Refusal, RowButton, TextField, Tick, type RefusedInput } from './form.tsx'
import { plural } from './format.ts'
import { Empty, Section, Table } from './parts.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import type { Values } from './sent-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

const path = '/settings/metrics'
const addForm = 'add'

/** What is measured, defined once for all applications. */
export function registerMetricPages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'metrics:read' },
    async (view) => await metricsBody(frame, view),
  )
  const showAgain = async (view: ConsoleView, _id: string, refused: RefusedInput) =>
    await metricsBody(frame, view, refused)
  registerRowForm(frame, {
    path,
    permission: 'metrics:write',
    form: () => addForm,
    carryOut: async (tx, { values }) => {
      await createMetric(tx, toNewMetricBody(values))
      return path
    },
    showAgain,
  })
  for (const action of ['archive', 'unarchive'] as const)
    registerRowForm(frame, {
      path: `${path}/:id/${action}`,
      permission: 'metrics:write',
      form: (id) => id,
      carryOut: async (tx, { id, now }) => {
        const archivedAt = action === 'archive' ? now : null
        await setArchived(tx, 'metric', { id: decodeId('metric', id), archivedAt })
        return path
      },
      showAgain,
    })
}

function toNewMetricBody(values: Values) {
  const { percent, bucket_s: bucket, ...said } = saidOf(values)
  const body = {
    ...said,
    ...(percent === undefined ? {} : { percent: Number(percent) }),
    ...(bucket === undefined ? {} : { bucket_s: Number(bucket) }),
    needs_history: said['needs_history'] === 'true',
  }
  return parse(newMetricSchema, body, 'body')
}

async function metricsBody(frame: Frame, view: ConsoleView, refused?: RefusedInput): Promise<ConsoleBody> {
  const rows = await listMetricPage(frame.deps.db, { limit: 500, cursor: null, direction: 'after' })
  return {
    title: 'Metrics',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="metrics" title="Metrics">
          {refused !== undefined && refused.form !== addForm && <Refusal refused={refused} />}
          {rows.length === 0 ? (
            <Empty>None is defined for all: each application has its own.</Empty>
          ) : (
            <Table caption="Metrics for all applications" head={['Metric', 'Measured', 'Used by', 'Archive']}>
              {rows.map((row) => (
                <Metric view={view} row={row} />
              ))}
            </Table>
          )}
        </Section>
        <Section id="new" title="Define a metric">
          <MetricForm view={view} refused={refused} />
        </Section>
      </SettingsFrame>
    ),
  }
}

function Metric({ view, row }: { view: ConsoleView; row: SharedMetricRow }) {
  const address = `${path}/${encodeId('metric', row.id)}`
  const isArchived = row.archived_at !== null
  return (
    <tr class={isArchived ? 'past' : undefined}>
      <th scope="row">
        {row.title}
        <div class="hint">{isArchived ? `${row.code}, archived` : row.code}</div>
      </th>
      <td>
        {row.kind} in {row.unit}, {row.aggregation.replaceAll('_', ' ')} of each {row.level}
        {row.source_type !== null && <div class="hint">{row.source_type}</div>}
        {row.needs_history && <div class="hint">filled in where it was missed</div>}
      </td>
      <td>
        {plural(row.application_count, 'application')}, {plural(row.product_count, 'product')}
      </td>
      <td>
        {isArchived ? (
          <RowButton view={view} action={`${address}/unarchive`} of={row.code}>
            Unarchive
          </RowButton>
        ) : (
          <RowButton view={view} action={`${address}/archive`} of={row.code}>
            Archive
          </RowButton>
        )}
      </td>
    </tr>
  )
}

/** What it measures never changes afterwards: the form says so before. */
function MetricForm({ view, refused }: { view: ConsoleView; refused: RefusedInput | undefined }) {
  const at = { form: addForm, refused }
  return (
    <PostForm {...at} view={view} action={path}>
      <p class="hint">What a code measures never changes: archive it, and define another one.</p>
      <TextField
        {...at}
        name="code"
        label="Code"
        hint="By which applications and products name it."
        isRequired
      />
      <TextField {...at} name="title" label="Title" isRequired />
      <Choice {...at} name="unit" label="Unit" choices={pairs(unitNames)} value="GiB" />
      <Choice {...at} name="kind" label="Kind" choices={pairs(sharedMetricKinds)} value="gauge" />
      <Choice
        {...at}
        name="aggregation"
        label="Aggregation"
        choices={pairs(metricAggregations)}
        value="max"
      />
      <TextField {...at} name="percent" label="Percent" type="decimal" hint="Of percentile." />
      <TextField {...at} name="bucket_s" label="Bucket in seconds" type="number" hint="Of bucket max." />
      <Choice
        {...at}
        name="level"
        label="One value is of an"
        choices={pairs(metricLevels)}
        value="instance"
      />
      <TextField
        {...at}
        name="source_type"
        label="Source"
        hint="Such as volume-disk, or pushed; empty: as each application says."
      />
      <Tick {...at} name="needs_history" label="Filled in where it was missed" isTicked={false} />
      <div class="buttons">
        <button type="submit" class="primary">
          Define the metric
        </button>
      </div>
    </PostForm>
  )
}

function pairs(values: readonly string[]): (readonly [value: string, title: string])[] {
  return values.map((value) => [value, value.replaceAll('_', ' ')])
}
