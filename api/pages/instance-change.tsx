import type { ContainerChange } from '#domain/replacement.ts'
import type { ConsoleView } from './console-page.tsx'
import { Choice, PostForm, Refusal, TextField } from './form.tsx'
import { changeFields, changeForm } from './instance-change-fields.ts'
import type { SettingsNews } from './instance-configuration.tsx'
import { instanceAddress, type InstancePageContent } from './instance-content.ts'
import { Empty, Section, Table } from './parts.tsx'
import type { Values } from './sent-form.ts'

interface ChangeProps {
  readonly view: ConsoleView
  readonly content: InstancePageContent
  readonly news: SettingsNews
}

/** A change in two steps: asked by address, it shows what restarts and changes nothing; the button below sends the same. */
export function ChangeSection({ view, content, news }: ChangeProps) {
  const { values, preview, refused } = news
  const at = { form: changeForm, refused }
  const fields = changeFields(content.deployed)
  return (
    <Section id="change" title="Limits and variables">
      {refused?.form === changeForm && <Refusal refused={refused} />}
      {fields.length === 0 && <Empty>Nothing of it can be set.</Empty>}
      {fields.length > 0 && (
        <form method="get" action={`${instanceAddress(content.id, 'settings')}#change`} class="sheet">
          <input type="hidden" name="preview" value="1" />
          {fields.map(({ name, label, given, hint }) => (
            <TextField
              {...at}
              name={name}
              label={label}
              value={values?.[name] ?? given}
              hint={hint}
              type={name.startsWith('limits.') ? 'decimal' : 'text'}
            />
          ))}
          <div class="buttons">
            <button type="submit" class={preview === undefined ? 'primary' : undefined}>
              Show what restarts
            </button>
          </div>
        </form>
      )}
      {preview !== undefined && values !== undefined && (
        <Preview view={view} content={content} preview={preview} values={values} />
      )}
    </Section>
  )
}

const effects = {
  kept: 'stays as it is',
  updated: 'runs on, with other limits',
  replaced: 'is stopped and made anew on its volumes',
} as const

interface PreviewProps {
  readonly view: ConsoleView
  readonly content: InstancePageContent
  readonly preview: readonly ContainerChange[]
  readonly values: Values
}

function Preview({ view, content, preview, values }: PreviewProps) {
  const touched = preview.filter(({ effect }) => effect !== 'kept')
  if (touched.length === 0) return <Empty>That changes nothing: it is so already.</Empty>
  const at = { form: changeForm, refused: undefined }
  return (
    <>
      <h3>Nothing has changed yet. This would</h3>
      <Table caption="What the change does" head={['Container', 'What happens', 'Was', 'Is to be']}>
        {touched.flatMap(({ service, effect, differences }) =>
          differences.map(({ key, wanted, running }, index) => (
            <tr>
              <th scope="row">
                {service} {key}
              </th>
              <td>{index === 0 && `${service} ${effects[effect]}`}</td>
              <td>{running ?? 'nothing'}</td>
              <td>{wanted ?? 'nothing'}</td>
            </tr>
          )),
        )}
      </Table>
      <PostForm {...at} view={view} action={instanceAddress(content.id, 'settings')} class="action">
        {Object.entries(values)
          .filter(([name]) => name.includes('.'))
          .map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
        <Choice
          {...at}
          name="apply"
          label="When"
          choices={[
            ['now', 'now'],
            ['later', 'when it is applied'],
          ]}
        />
        <TextField {...at} name="reason" label="Why, for its history" />
        <button type="submit" class="primary">
          Make the change
        </button>
      </PostForm>
    </>
  )
}
