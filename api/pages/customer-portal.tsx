import { decodeId, encodeId } from '#domain/identifier.ts'
import type { PortalSessionRow } from '#db/read/portal-session.ts'
import type { Frame } from '../frame.ts'
import { openPortal } from '../permission.ts'
import { makePortalLink } from '../routes/portal-sessions.ts'
import { newPortalLinkSchema } from '../schemas/portal-session.ts'
import { parse } from '../validation.ts'
import { consolePage, requireOperator } from './console-page.tsx'
import { customerBody, type CustomerProps } from './customer.tsx'
import { PostForm } from './form.tsx'
import { toNumber } from './row-form.ts'
import { readForm } from './sent-form.ts'
import { Empty, Moment, Section, State, Table } from './parts.tsx'

/** A link into the portal as it was made: it is on the page that answers, and nowhere else. */
export interface MadePortalLink {
  readonly url: string
  readonly expiresAt: string
}

/** Makes a link; asked again, another one, for the first is kept nowhere. */
export function registerCustomerPortal(frame: Frame): void {
  const { deps } = frame
  consolePage(
    frame,
    { method: 'post', path: '/customers/:id/portal-link', permission: openPortal },
    async (view, ctx) => {
      const id = ctx.req.param('id') ?? ''
      const { minutes } = await readForm(ctx)
      const body = parse(newPortalLinkSchema, { expires_in_minutes: toNumber(minutes) }, 'body')
      const { path, expiresAt } = await deps.db.transaction().execute(
        async (tx) =>
          await makePortalLink(tx, {
            customerId: decodeId('customer', id),
            minutes: body.expires_in_minutes,
            actor: requireOperator(ctx).name,
            now: deps.now(),
          }),
      )
      const portalLink = { url: `${deps.publicUrl}${path}`, expiresAt }
      return await customerBody(frame, view, id, { portalLink })
    },
  )
}

/** Who is signed in as the customer, and the way to let somebody in. */
export function PortalSection({ view, content, portalLink }: CustomerProps) {
  const path = `/customers/${encodeId('customer', content.row.id)}`
  const open = content.portalSessions.filter(
    ({ ended_at: endedAt, expires_at: expiresAt }) => endedAt === null && expiresAt > view.now,
  )
  return (
    <Section id="portal" title="Portal">
      {portalLink !== undefined && (
        <div class="banner note" role="status">
          <p>
            <strong>This link lets somebody in as {content.row.name}, once.</strong> It is shown here only,
            and works until <Moment at={portalLink.expiresAt} {...view} />. Hand it over; no mail is sent.
          </p>
          <p>
            <code>{portalLink.url}</code>
          </p>
        </div>
      )}
      <PostForm form="portal-link" refused={undefined} view={view} action={`${path}/portal-link`} isInRow>
        <label for="portal-minutes">Works for</label>{' '}
        <select id="portal-minutes" name="minutes">
          <option value="10">10 minutes</option>
          <option value="60">an hour</option>
          <option value="1440">a day</option>
        </select>{' '}
        <button type="submit">Make a portal link</button>
      </PostForm>
      {open.length === 0 ? (
        <Empty>Nobody is signed in to the portal.</Empty>
      ) : (
        <>
          <Sessions view={view} rows={open} />
          <PostForm
            form="close-portal"
            refused={undefined}
            view={view}
            action={`${path}/close-portal`}
            isInRow
          >
            <button type="submit">End all sessions and take links back</button>
          </PostForm>
        </>
      )}
    </Section>
  )
}

function Sessions({ view, rows }: Pick<CustomerProps, 'view'> & { rows: readonly PortalSessionRow[] }) {
  return (
    <Table caption="Who is signed in to the portal" head={['Signed in', 'Used', 'By a link of', 'Session']}>
      {rows.map((row) => (
        <tr>
          <th scope="row">
            <Moment at={row.begun_at} {...view} />
          </th>
          <td>
            <Moment at={row.last_used_at} {...view} />
          </td>
          <td>{row.made_by}</td>
          <td>
            <State state="active">open</State>
          </td>
        </tr>
      ))}
    </Table>
  )
}
