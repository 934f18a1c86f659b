import { listSecretFacts, showSecret } from '#db/shown-secret.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Frame } from '../frame.ts'
import { holdSecrets } from '../permission.ts'
import { installationKeyOf, nothingSaid } from '../routes/instance-commands.ts'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Refusal, RowButton, type RefusedInput } from './form.tsx'
import { registerInstanceCommandForm } from './instance-command-form.ts'
import { instanceAddress, readInstanceContent, type InstancePageContent } from './instance-content.ts'
import { instanceBody } from './instance-frame.tsx'
import { Empty, Moment, Section, Table } from './parts.tsx'
import { refusedInput } from './row-form.ts'
import { refusedStatus } from './sent-form.ts'

const rotateForm = (name: string): string => `rotate-${name}`

/** The secrets of an instance: each value is shown once, on the page that answers, and can be replaced by another. */
export function registerInstanceSecrets(frame: Frame): void {
  const { deps } = frame
  consolePage(
    frame,
    { method: 'get', path: '/instances/:id/secrets', permission: holdSecrets },
    async (view, ctx) =>
      await secretsBody(frame, view, await readInstanceContent(deps.db, ctx.req.param('id') ?? ''), {}),
  )
  consolePage(
    frame,
    { method: 'post', path: '/instances/:id/secrets/:name/show', permission: holdSecrets },
    async (view, ctx) => {
      const content = await readInstanceContent(deps.db, ctx.req.param('id') ?? '')
      const name = ctx.req.param('name') ?? ''
      try {
        const asked = { instanceId: content.id, name, actor: requireOperator(ctx).name, now: view.now }
        const value = await showSecret(deps.db, asked, installationKeyOf(frame))
        return await secretsBody(frame, view, content, { shown: { name, value } })
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error
        const refused = refusedInput('show', {}, error)
        const body = await secretsBody(frame, view, content, { refused })
        return { ...body, status: refusedStatus(error.code) }
      }
    },
  )
  registerInstanceCommandForm(frame, {
    path: '/instances/:id/secrets/:subject/rotate',
    permission: holdSecrets,
    part: 'secrets',
    form: rotateForm,
    secretFields: () => [],
    toAsked: async (_db, { instanceId, requestId, principal, subject }) =>
      Promise.resolve({
        instanceId,
        requestId,
        actor: principal.name,
        kind: 'rotation',
        subject,
        ...nothingSaid,
      }),
    showAgain: async (view, content, refused) => await secretsBody(frame, view, content, { refused }),
  })
}

interface SecretsNews {
  readonly refused?: RefusedInput
  /** Shown once, on this page only. */
  readonly shown?: { readonly name: string; readonly value: string }
}

async function secretsBody(
  { deps }: Frame,
  view: ConsoleView,
  content: InstancePageContent,
  { refused, shown }: SecretsNews,
): Promise<ConsoleBody> {
  const rows = await listSecretFacts(deps.db, content.id)
  return instanceBody(view, content, {
    part: 'secrets',
    children: (
      <Section id="secrets" title="Secrets">
        {refused !== undefined && <Refusal refused={refused} />}
        {shown !== undefined && (
          <div class="banner note" role="status">
            <strong>Shown once.</strong> {shown.name} is <code>{shown.value}</code>
          </div>
        )}
        {rows.length === 0 ? (
          <Empty>None: its application has none, or they are gone with it.</Empty>
        ) : (
          <Table caption="Secrets" head={['Secret', 'Shown', 'Ask']}>
            {rows.map((row) => (
              <Secret view={view} content={content} row={row} />
            ))}
          </Table>
        )}
        <p class="hint">
          A value is shown once and kept sealed. Another value is given to every container that uses it; where
          they do not get ready with it, the one before is in its place again.
        </p>
      </Section>
    ),
  })
}

interface SecretProps {
  readonly view: ConsoleView
  readonly content: InstancePageContent
  readonly row: Awaited<ReturnType<typeof listSecretFacts>>[number]
}

function Secret({ view, content, row }: SecretProps) {
  const address = instanceAddress(content.id, `secrets/${row.name}`)
  return (
    <tr>
      <th scope="row">
        <code>{row.name}</code>
        <div class="hint">
          value {row.version}, made <Moment at={row.created_at} {...view} />
        </div>
      </th>
      <td>{row.shown_at === null ? 'never' : <Moment at={row.shown_at} {...view} />}</td>
      <td>
        <div class="row-buttons">
          {row.shown_at === null && (
            <RowButton view={view} action={`${address}/show`} of={row.name}>
              Show, once
            </RowButton>
          )}
          <RowButton view={view} action={`${address}/rotate`} of={row.name}>
            Give it another value
          </RowButton>
        </div>
      </td>
    </tr>
  )
}
