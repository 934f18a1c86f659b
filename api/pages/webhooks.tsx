import {
  getWebhook,
  listDeliveries,
  listWebhooks,
  type DeliveryRow,
  type WebhookRow,
} from '#db/read/webhook.ts'
import { redeliver, testWebhook } from '#db/webhook-delivery.ts'
import { deleteWebhook, rotateSecret } from '#db/webhook.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { toAsked } from '../routes/webhook-deliveries.ts'
import { commandWebhook, makeWebhook } from '../routes/webhooks.ts'
import { newWebhookSchema, redeliverySchema } from '../schemas/webhook.ts'
import { parse } from '../validation.ts'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { PostForm, Refusal, RowButton, TextField, type RefusedInput } from './form.tsx'
import { Empty, Moment, Section, State, Table } from './parts.tsx'
import { refusedInput, registerRowForm, saidOf, type SentForm } from './row-form.ts'
import { readForm, refusedStatus, type Values } from './sent-form.ts'
import { SettingsFrame } from './settings-frame.tsx'
import { DeliveryLog, RedeliverForm } from './webhook-deliveries.tsx'

const path = '/settings/webhooks'
const addForm = 'add'
/** The newest; all of them are in the API. */
const shown = 50

interface News {
  readonly refused?: RefusedInput
  /** Shown once, on this page only. */
  readonly secret?: { readonly url: string; readonly value: string }
}

/** Where events are posted to, and what was answered. */
export function registerWebhookPages(frame: Frame): void {
  const { db } = frame.deps
  consolePage(
    frame,
    { method: 'get', path, permission: 'webhooks:read' },
    async (view) => await listBody(frame, view, {}),
  )
  consolePage(
    frame,
    { method: 'get', path: `${path}/:id`, permission: 'webhooks:read' },
    async (view, ctx) =>
      await webhookBody(frame, view, await resolveAddress(db, 'webhook', ctx.req.param('id') ?? ''), {}),
  )
  registerSecrets(frame)
  for (const [word, carryOut] of Object.entries(asked))
    registerRowForm(frame, {
      path: `${path}/:id/${word}`,
      permission: 'webhooks:write',
      form: (id) => id,
      carryOut,
      showAgain: async (view, id, refused) =>
        await webhookBody(frame, view, await resolveAddress(db, 'webhook', id), { refused }),
    })
}

const asked: Readonly<Record<string, Parameters<typeof registerRowForm>[1]['carryOut']>> = {
  enable: async (tx, { id, actor, now }) =>
    `${path}/${encodeOf(await commandWebhook(tx, id, 'enable', { actor, now }))}`,
  disable: async (tx, { id, actor, now }) =>
    `${path}/${encodeOf(await commandWebhook(tx, id, 'disable', { actor, now }))}`,
  test: async (tx, { id, actor }) => {
    await testWebhook(tx, await resolveAddress(tx, 'webhook', id), { actor })
    return `${path}/${id}`
  },
  redeliver: async (tx, { id, values, actor, now }) => {
    const what = toAsked(parse(redeliverySchema, saidOf(values), 'body'), now)
    await redeliver(tx, await resolveAddress(tx, 'webhook', id), { asked: what, actor, now })
    return `${path}/${id}`
  },
  remove: async (tx, { id, actor, now }: SentForm) => {
    await deleteWebhook(tx, await resolveAddress(tx, 'webhook', id), { actor, now })
    return path
  },
}

const encodeOf = (id: string) => encodeId('webhook', id)

/** The forms whose answer is a page with a secret, which is kept nowhere. */
function registerSecrets(frame: Frame): void {
  const { db } = frame.deps
  consolePage(frame, { method: 'post', path, permission: 'webhooks:write' }, async (view, ctx) => {
    const { idempotency_key: _key, ...values } = await readForm(ctx)
    const by = { actor: requireOperator(ctx).name, now: view.now }
    try {
      const { url, secret } = await db.transaction().execute(async (tx) => {
        const made = await makeWebhook(frame, tx, parse(newWebhookSchema, toBody(values), 'body'), by)
        return { secret: made.secret, url: (await getWebhook(tx, made.id)).url }
      })
      return await listBody(frame, view, { secret: { url, value: secret } })
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error
      const body = await listBody(frame, view, { refused: refusedInput(addForm, values, error) })
      return { ...body, title: `Refused: ${body.title}`, status: refusedStatus(error.code) }
    }
  })
  consolePage(
    frame,
    { method: 'post', path: `${path}/:id/rotate-secret`, permission: 'webhooks:write' },
    async (view, ctx) => {
      const id = await resolveAddress(db, 'webhook', ctx.req.param('id') ?? '')
      const by = { actor: requireOperator(ctx).name, now: view.now }
      const value = await db
        .transaction()
        .execute(async (tx) => await rotateSecret(tx, frame.deps.installationKey, id, by))
      const { url } = await getWebhook(db, id)
      return await webhookBody(frame, view, id, { secret: { url, value } })
    },
  )
}

