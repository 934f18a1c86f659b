import type { Child } from 'hono/jsx'
import { listInstanceCommands, type InstanceCommand } from '#db/instance-command.ts'
import type { ActionDefinition } from '#domain/action.ts'
import { refuseIdle } from '#domain/instance-command.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Frame } from '../frame.ts'
import { actOnInstances } from '../permission.ts'
import { nothingSaid, toAskedAction } from '../routes/instance-commands.ts'
import { makeLoginLink } from '../routes/instance-logins.tsx'
import { AskedField } from './asked-field.tsx'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Folded, PostForm, Refusal, type RefusedInput } from './form.tsx'
import { registerInstanceCommandForm } from './instance-command-form.ts'
import { instanceAddress, readInstanceContent, type InstancePageContent } from './instance-content.ts'
import { instanceBody } from './instance-frame.tsx'
import { Empty, Moment, Section, State, Table } from './parts.tsx'
import { refusedInput } from './row-form.ts'
import { refusedStatus } from './sent-form.ts'

const restartForm = 'restart'
const loginForm = 'login'
const actionForm = (code: string): string => `action-${code}`
const shownCommands = 50

/** What can be asked of an instance: a restart, a login, and what its application does on request. */
export function registerInstanceActions(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/instances/:id/actions', permission: 'instances:read' },
    async (view, ctx) =>
      await actionsBody(frame, view, await readInstanceContent(frame.deps.db, ctx.req.param('id') ?? '')),
  )
  const command = {
    permission: actOnInstances,
    part: 'actions',
    showAgain: async (view: ConsoleView, content: InstancePageContent, refused: RefusedInput) =>
      await actionsBody(frame, view, content, refused),
  } as const
  registerInstanceCommandForm(frame, {
    ...command,
    path: '/instances/:id/restart',
    form: () => restartForm,
    secretFields: () => [],
    toAsked: async (_db, { instanceId, requestId, principal }) =>
      Promise.resolve({
        instanceId,
        requestId,
        actor: principal.name,
        kind: 'restart',
        subject: null,
        ...nothingSaid,
      }),
  })
  registerInstanceCommandForm(frame, {
    ...command,
    path: '/instances/:id/actions/:subject',
    form: actionForm,
    secretFields: ({ deployed }, code) => secretFieldsOf(deployed.definition.actions ?? [], code),
    toAsked: async (db, { instanceId, requestId, principal, subject: code, values }) => {
      const said = Object.entries(values).map(
        ([name, value]) => [name.replace(/^fields\./, ''), value] as const,
      )
      const asked = { instanceId, requestId, principal, code, said: Object.fromEntries(said) }
      return await toAskedAction(db, asked)
    },
  })
  registerLogin(frame)
}

function secretFieldsOf(actions: readonly ActionDefinition[], code: string): string[] {
  const fields = actions.find((action) => action.code === code)?.fields ?? []
  return fields.filter(({ kind }) => kind === 'secret').map((field) => `fields.${field.code}`)
}

/** The link is used where it leads to, so pressing twice makes two links and opens one. */
function registerLogin(frame: Frame): void {
  const { deps } = frame
  consolePage(
    frame,
    { method: 'post', path: '/instances/:id/login', permission: actOnInstances },
    async (view, ctx) => {
      const content = await readInstanceContent(deps.db, ctx.req.param('id') ?? '')
      try {
        const asked = { instanceId: content.id, principal: requireOperator(ctx), now: view.now }
        const { path } = await makeLoginLink(deps.db, asked)
        return ctx.redirect(path, 303)
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error
        const body = await actionsBody(frame, view, content, refusedInput(loginForm, {}, error))
        return { ...body, status: refusedStatus(error.code) }
      }
    },
  )
}

async function actionsBody(
  { deps }: Frame,
  view: ConsoleView,
  content: InstancePageContent,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const commands = await listInstanceCommands(deps.db, content.id, shownCommands)
  return instanceBody(view, content, {
    part: 'actions',
    children: (
      <div class="columns">
        <Section id="actions" title="Actions">
          <Actions view={view} content={content} refused={refused} />
        </Section>
        <Section id="asked" title="What was asked">
          {commands.length === 0 ? (
            <Empty>Nothing yet.</Empty>
          ) : (
            <Table caption="What was asked, newest first" head={['Asked', 'What', 'What came of it']}>
              {commands.map((row) => (
                <Command view={view} row={row} />
              ))}
            </Table>
          )}
        </Section>
      </div>
    ),
  })
}

