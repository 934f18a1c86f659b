import { z } from 'zod'
import { listRefusedUsageEvents, type RefusedUsageEventRow } from '#db/read/refused-usage-event.ts'
import { forgetRefusedUsageEvents, refusedUsageBounds } from '#db/refused-usage-event.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { sendOneAgain, sendRefusedAgain } from '../refused-usage.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { PostForm, Refusal, RowButton, type RefusedInput } from './form.tsx'
import { plural } from './format.ts'
import { toListPage } from './page-links.ts'
import { Empty, Moment, Pages, Section, Table } from './parts.tsx'
import { registerRowForm } from './row-form.ts'

export const refusedUsagePath = '/refused-usage-events'
const sendAllPath = `${refusedUsagePath}/send-again`
const count = z.coerce.number().int().min(0).optional()
/** What was sent again just now is told in the address. */
const query = z.object({ ...pageQuery, counted: count, refused: count })

/** What was pushed and counts nowhere: why, since when, and what can be done about it (D-22). */
export function registerRefusedUsagePages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: refusedUsagePath, permission: 'usage:read' },
    async (view, ctx) => await refusedBody(frame, view, parse(query, ctx.req.query(), 'query')),
  )
  const form = {
    permission: 'usage:write',
    form: (id: string) => id,
    showAgain: async (view: ConsoleView, _id: string, refused: RefusedInput) =>
      await refusedBody(frame, view, parse(query, {}, 'query'), refused),
  } as const
  registerRowForm(frame, {
    ...form,
    path: sendAllPath,
    carryOut: async (tx) => {
      const { stored, duplicates, refused } = await sendRefusedAgain(tx, frame.deps.now, {})
      return told({ counted: stored + duplicates, refused })
    },
  })
  registerRowForm(frame, {
    ...form,
    path: `${refusedUsagePath}/:id/send-again`,
    carryOut: async (tx, { id }) => {
      await sendOneAgain(tx, frame.deps.now, await resolveAddress(tx, 'refusedUsageEvent', id))
      return told({ counted: 1, refused: 0 })
    },
  })
  registerRowForm(frame, {
    ...form,
    path: `${refusedUsagePath}/:id/delete`,
    carryOut: async (tx, { id }) => {
      await forgetRefusedUsageEvents(tx, [await resolveAddress(tx, 'refusedUsageEvent', id)])
      return refusedUsagePath
    },
  })
}

function told({ counted, refused }: { counted: number; refused: number }): string {
  return `${refusedUsagePath}?counted=${counted}&refused=${refused}`
}

async function refusedBody(
  { deps }: Frame,
  view: ConsoleView,
  asked: z.output<typeof query>,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const request = toPageRequest(asked)
  const rows = await listRefusedUsageEvents(deps.db, { ...request, code: null })
  const page = toListPage(rows, request, { path: refusedUsagePath, filter: {} })
  return {
    title: 'Refused usage events',
    current: 'subscriptions',
    children: (
      <>
        <h1>Refused usage events</h1>
        <Sent counted={asked.counted} refused={asked.refused} />
        <Section id="refused" title="Not billed, and why" aside={page.rows.length > 0 && <All view={view} />}>
          {refused !== undefined && <Refusal refused={refused} />}
          {page.rows.length === 0 ? (
            <Empty>None: every usage event that came counts.</Empty>
          ) : (
            <Table caption="Refused usage events, newest first" head={['Event', 'Why', 'Refused', 'Ask']}>
              {page.rows.map((row) => (
                <Event view={view} row={row} />
              ))}
            </Table>
          )}
          <Pages label="Refused usage events" newer={page.newer} older={page.older} />
          <p class="hint">
            Each is kept {refusedUsageBounds.keptDays} days after it was refused last. Sent again, by you or
            by its sender, it counts once.
          </p>
        </Section>
      </>
    ),
  }
}

function Sent({ counted, refused = 0 }: { counted: number | undefined; refused: number | undefined }) {
  if (counted === undefined) return null
  return (
    <div class="banner note" role="status">
      Of what was sent again, {plural(counted, 'event')} {counted === 1 ? 'counts' : 'count'} now
      {refused > 0 && <>, and {plural(refused, 'event')} stay, refused again for what is said below</>}.
    </div>
  )
}

function All({ view }: { view: ConsoleView }) {
  return (
    <PostForm form={sendAllPath} refused={undefined} view={view} action={sendAllPath} isInRow>
      <button type="submit">Send all again</button>
    </PostForm>
  )
}

function Event({ view, row }: { view: ConsoleView; row: RefusedUsageEventRow }) {
  const id = encodeId('refusedUsageEvent', row.id)
  const name = row.event_id ?? 'without an id'
  return (
    <tr>
      <th scope="row">
        {name}
        <div class="hint">
          {row.source === null ? 'no source' : `from ${row.source}`}, sent by {row.sender}
        </div>
        <details>
          <summary>
            As it was sent<span class="visually-hidden">: {name}</span>
          </summary>
          <code>{row.content}</code>
        </details>
      </th>
      <td>
        {row.detail}
        <div class="hint">
          <a href={`/docs/errors/${row.code}`}>{row.code}</a>
          {row.pointer !== null && <> at {row.pointer}</>}
        </div>
      </td>
      <td>
        <Moment at={row.refused_at} {...view} />
        {row.refusals > 1 && (
          <div class="hint">
            {row.refusals} times, first <Moment at={row.first_refused_at} {...view} />
          </div>
        )}
      </td>
      <td>
        {row.is_whole && (
          <RowButton view={view} action={`${refusedUsagePath}/${id}/send-again`} of={name}>
            Send again
          </RowButton>
        )}
        <RowButton view={view} action={`${refusedUsagePath}/${id}/delete`} of={name}>
          Delete
        </RowButton>
      </td>
    </tr>
  )
}