function toBody(values: Values) {
  const { kinds, ...said } = saidOf(values)
  return kinds === undefined ? said : { ...said, kinds: kinds.split(/[\s,]+/) }
}

function Secret({ secret }: { secret: News['secret'] | undefined }) {
  if (secret === undefined) return null
  return (
    <div class="banner note" role="status">
      <strong>Shown once.</strong> What is posted to {secret.url} is signed by <code>{secret.value}</code>
    </div>
  )
}

async function listBody({ deps }: Frame, view: ConsoleView, { refused, secret }: News): Promise<ConsoleBody> {
  const rows = await listWebhooks(deps.db, { limit: shown, cursor: null, direction: 'after' })
  return {
    title: 'Webhooks',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="webhooks" title="Webhooks">
          <Secret secret={secret} />
          {rows.length === 0 ? (
            <Empty>None: no other program is told of events by itself.</Empty>
          ) : (
            <Table caption="Webhooks, newest first" head={['Where', 'Events', 'State', 'Waiting']}>
              {rows.map((row) => (
                <Webhook view={view} row={row} />
              ))}
            </Table>
          )}
        </Section>
        <Section id="new" title="Have events posted">
          <AddForm view={view} refused={refused} />
        </Section>
      </SettingsFrame>
    ),
  }
}

function Webhook({ view, row }: { view: ConsoleView; row: WebhookRow }) {
  return (
    <tr>
      <th scope="row">
        <a href={`${path}/${encodeOf(row.id)}`}>{row.url}</a>
        {row.description !== '' && <div class="hint">{row.description}</div>}
      </th>
      <td>{row.kinds === null ? 'all' : row.kinds.join(', ')}</td>
      <td>
        <Standing view={view} row={row} />
      </td>
      <td>{row.waiting}</td>
    </tr>
  )
}

function Standing({ view, row }: { view: ConsoleView; row: WebhookRow }) {
  return (
    <>
      <State state={row.state} />
      {row.disabled_reason !== null && <div class="hint">{row.disabled_reason}</div>}
      {row.failing_since !== null && (
        <div class="hint">
          fails since <Moment at={row.failing_since} {...view} />
        </div>
      )}
    </>
  )
}

function AddForm({ view, refused }: { view: ConsoleView; refused: RefusedInput | undefined }) {
  const at = { form: addForm, refused }
  return (
    <PostForm {...at} view={view} action={path}>
      <TextField {...at} name="url" label="Address" hint="By https." isRequired />
      <TextField
        {...at}
        name="kinds"
        label="Kinds of events"
        hint="Such as invoice.finalized, limit.*; empty: all."
      />
      <TextField {...at} name="description" label="What it is for" />
      <div class="buttons">
        <button type="submit" class="primary">
          Make the webhook
        </button>
      </div>
    </PostForm>
  )
}

async function webhookBody(
  { deps }: Frame,
  view: ConsoleView,
  id: string,
  { refused, secret }: News,
): Promise<ConsoleBody> {
  const filter = { webhookId: id, state: null, eventId: null }
  const [row, deliveries] = await Promise.all([
    getWebhook(deps.db, id),
    listDeliveries(deps.db, filter, { before: null, limit: shown }),
  ])
  return {
    title: `Webhook ${row.url}`,
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="webhook" title={row.url}>
          {refused !== undefined && <Refusal refused={refused} />}
          <Secret secret={secret} />
          <p>
            <Standing view={view} row={row} /> {row.waiting} wait; posted:{' '}
            {row.kinds === null ? 'all events' : row.kinds.join(', ')}
          </p>
          <Asked view={view} row={row} />
        </Section>
        <Deliveries view={view} row={row} rows={deliveries} />
      </SettingsFrame>
    ),
  }
}

function Asked({ view, row }: { view: ConsoleView; row: WebhookRow }) {
  const at = `${path}/${encodeOf(row.id)}`
  const toggle = row.state === 'enabled' ? 'disable' : 'enable'
  const buttons = [
    ['test', 'Post a test event'],
    [toggle, toggle === 'enable' ? 'Enable' : 'Disable'],
    ['rotate-secret', 'Give it another secret'],
    ['remove', 'Delete'],
  ] as const
  return (
    <div class="row-buttons">
      {buttons.map(([word, said]) => (
        <RowButton view={view} action={`${at}/${word}`} of={row.url}>
          {said}
        </RowButton>
      ))}
    </div>
  )
}

function Deliveries(props: { view: ConsoleView; row: WebhookRow; rows: readonly DeliveryRow[] }) {
  const action = `${path}/${encodeOf(props.row.id)}/redeliver`
  return (
    <Section id="deliveries" title="Deliveries">
      <DeliveryLog view={props.view} rows={props.rows} action={action} />
      <RedeliverForm view={props.view} action={action} />
    </Section>
  )
}