interface ActionsProps {
  readonly view: ConsoleView
  readonly content: InstancePageContent
  readonly refused: RefusedInput | undefined
}

function Actions({ view, content, refused }: ActionsProps) {
  const { deployed, subscription } = content
  const idle = whyIdle({ phase: subscription.phase, state: deployed.state })
  const { actions = [], login } = deployed.definition
  return (
    <>
      {refused !== undefined && <Refusal refused={refused} />}
      {idle !== undefined && <Empty>{idle}</Empty>}
      {idle === undefined && (
        <>
          <Press view={view} content={content} form={restartForm} title="Restart">
            Its containers stop and start again; what they hold stays.
          </Press>
          {login !== undefined && (
            <Press view={view} content={content} form={loginForm} title="Log in">
              Opens {deployed.definition.title} without a password. It is recorded.
            </Press>
          )}
          {actions.map((action) => (
            <Action view={view} content={content} refused={refused} action={action} />
          ))}
        </>
      )}
    </>
  )
}

/** A button that asks for nothing, with what it does. */
function Press(
  props: Pick<ActionsProps, 'view' | 'content'> & { form: string; title: string; children?: Child },
) {
  const { view, content, form, title, children } = props
  const action = instanceAddress(content.id, form)
  return (
    <PostForm view={view} form={form} refused={undefined} action={action} class="action">
      <button type="submit">{title}</button>
      <span class="hint">{children}</span>
    </PostForm>
  )
}

function whyIdle(standing: Parameters<typeof refuseIdle>[0]): string | undefined {
  try {
    refuseIdle(standing)
    return undefined
  } catch (error) {
    if (error instanceof BusinessError) return error.message
    throw error
  }
}

/** One that asks for nothing is a button; one that asks is unfolded first. */
function Action({ view, content, refused, action }: ActionsProps & { action: ActionDefinition }) {
  const at = { form: actionForm(action.code), refused }
  const form = (
    <PostForm
      {...at}
      refused={undefined}
      view={view}
      action={instanceAddress(content.id, `actions/${action.code}`)}
      class="action"
    >
      {action.confirmation !== null && <p>{action.confirmation}</p>}
      {action.fields.map((field) => (
        <AskedField {...at} name={`fields.${field.code}`} field={field} />
      ))}
      <button type="submit">{action.title}</button>
      {action.right === 'staff' && <span class="hint">For staff.</span>}
    </PostForm>
  )
  if (action.confirmation === null && action.fields.length === 0) return form
  return (
    <Folded {...at} title={`${action.title}…`}>
      {form}
    </Folded>
  )
}

const kindNames = {
  restart: 'Restart',
  action: 'Action',
  rotation: 'Another value of',
  login: 'Login',
} as const

function Command({ view, row }: { view: ConsoleView; row: InstanceCommand }) {
  const subject = row.kind === 'restart' || row.kind === 'login' ? '' : ` ${row.subject ?? ''}`
  return (
    <tr>
      <td>
        <Moment at={row.asked_at} {...view} />
        <div class="hint">by {row.actor}</div>
      </td>
      <th scope="row">
        {kindNames[row.kind]}
        {subject}
        {Object.entries(row.answers).map(([code, said]) => (
          <div class="hint">
            {code}: {said}
          </div>
        ))}
      </th>
      <td>
        <State state={row.state === 'refused' ? 'failed' : row.state} isWork>
          {row.state}
        </State>
        {row.exit_code !== null && row.exit_code !== 0 && <div class="hint">exit code {row.exit_code}</div>}
        {row.refusal_detail !== null && <div class="failure">{row.refusal_detail}</div>}
        {row.output !== null && row.output !== '' && (
          <details id={`output-${row.request_id}`}>
            <summary>output</summary>
            <pre>{row.output}</pre>
          </details>
        )}
      </td>
    </tr>
  )
}
