import { changeServer } from '#db/capacity.ts'
import { listServers, type ServerRow } from '#db/read/server.ts'
import { removeServer } from '#db/server-removal.ts'
import { resourceNames, sayAmount } from '#domain/capacity.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { toServerChange } from '../routes/server-capacity.ts'
import { serverChangeSchema, toCapacityJson } from '../schemas/capacity.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Folded, PostForm, Refusal, RowButton, TextField, type RefusedInput } from './form.tsx'
import { Empty, Moment, Section, State, Table } from './parts.tsx'
import { knownOf, registerRowForm, toNumber } from './row-form.ts'
import type { Values } from './sent-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

const path = '/settings/servers'

/** Where instances run: how each server stands, what it offers, and what it takes. */
export function registerServerPages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'servers:read' },
    async (view) => await serversBody(frame, view),
  )
  registerServerForm(frame, 'offer', toOffer)
  registerServerForm(frame, 'drain', () => ({ draining: true }))
  registerServerForm(frame, 'undrain', () => ({ draining: false }))
  registerRowForm(frame, {
    path: `${path}/:id/remove`,
    permission: 'servers:write',
    form: (id) => `remove-${id}`,
    carryOut: async (tx, { id, actor, now }) => {
      await removeServer(tx, await resolveAddress(tx, 'server', id), { actor, now })
      return path
    },
    showAgain: async (view, _id, refused) => await serversBody(frame, view, refused),
  })
}

function registerServerForm(frame: Frame, name: string, toBody: (values: Values) => object): void {
  registerRowForm(frame, {
    path: `${path}/:id/${name}`,
    permission: 'servers:write',
    form: (id) => `${name}-${id}`,
    carryOut: async (tx, { id, values, actor, now }) => {
      const change = toServerChange(parse(serverChangeSchema, toBody(values), 'body'))
      await changeServer(tx, await resolveAddress(tx, 'server', id), change, { actor, now })
      return path
    },
    showAgain: async (view, _id, refused) => await serversBody(frame, view, refused),
  })
}

/** The form shows all that is known; what is empty in it is not counted. */
function toOffer(values: Values): object {
  const { efficiency, tags, ...said } = knownOf(values)
  const count = (name: string) => toNumber(said[`capacity.${name}`] ?? null)
  return {
    capacity: {
      memory_mib: count('memory_mib'),
      cpus: said['capacity.cpus'] ?? null,
      disk_mib: count('disk_mib'),
      instances: count('instances'),
    },
    efficiency: efficiency ?? '1',
    tags: (tags ?? '').split(/[\s,]+/).filter((tag) => tag !== ''),
  }
}

async function serversBody(frame: Frame, view: ConsoleView, refused?: RefusedInput): Promise<ConsoleBody> {
  const rows = await listServers(frame.deps.db, { limit: 200, cursor: null, direction: 'after' })
  const hosts = rows.filter((row) => row.resource_kind === 'infrastructure')
  return {
    title: 'Servers',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="servers" title="Servers">
          {refused !== undefined && !refused.form.startsWith('offer-') && <Refusal refused={refused} />}
          {hosts.length === 0 ? (
            <Empty>None is there yet: npx clouder servers add NAME makes the first.</Empty>
          ) : (
            <Table
              caption="Servers, and what of each is free"
              head={['Server', 'State', { number: 'Instances' }, 'Free', 'Tags', '']}
            >
              {hosts.map((row) => (
                <Server view={view} row={row} />
              ))}
            </Table>
          )}
        </Section>
        <Section id="offers" title="What servers offer">
          {hosts.map((row) => (
            <OfferForm view={view} row={row} refused={refused} />
          ))}
        </Section>
      </SettingsFrame>
    ),
  }
}

function Server({ view, row }: { view: ConsoleView; row: ServerRow }) {
  const address = `${path}/${encodeId('server', row.id)}`
  const isDraining = row.draining_since !== null
  return (
    <tr>
      <th scope="row">{row.code}</th>
      <td>
        <State state={row.state ?? 'expected'} />
        {row.draining_since !== null && (
          <div class="hint">
            draining since <Moment at={row.draining_since} {...view} />
          </div>
        )}
      </td>
      <td class="number">{row.instance_count}</td>
      <td>{freeWords(row).join(', ') || 'not counted'}</td>
      <td>{row.tags.length === 0 ? '–' : row.tags.join(', ')}</td>
      <td>
        <RowButton view={view} action={`${address}/${isDraining ? 'undrain' : 'drain'}`} of={row.code}>
          {isDraining ? 'Take instances again' : 'Drain'}
        </RowButton>
        {isDraining && row.instance_count === 0 && (
          <RowButton view={view} action={`${address}/remove`} of={row.code}>
            Remove
          </RowButton>
        )}
      </td>
    </tr>
  )
}

/** `819.2 MiB memory of 12.8 GiB memory`, of everything that is counted. */
function freeWords(row: ServerRow): string[] {
  const capacity = toCapacityJson(row)
  return resourceNames.flatMap(([name, resource]) => {
    const { free, offered } = capacity[name]
    return free === null || offered === null
      ? []
      : [`${sayAmount(resource, free)} of ${sayAmount(resource, offered)}`]
  })
}

function OfferForm({
  view,
  row,
  refused,
}: {
  view: ConsoleView
  row: ServerRow
  refused: RefusedInput | undefined
}) {
  const id = encodeId('server', row.id)
  const at = { form: `offer-${id}`, refused }
  const { memoryMib, cpus } = row.facts
  const isTold = typeof memoryMib === 'number' && typeof cpus === 'number'
  return (
    <Folded {...at} title={row.code}>
      <PostForm {...at} view={view} action={`${path}/${id}/offer`}>
        {isTold && (
          <p class="hint">
            Its engine has {memoryMib} MiB and {cpus} processors. What is empty is not counted.
          </p>
        )}
        <TextField
          {...at}
          name="capacity.memory_mib"
          label="Memory, in MiB"
          type="decimal"
          value={row.memory_mib}
        />
        <TextField {...at} name="capacity.cpus" label="Processors" type="decimal" value={row.cpus} />
        <TextField
          {...at}
          name="capacity.disk_mib"
          label="Disk, in MiB"
          type="decimal"
          value={row.disk_mib}
        />
        <TextField
          {...at}
          name="capacity.instances"
          label="Instances, at most"
          type="decimal"
          value={row.most_instances}
        />
        <TextField
          {...at}
          name="efficiency"
          label="Efficiency"
          hint="The part of memory, processors and disk that is offered, such as 0.8."
          type="decimal"
          value={row.efficiency}
        />
        <TextField
          {...at}
          name="tags"
          label="Tags"
          hint="It takes only applications that ask for each of them."
          value={row.tags.join(', ')}
        />
        <div class="buttons">
          <button type="submit" class="primary">
            Offer this
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}
