import { resolveAddress } from '../addressing.ts'
import { listRegistries, type RegistryRow } from '#db/read/registry.ts'
import { removeRegistry } from '#db/registry.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { keepLogin } from '../routes/registries.ts'
import { newRegistrySchema } from '../schemas/registry.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { PostForm, Refusal, RowButton, SecretField, TextField, type RefusedInput } from './form.tsx'
import { Empty, Moment, Section, Table } from './parts.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

const path = '/settings/registries'
const addForm = 'add'

export function registerRegistryPages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'registries:read' },
    async (view) => await registriesBody(frame, view),
  )
  registerRowForm(frame, {
    path,
    permission: 'registries:write',
    form: () => addForm,
    carryOut: async (tx, { values, actor, now }) => {
      await keepLogin(frame, tx, parse(newRegistrySchema, saidOf(values), 'body'), { actor, now })
      return path
    },
    showAgain: async (view, _id, refused) => await registriesBody(frame, view, refused),
  })
  registerRowForm(frame, {
    path: `${path}/:id/remove`,
    permission: 'registries:write',
    form: (id) => id,
    carryOut: async (tx, { id, actor }) => {
      await removeRegistry(tx, await resolveAddress(tx, 'registry', id), actor)
      return path
    },
    showAgain: async (view, _id, refused) => await registriesBody(frame, view, refused),
  })
}

async function registriesBody(frame: Frame, view: ConsoleView, refused?: RefusedInput): Promise<ConsoleBody> {
  const rows = await listRegistries(frame.deps.db, { limit: 100, cursor: null, direction: 'after' })
  return {
    title: 'Registries',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="registries" title="Registries">
          {refused !== undefined && refused.form !== addForm && <Refusal refused={refused} />}
          {rows.length === 0 ? (
            <Empty>None: images are pulled as anybody can.</Empty>
          ) : (
            <Table caption="Registries with a login" head={['Host', 'User', 'Given', 'Ask']}>
              {rows.map((row) => (
                <Registry view={view} row={row} />
              ))}
            </Table>
          )}
        </Section>
        <Section id="new" title="Give a login">
          <LoginForm view={view} refused={refused} />
        </Section>
      </SettingsFrame>
    ),
  }
}

function Registry({ view, row }: { view: ConsoleView; row: RegistryRow }) {
  const id = encodeId('registry', row.id)
  return (
    <tr>
      <th scope="row">{row.host}</th>
      <td>{row.username}</td>
      <td>
        <Moment at={row.set_at} {...view} />
        <div class="hint">by {row.set_by}</div>
      </td>
      <td>
        <RowButton view={view} action={`${path}/${id}/remove`} of={row.host}>
          Forget
        </RowButton>
      </td>
    </tr>
  )
}

/** What was typed as a password is never sent back. */
function LoginForm({ view, refused }: { view: ConsoleView; refused: RefusedInput | undefined }) {
  const at = { form: addForm, refused }
  return (
    <PostForm {...at} view={view} action={path}>
      <TextField
        {...at}
        name="host"
        label="Host"
        hint="Such as ghcr.io or registry.example.com:5000."
        isRequired
      />
      <TextField {...at} name="username" label="User" isRequired />
      <SecretField {...at} name="password" label="Password or token" isRequired />
      <div class="buttons">
        <button type="submit" class="primary">
          Keep the login
        </button>
      </div>
    </PostForm>
  )
}
