import { encodeId, decodeId } from '#domain/identifier.ts'
import type { BuildStepRow } from '#db/read/build.ts'
import { askOfBuild } from '../routes/build-commands.ts'
import type { Frame } from '../frame.ts'
import { stepActions, stepActionsOf } from '../schemas/build.ts'
import type { ConsoleView } from './console-page.tsx'
import { Folded, PostForm, Refusal, TextField, type RefusedInput } from './form.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import {
  readSubscriptionContent,
  type BuildContent,
  type SubscriptionContent,
} from './subscription-content.ts'
import { subscriptionBody } from './subscription.tsx'

const kinds = { 'cancel-build': 'cancel', ...stepActions } as const

const labels = {
  resume: 'Go back to this step',
  skip: 'Leave it out',
  'mark-done': 'Take it as done',
} as const

/** What the API takes of build orders, from the forms of the page of their subscription. */
export function registerBuildForms(frame: Frame): void {
  for (const action of ['cancel-build', 'resume', 'skip', 'mark-done'] as const) {
    registerRowForm(frame, {
      path: `/subscriptions/:id/builds/${action}`,
      permission: 'builds:write',
      form: (_id, values) => formOf(values['step'] ?? values['build'] ?? '', action),
      carryOut: async (tx, { id, values, actor }) => {
        const { build = '', step, reason = null } = saidOf(values)
        await askOfBuild(tx, {
          kind: kinds[action],
          buildOrderId: decodeId('buildOrder', build),
          stepId: step === undefined ? null : decodeId('buildStep', step),
          reason,
          actor,
        })
        return `/subscriptions/${id}#build`
      },
      showAgain: async (view, id, refused) =>
        subscriptionBody(view, await readSubscriptionContent(frame.deps.db, id), { refusedBuild: refused }),
    })
  }
}

function formOf(id: string, action: string): string {
  return `${action}-${id}`
}

interface BuildActionProps {
  readonly view: ConsoleView
  readonly content: SubscriptionContent
  readonly build: BuildContent
  readonly refused: RefusedInput | undefined
}

/** Between two steps it stops, and what was made is undone; its subscription waits for a retry. */
export function CancelBuild({ view, content, build, refused }: BuildActionProps) {
  const id = encodeId('buildOrder', build.id)
  const place = { form: formOf(id, 'cancel-build'), refused }
  return (
    <Folded {...place} title="Cancel the build…">
      <PostForm view={view} action={`/subscriptions/${content.publicId}/builds/cancel-build`} {...place}>
        <input type="hidden" name="build" value={id} />
        <TextField {...place} name="reason" label="Why" />
        <button type="submit">Stop it and undo what was made</button>
      </PostForm>
    </Folded>
  )
}

/** What can be decided of a step as it stands; nothing where nothing can. */
export function StepActions({
  view,
  content,
  build,
  step,
  refused,
}: BuildActionProps & { step: BuildStepRow }) {
  const actions = stepActionsOf(build, step)
  if (actions.length === 0) return null
  const id = encodeId('buildStep', step.id)
  const isRefused = actions.some((action) => refused?.form === formOf(id, action))
  return (
    <details id={`actions-${id}`} open={isRefused}>
      <summary>
        Skip, go back…<span class="visually-hidden"> {step.title}</span>
      </summary>
      {isRefused && refused && <Refusal refused={refused} />}
      {actions.map((action) => {
        const place = { form: formOf(id, action), refused }
        return (
          <PostForm
            view={view}
            action={`/subscriptions/${content.publicId}/builds/${action}`}
            isInRow
            {...place}
          >
            <input type="hidden" name="build" value={encodeId('buildOrder', build.id)} />
            <input type="hidden" name="step" value={id} />
            <TextField {...place} name="reason" label="Why" isRequired={action !== 'resume'} />
            <button type="submit">
              {labels[action]}
              <span class="visually-hidden"> {step.title}</span>
            </button>
          </PostForm>
        )
      })}
    </details>
  )
}
