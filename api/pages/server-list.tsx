import { listServerInstances, listServers, type ServerInstance, type ServerRow } from '#db/read/server.ts'
import { encodeId } from '#domain/identifier.ts'
import { sayUnreachable } from '#domain/server.ts'
import type { Frame } from '../frame.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Refusal, RowButton, type RefusedInput } from './form.tsx'
import { instanceAddress } from './instance-content.ts'
import { Empty, Moment, Section, State, Table } from './parts.tsx'
import { AddServer } from './server-form.tsx'

export const serversPath = '/servers'
/** More than one installation has; the list is one page. */
const shownServers = 500

/** What a form of the page came to. */
export interface ServersNews {
  readonly refused?: RefusedInput
  /** What a test found, of the server with this public id. */
  readonly found?: { readonly server: string; readonly text: string }
  /** Shown once, on this page only. */
  readonly token?: { readonly server: string; readonly command: string; readonly expiresAt: string }
}

export function registerServersPage(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: serversPath, permission: 'servers:read' },
    async (view) => await serversBody(frame, view),
  )
}

export async function serversBody(
  { deps }: Frame,
  view: ConsoleView,
  news: ServersNews = {},
): Promise<ConsoleBody> {
  const everything = { limit: shownServers, cursor: null, direction: 'after' } as const
  const [rows, instances] = await Promise.all([
    listServers(deps.db, everything),
    listServerInstances(deps.db),
  ])
  const servers = rows.filter((row) => row.resource_kind === 'infrastructure')
  const people = rows.filter((row) => row.resource_kind === 'people')
  const { refused } = news
  return {
    title: 'Servers',
    current: 'servers',
    liveFilter: '',
    children: (
      <>
        <h1>Servers</h1>
        <News news={news} />
        <Section
          id="servers"
          title="Hosts"
          isLive
          aside={<a href="/settings/servers">What they offer, draining, removal</a>}
        >
          {servers.length === 0 && <Empty>There is no server yet, so nothing can be built.</Empty>}
          {servers.length > 0 && (
            <Table caption="Hosts" head={['Name', 'Kind', 'State', 'Engine', 'Instances', 'Ask']}>
              {servers.map((row) => (
                <Host
                  view={view}
                  row={row}
                  instances={instances.filter(({ server_id: id }) => id === row.id)}
                />
              ))}
            </Table>
          )}
        </Section>
        {people.length > 0 && (
          <Section id="people" title="People">
            <ul>
              {people.map((row) => (
                <li>{row.code}</li>
              ))}
            </ul>
          </Section>
        )}
        <Section id="new" title="Another server">
          <AddServer view={view} refused={refused} />
        </Section>
      </>
    ),
  }
}

function News({ news: { refused, found, token } }: { news: ServersNews }) {
  return (
    <>
      {refused !== undefined && refused.form !== 'add' && <Refusal refused={refused} />}
      {found !== undefined && (
        <p class="saved" role="status">
          <span aria-hidden="true">✓</span> {found.server}: {found.text}
        </p>
      )}
      {token !== undefined && (
        <div class="banner" role="status">
          <strong>Shown once.</strong> On the host of {token.server}, in a copy of Clouder, before{' '}
          {token.expiresAt.slice(11, 16)} UTC: <code>{token.command}</code>
        </div>
      )}
    </>
  )
}

interface HostProps {
  readonly view: ConsoleView
  readonly row: ServerRow
  readonly instances: readonly ServerInstance[]
}

function Host({ view, row, instances }: HostProps) {
  return (
    <tr>
      <th scope="row">
        {row.code}
        {row.tags.length > 0 && <div class="hint">{row.tags.join(', ')}</div>}
      </th>
      <td>
        {kindText(row)}
        {row.engine_address !== null && <div class="hint">{row.engine_address}</div>}
      </td>
      <td>
        <Standing view={view} row={row} />
      </td>
      <td>{typeof row.facts['engineVersion'] === 'string' ? row.facts['engineVersion'] : '–'}</td>
      <td>
        {row.instance_count}
        <InstanceList instances={instances} />
      </td>
      <td>
        <Ask view={view} row={row} />
      </td>
    </tr>
  )
}

function kindText({ connection, runner }: ServerRow): string {
  if (runner === 'dry-run') return 'dry run'
  return { local: 'local', own_worker: 'own worker', tls: 'TLS' }[connection ?? 'local']
}

/** What was seen last, and how long ago: an old answer is not a fact of now. */
function Standing({ view, row }: Pick<HostProps, 'view' | 'row'>) {
  const { failure_cause: cause, failure_detail: detail, last_seen_at: seenAt } = row
  return (
    <>
      <State state={row.state ?? 'expected'} />
      <div class="hint">
        {seenAt === null ? (
          'never seen'
        ) : (
          <>
            seen <Moment at={seenAt} {...view} />
          </>
        )}
      </div>
      {row.draining_since !== null && <div class="hint">draining: takes nothing new</div>}
      {cause !== null && <div class="failure">{sayUnreachable(cause, detail ?? '')}</div>}
    </>
  )
}

function InstanceList({ instances }: Pick<HostProps, 'instances'>) {
  if (instances.length === 0) return null
  return (
    <details>
      <summary>which</summary>
      <ul>
        {instances.map((one) => (
          <li>
            <a href={instanceAddress(one.id)}>{one.name}</a>
          </li>
        ))}
      </ul>
    </details>
  )
}

function Ask({ view, row }: Omit<HostProps, 'instances'>) {
  const address = `${serversPath}/${encodeId('server', row.id)}`
  return (
    <>
      <RowButton view={view} action={`${address}/test`} of={row.code}>
        Test
      </RowButton>
      {row.connection === 'own_worker' && (
        <RowButton view={view} action={`${address}/join-token`} of={row.code}>
          Join token
        </RowButton>
      )}
    </>
  )
}
