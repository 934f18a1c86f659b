import type { ConsoleView } from './console-page.tsx'
import { Choice, Folded, PostForm, TextArea, TextField, type RefusedInput } from './form.tsx'
import type { Values } from './sent-form.ts'
import { saidOf } from './row-form.ts'

/** Certificates are longer than what people type. */
const pemLength = 65_536

/** How a server is added: what is left empty decides how it is reached. */
export function AddServer({ view, refused }: { view: ConsoleView; refused: RefusedInput | undefined }) {
  const at = { form: 'add', refused }
  const pem = { ...at, value: null, greatestLength: pemLength }
  return (
    <Folded {...at} title="Add a server…">
      <PostForm {...at} view={view} action="/servers">
        <TextField {...at} name="code" label="Name" hint="Such as rack-2." isRequired />
        <Choice
          {...at}
          name="resource_kind"
          label="What it is"
          choices={[
            ['infrastructure', 'A host'],
            ['people', 'People'],
          ]}
        />
        <TextField
          {...at}
          name="engine.address"
          label="Engine behind TLS"
          hint="tcp://host:port. Empty: a worker of its own joins from its host."
        />
        <TextArea {...pem} name="engine.ca" label="Certificate of its authority (PEM)" />
        <TextArea {...pem} name="engine.certificate" label="Certificate by which it knows us (PEM)" />
        <TextArea
          {...pem}
          name="engine.key"
          label="Key of that certificate (PEM); sealed, never shown again"
        />
        <div class="buttons">
          <button type="submit" class="primary">
            Add the server
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}

/** The body of the API's route that the form stands for. */
export function toNewServer(values: Values): object {
  const said = saidOf(values)
  const engine = Object.fromEntries(
    Object.entries(said).flatMap(([name, value]) =>
      name.startsWith('engine.') ? [[name.slice('engine.'.length), value]] : [],
    ),
  )
  const { code, resource_kind: kind } = said
  return { code, resource_kind: kind, ...(Object.keys(engine).length === 0 ? {} : { engine }) }
}
