import { renameEnvironment } from '#db/environment-name.ts'
import { applyConfiguration, previewConfiguration } from '#db/instance-configuration.ts'
import { listEventsOfInstance } from '#db/read/event.ts'
import { BusinessError } from '#domain/errors.ts'
import type { ContainerChange } from '#domain/replacement.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { carryOutChange } from '../routes/instance-configuration.ts'
import { instanceChangeSchema, toAskedConfiguration } from '../schemas/instance-configuration.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import type { RefusedInput } from './form.tsx'
import { ChangeSection } from './instance-change.tsx'
import { changeForm, isUnchanged, toInstanceChange } from './instance-change-fields.ts'
import { instanceAddress, readInstanceContent, type InstancePageContent } from './instance-content.ts'
import { ComparisonSection, HistorySection, NamesSection } from './instance-settings.tsx'
import { instanceBody } from './instance-frame.tsx'
import { refusedInput, registerRowForm, saidOf, type RowForm } from './row-form.ts'
import { refusedStatus, type Values } from './sent-form.ts'

const shownEvents = 50

/** What of an instance is changed in place: what is wanted beside what runs, a change with its preview, names, and what was changed before. */
export function registerInstanceConfiguration(frame: Frame): void {
  const { db } = frame.deps
  consolePage(
    frame,
    { method: 'get', path: '/instances/:id/settings', permission: 'instances:read' },
    async (view, ctx) => {
      const { preview: isAsked, ...values } = ctx.req.query()
      const content = await readInstanceContent(db, ctx.req.param('id') ?? '')
      if (isAsked === undefined) return await settingsBody(frame, view, content, {})
      try {
        const preview = await previewOf(frame, content, values)
        return await settingsBody(frame, view, content, { values, preview })
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error
        const refused = refusedInput(changeForm, values, error)
        return {
          ...(await settingsBody(frame, view, content, { refused })),
          status: refusedStatus(error.code),
        }
      }
    },
  )
  registerForms(frame)
}

function registerForms(frame: Frame): void {
  const { db } = frame.deps
  const showAgain: RowForm['showAgain'] = async (view, id, refused) =>
    await settingsBody(frame, view, await readInstanceContent(db, id), { refused })
  const form = { permission: 'instances:write', showAgain } as const
  registerRowForm(frame, {
    ...form,
    path: '/instances/:id/settings',
    form: () => changeForm,
    carryOut: async (tx, { id, values, actor }) => {
      const content = await readInstanceContent(tx, id)
      const change = parse(instanceChangeSchema, toInstanceChange(content.deployed, values), 'body')
      await carryOutChange(tx, content.id, change, { actor, reason: change.reason ?? null })
      return `${instanceAddress(content.id, 'settings')}#comparison`
    },
  })
  registerRowForm(frame, {
    ...form,
    path: '/instances/:id/apply',
    form: () => 'apply',
    carryOut: async (tx, { id, actor }) => {
      const instanceId = await resolveAddress(tx, 'instance', id)
      await applyConfiguration(tx, instanceId, actor)
      return `${instanceAddress(instanceId, 'settings')}#comparison`
    },
  })
  registerRowForm(frame, {
    ...form,
    path: '/instances/:id/rename',
    form: () => 'rename',
    carryOut: async (tx, { id, values, actor }) => {
      const instanceId = await resolveAddress(tx, 'instance', id)
      // What people call it is taken back when it is emptied.
      const change = parse(instanceChangeSchema, { name: saidOf(values)['name'] ?? null }, 'body')
      await carryOutChange(tx, instanceId, change, { actor, reason: null })
      return `${instanceAddress(instanceId, 'settings')}#names`
    },
  })
  registerRowForm(frame, {
    ...form,
    permission: 'environments:write',
    path: '/instances/:id/rename-environment',
    form: () => 'environment',
    carryOut: async (tx, { id, values, actor }) => {
      const content = await readInstanceContent(tx, id)
      const name = (values['name'] ?? '').trim()
      await renameEnvironment(tx, content.instance.environment_id, { name }, actor)
      return `${instanceAddress(content.id, 'settings')}#names`
    },
  })
}

async function previewOf({ deps }: Frame, content: InstancePageContent, values: Values) {
  const body = toInstanceChange(content.deployed, values)
  const change = parse(instanceChangeSchema, body, 'query')
  if (isUnchanged(body)) return []
  return await previewConfiguration(deps.db, content.id, toAskedConfiguration(change))
}

/** What was typed, and what it would do; or what was refused. */
export interface SettingsNews {
  readonly values?: Values
  readonly preview?: readonly ContainerChange[]
  readonly refused?: RefusedInput
}

async function settingsBody(
  { deps }: Frame,
  view: ConsoleView,
  content: InstancePageContent,
  news: SettingsNews,
): Promise<ConsoleBody> {
  const events = await listEventsOfInstance(deps.db, {
    subscriptionId: content.instance.subscription_id,
    instance: content.publicId,
    name: content.instance.name,
    limit: shownEvents,
  })
  const isOver = content.instance.destroyed_at !== null
  return instanceBody(view, content, {
    part: 'settings',
    children: (
      <div class="columns">
        <div class="stack">
          {!isOver && <ComparisonSection view={view} content={content} refused={news.refused} />}
          {!isOver && <ChangeSection view={view} content={content} news={news} />}
          {!isOver && <NamesSection view={view} content={content} refused={news.refused} />}
        </div>
        <HistorySection view={view} events={events} />
      </div>
    ),
  })
}
