import { renameEnvironment } from '#db/environment-name.ts'
import { applyConfiguration } from '#db/instance-configuration.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { carryOutChange } from '../routes/instance-configuration.ts'
import { instanceChangeSchema } from '../schemas/instance-configuration.ts'
import { parse } from '../validation.ts'
import type { ConsoleView } from './console-page.tsx'
import { Choice, Folded, PostForm, TextField, type RefusedInput } from './form.tsx'
import { Moment, Section, Table } from './parts.tsx'
import { registerRowForm, saidOf, type RowForm } from './row-form.ts'
import type { Values } from './sent-form.ts'
import {
  readSubscriptionContent,
  type InstanceContent,
  type SubscriptionContent,
} from './subscription-content.ts'
import { subscriptionBody } from './subscription.tsx'

const section = 'configuration'

/** What of an instance is changed in place, by the forms of its subscription's page. */
export function registerInstanceConfigurationForms(frame: Frame): void {
  const showAgain: RowForm['showAgain'] = async (view, id, refused) =>
    subscriptionBody(view, await readSubscriptionContent(frame.deps.db, id), { refusedInstance: refused })
  registerRowForm(frame, {
    path: '/subscriptions/:id/change-instance',
    permission: 'instances:write',
    form: (_id, values) => changeForm(values['instance'] ?? ''),
    carryOut: async (tx, { id, values, actor }) => {
      const instanceId = await resolveAddress(tx, 'instance', values['instance'] ?? '')
      const { reason = null } = saidOf(values)
      await carryOutChange(tx, instanceId, toChange(values), { actor, reason })
      return `/subscriptions/${id}#${section}`
    },
    showAgain,
  })
  registerRowForm(frame, {
    path: '/subscriptions/:id/apply-instance',
    permission: 'instances:write',
    form: (_id, values) => `apply-${values['instance'] ?? ''}`,
    carryOut: async (tx, { id, values, actor }) => {
      await applyConfiguration(tx, await resolveAddress(tx, 'instance', values['instance'] ?? ''), actor)
      return `/subscriptions/${id}#${section}`
    },
    showAgain,
  })
  registerRowForm(frame, {
    path: '/subscriptions/:id/rename-environment',
    permission: 'environments:write',
    form: () => 'environment',
    carryOut: async (tx, { id, values, actor }) => {
      const environmentId = await resolveAddress(tx, 'environment', values['environment'] ?? '')
      await renameEnvironment(tx, environmentId, { name: (values['name'] ?? '').trim() }, actor)
      return `/subscriptions/${id}#${section}`
    },
    showAgain,
  })
}

const changeForm = (instance: string): string => `change-${instance}`

/** What was left empty stays; the name is shown, and taken back when it is emptied. */
function toChange(values: Values) {
  const { service = '', memory_mib: memory, cpus, variable, value } = saidOf(values)
  const limits = { ...number('memory_mib', memory), ...number('cpus', cpus) }
  const change = {
    name: (values['name'] ?? '').trim() || null,
    ...(Object.keys(limits).length === 0 ? {} : { limits: { [service]: limits } }),
    ...(variable === undefined ? {} : { variables: { [variable]: value ?? null } }),
    apply: values['apply'] !== 'later',
  }
  return parse(instanceChangeSchema, change, 'body')
}

/** What is no number is said as it was typed, and refused by the schema. */
function number(key: string, text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {}
  return { [key]: /^\d+(\.\d+)?$/.test(text) ? Number(text) : text }
}

interface SectionProps {
  readonly view: ConsoleView
  readonly content: SubscriptionContent
  readonly refused: RefusedInput | undefined
}

export function ConfigurationSection(props: SectionProps) {
  const live = props.content.instances.filter((instance) => instance.destroyed_at === null)
  const [first] = live
  if (first === undefined) return null
  return (
    <Section id={section} title="Configuration">
      {live.map((instance) => (
        <>
          <Differences {...props} instance={instance} />
          <ChangeForm {...props} instance={instance} />
        </>
      ))}
      <EnvironmentForm {...props} instance={first} />
    </Section>
  )
}

type InstanceProps = SectionProps & { readonly instance: InstanceContent }

/** Wanted beside running, as it was seen last. */
function Differences({ view, content, instance }: InstanceProps) {
  const { observed_differences: differences, observed_at: at } = instance
  const id = encodeId('instance', instance.id)
  if (differences.length === 0) return null
  return (
    <>
      <Table
        caption={`${instance.display_name ?? instance.name}: wanted and running`}
        head={['What', 'Wanted', 'Running']}
      >
        {differences.map(({ service, key, wanted, running }) => (
          <tr>
            <th scope="row">
              {service} {key}
            </th>
            <td>{wanted ?? 'nothing'}</td>
            <td>{running ?? 'nothing'}</td>
          </tr>
        ))}
      </Table>
      {at !== null && (
        <p class="hint">
          Seen <Moment at={at} {...view} />
        </p>
      )}
      <PostForm
        form={`apply-${id}`}
        refused={undefined}
        view={view}
        action={`/subscriptions/${content.publicId}/apply-instance`}
      >
        <input type="hidden" name="instance" value={id} />
        <button type="submit">Apply what is wanted</button>
      </PostForm>
    </>
  )
}

function ChangeForm({ view, content, instance, refused }: InstanceProps) {
  const id = encodeId('instance', instance.id)
  const at = { form: changeForm(id), refused }
  const services = instance.images.map(({ service }) => [service, service] as const)
  return (
    <Folded {...at} title={`Change ${instance.display_name ?? instance.name}…`}>
      <PostForm {...at} view={view} action={`/subscriptions/${content.publicId}/change-instance`}>
        <input type="hidden" name="instance" value={id} />
        <TextField
          {...at}
          name="name"
          label="Name"
          value={instance.display_name}
          hint="For people; names on the server stay."
        />
        {services.length > 0 && <Choice {...at} name="service" label="Service" choices={services} />}
        <TextField {...at} name="memory_mib" label="Memory in MiB" type="decimal" hint="Set while it runs." />
        <TextField {...at} name="cpus" label="Processors" type="decimal" hint="Set while it runs." />
        <TextField
          {...at}
          name="variable"
          label="Variable"
          hint="What uses it is made anew on its volumes."
        />
        <TextField {...at} name="value" label="Its value" hint="Left empty, it is taken back." />
        <Choice
          {...at}
          name="apply"
          label="When"
          choices={[
            ['now', 'now'],
            ['later', 'when it is applied'],
          ]}
        />
        <TextField {...at} name="reason" label="Why" />
        <button type="submit">Change</button>
      </PostForm>
    </Folded>
  )
}

function EnvironmentForm({ view, content, instance, refused }: InstanceProps) {
  const at = { form: 'environment', refused }
  return (
    <Folded {...at} title={`Rename environment ${instance.environment_name}…`}>
      <PostForm {...at} view={view} action={`/subscriptions/${content.publicId}/rename-environment`}>
        <input type="hidden" name="environment" value={encodeId('environment', instance.environment_id)} />
        <TextField
          {...at}
          name="name"
          label="Name"
          value={instance.environment_name}
          hint={`Its prefix ${instance.environment_prefix} is fixed: it begins the names on the server.`}
          isRequired
        />
        <button type="submit">Rename</button>
      </PostForm>
    </Folded>
  )
}
