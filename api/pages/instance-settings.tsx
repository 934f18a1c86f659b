import type { EventRow } from '#db/read/event.ts'
import type { ConsoleView } from './console-page.tsx'
import { eventActor, eventSentence } from './event-text.ts'
import { Folded, PostForm, TextField, type RefusedInput } from './form.tsx'
import { instanceAddress, type InstancePageContent } from './instance-content.ts'
import { Empty, Moment, Section, Table } from './parts.tsx'

interface SettingsProps {
  readonly view: ConsoleView
  readonly content: InstancePageContent
  readonly refused: RefusedInput | undefined
}

/** Wanted beside running, as it was seen last, and the way to end what differs. */
export function ComparisonSection({ view, content, refused }: SettingsProps) {
  const { observed_differences: differences, observed_at: at } = content.instance
  return (
    <Section id="comparison" title="Wanted and running">
      {differences.length === 0 ? (
        <Empty>{at === null ? 'Nobody has looked yet.' : 'It runs as it is wanted.'}</Empty>
      ) : (
        <Table caption="What runs otherwise than wanted" head={['What', 'Wanted', 'Running']}>
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
      )}
      {at !== null && (
        <p class="hint">
          Seen <Moment at={at} {...view} />
        </p>
      )}
      {differences.length > 0 && (
        <PostForm
          form="apply"
          refused={refused}
          view={view}
          action={instanceAddress(content.id, 'apply')}
          class="action"
        >
          <button type="submit" class="primary">
            Apply what is wanted
          </button>
        </PostForm>
      )}
    </Section>
  )
}

/** Names for people; those on the server stay. */
export function NamesSection({ view, content, refused }: SettingsProps) {
  const { instance } = content
  const rename = { form: 'rename', refused }
  const environment = { form: 'environment', refused }
  return (
    <Section id="names" title="Names">
      <Folded {...rename} title={`Rename ${instance.display_name ?? instance.name}…`}>
        <PostForm {...rename} view={view} action={instanceAddress(content.id, 'rename')} class="action">
          <TextField
            {...rename}
            name="name"
            label="Name"
            value={instance.display_name}
            hint={`For people; on the server it stays ${instance.name}. Empty: by that.`}
          />
          <button type="submit">Rename</button>
        </PostForm>
      </Folded>
      <Folded {...environment} title={`Rename environment ${instance.environment_name}…`}>
        <PostForm
          {...environment}
          view={view}
          action={instanceAddress(content.id, 'rename-environment')}
          class="action"
        >
          <TextField
            {...environment}
            name="name"
            label="Name"
            value={instance.environment_name}
            hint={`Its prefix ${instance.environment_prefix} is fixed: it begins the names on the server.`}
            isRequired
          />
          <button type="submit">Rename</button>
        </PostForm>
      </Folded>
    </Section>
  )
}

export function HistorySection({ view, events }: { view: ConsoleView; events: readonly EventRow[] }) {
  return (
    <Section id="history" title="History">
      {events.length === 0 ? (
        <Empty>Nothing was changed since it was ordered.</Empty>
      ) : (
        <ol class="timeline log">
          {events.map((event) => (
            <li class="minor">
              {eventSentence(event)}
              <div class="hint">
                <Moment at={event.occurred_at} {...view} /> · {eventActor(event, view.operator)}
              </div>
            </li>
          ))}
        </ol>
      )}
    </Section>
  )
}
