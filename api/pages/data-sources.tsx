import { resolveAddress } from '../addressing.ts'
import { removeDataSource } from '#db/data-source.ts'
import { listDataSources, type DataSourceRow } from '#db/read/data-source.ts'
import { dataSourceKinds } from '#domain/data-source.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { keepDataSource } from '../routes/data-sources.ts'
import { newDataSourceSchema } from '../schemas/data-source.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import {
  Choice,
  PostForm,
  Refusal,
  RowButton,
  SecretField,
  TextArea,
  TextField,
  Tick,
  type RefusedInput,
} from './form.tsx'
import { Empty, Moment, Section, Table } from './parts.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import type { Values } from './sent-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

const path = '/settings/data-sources'
const addForm = 'add'

export function registerDataSourcePages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'data_sources:read' },
    async (view) => await dataSourcesBody(frame, view),
  )
  registerRowForm(frame, {
    path,
    permission: 'data_sources:write',
    form: () => addForm,
    carryOut: async (tx, { values, actor, now }) => {
      await keepDataSource(frame, tx, toBody(values), { actor, now })
      return path
    },
    showAgain: async (view, _id, refused) => await dataSourcesBody(frame, view, refused),
  })
  registerRowForm(frame, {
    path: `${path}/:id/remove`,
    permission: 'data_sources:write',
    form: (id) => id,
    carryOut: async (tx, { id, actor }) => {
      await removeDataSource(tx, await resolveAddress(tx, 'dataSource', id), actor)
      return path
    },
    showAgain: async (view, _id, refused) => await dataSourcesBody(frame, view, refused),
  })
}

function toBody(values: Values) {
  const { port, tls, ...said } = saidOf(values)
  return parse(newDataSourceSchema, { ...said, port: Number(port), tls: tls === 'true' }, 'body')
}

async function dataSourcesBody(
  frame: Frame,
  view: ConsoleView,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const rows = await listDataSources(frame.deps.db, { limit: 100, cursor: null, direction: 'after' })
  return {
    title: 'Data sources',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="data-sources" title="Data sources">
          {refused !== undefined && refused.form !== addForm && <Refusal refused={refused} />}
          {rows.length === 0 ? (
            <Empty>None: metrics are read of what runs here.</Empty>
          ) : (
            <Table
              caption="Databases elsewhere that metrics are read from"
              head={['Code', 'Where', 'User', 'Given', 'Ask']}
            >
              {rows.map((row) => (
                <DataSource view={view} row={row} />
              ))}
            </Table>
          )}
        </Section>
        <Section id="new" title="Give a data source">
          <DataSourceForm view={view} refused={refused} />
        </Section>
      </SettingsFrame>
    ),
  }
}

function DataSource({ view, row }: { view: ConsoleView; row: DataSourceRow }) {
  const id = encodeId('dataSource', row.id)
  return (
    <tr>
      <th scope="row">{row.code}</th>
      <td>
        {row.host}:{row.port}
        <div class="hint">
          {row.kind}
          {row.database_name !== null && ` ${row.database_name}`}
          {!row.has_tls && ', without TLS'}
        </div>
      </td>
      <td>{row.username}</td>
      <td>
        <Moment at={row.set_at} {...view} />
        <div class="hint">by {row.set_by}</div>
      </td>
      <td>
        <RowButton view={view} action={`${path}/${id}/remove`} of={row.code}>
          Forget
        </RowButton>
      </td>
    </tr>
  )
}

/** What was typed as a password is never sent back. */
function DataSourceForm({ view, refused }: { view: ConsoleView; refused: RefusedInput | undefined }) {
  const at = { form: addForm, refused }
  return (
    <PostForm {...at} view={view} action={path}>
      <TextField {...at} name="code" label="Code" hint="By which applications name it." isRequired />
      <Choice
        {...at}
        name="kind"
        label="Kind"
        choices={dataSourceKinds.map((kind) => [kind, kind === 'mysql' ? 'mysql or mariadb' : kind])}
      />
      <TextField {...at} name="host" label="Host" isRequired />
      <TextField {...at} name="port" label="Port" type="number" min={1} max={65_535} isRequired />
      <TextField {...at} name="database" label="Database" hint="Not of Elasticsearch." />
      <TextField {...at} name="username" label="User" hint="One that may read only." isRequired />
      <SecretField {...at} name="password" label="Password" isRequired />
      <Tick {...at} name="tls" label="By TLS" isTicked />
      <TextArea
        {...at}
        name="certificate_authority"
        label="Certificate authority"
        hint="In PEM; empty: as the server’s system trusts."
        value={null}
        greatestLength={16_384}
      />
      <div class="buttons">
        <button type="submit" class="primary">
          Keep the data source
        </button>
      </div>
    </PostForm>
  )
}
