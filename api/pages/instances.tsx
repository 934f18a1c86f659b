import { z } from 'zod'
import { listInstances, type InstanceRow } from '#db/read/instance.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { addressField } from '../schemas/common.ts'
import { parse } from '../validation.ts'
import { ApplicationIcon } from './application-icon.tsx'
import { consolePage, type ConsoleView } from './console-page.tsx'
import { instanceAddress, nameOf } from './instance-content.ts'
import { toListPage } from './page-links.ts'
import { Empty, Moment, Pages, Section, State, Table } from './parts.tsx'

const path = '/instances'
const query = z.object({ ...pageQuery, server: addressField.optional() })

/** What is deployed, newest first; of one server by its address. */
export function registerInstancesPage(frame: Frame): void {
  consolePage(frame, { method: 'get', path, permission: 'instances:read' }, async (view, ctx) => {
    const { db } = frame.deps
    const asked = parse(query, ctx.req.query(), 'query')
    const { server } = asked
    const request = toPageRequest(asked)
    const serverId = server === undefined ? null : await resolveAddress(db, 'server', server)
    const rows = await listInstances(db, { ...request, subscriptionId: null, serverId })
    const filter = server === undefined ? {} : { server }
    const page = toListPage(rows, request, { path, filter })
    return {
      title: 'Instances',
      current: 'instances',
      liveFilter: '',
      children: (
        <>
          <h1>Instances</h1>
          <Section
            id="list"
            title={server === undefined ? 'Deployed applications' : 'On one server'}
            isLive
            aside={server === undefined ? undefined : <a href={path}>All</a>}
          >
            {page.rows.length === 0 ? (
              <Empty>None: an order of a product with an application makes the first.</Empty>
            ) : (
              <Table
                caption="Instances, newest first"
                head={['Instance', 'State', 'Seen', 'Server', 'Environment']}
              >
                {page.rows.map((row) => (
                  <Instance view={view} row={row} />
                ))}
              </Table>
            )}
            <Pages label="Instances" newer={page.newer} older={page.older} />
          </Section>
        </>
      ),
    }
  })
}

function Instance({ view, row }: { view: ConsoleView; row: InstanceRow }) {
  return (
    <tr class={row.destroyed_at === null ? undefined : 'past'}>
      <th scope="row">
        <ApplicationIcon of={row.icon} />
        <a href={instanceAddress(row.id)}>{nameOf(row)}</a>
        <div class="hint">
          {row.application_title}
          {row.parent_name !== null && <>, a part of {row.parent_name}</>}
        </div>
      </th>
      <td>
        <State state={row.state} />
        <div class="hint">
          <Moment at={row.state_at} {...view} />
        </div>
      </td>
      <td>
        {row.destroyed_at === null && row.observed_state !== null && row.observed_at !== null ? (
          <>
            <State state={row.observed_state} />
            <div class="hint">
              <Moment at={row.observed_at} {...view} />
            </div>
          </>
        ) : (
          '–'
        )}
      </td>
      <td>
        <a href={`${path}?server=${encodeId('server', row.server_id)}`}>{row.server_code}</a>
        {row.host_port !== null && <div class="hint">port {row.host_port}</div>}
      </td>
      <td>{row.environment_name}</td>
    </tr>
  )
}
