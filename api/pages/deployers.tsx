import { resolveAddress } from '../addressing.ts'
import { askDeployer, removeDeployer } from '#db/deployer.ts'
import { newId } from '#db/identifier.ts'
import { listDeployers, type DeployerRow } from '#db/read/deployer.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { keepDeployedProduct, keepDeployer } from '../routes/deployers.ts'
import { newDeployedProductSchema, newDeployerSchema } from '../schemas/deployer.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Choice, PostForm, Refusal, RowButton, SecretField, TextField, type RefusedInput } from './form.tsx'
import { Empty, Moment, Section, State, Table } from './parts.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

const path = '/settings/deployers'
const addForm = 'add'
const productForm = 'product'

export function registerDeployerPages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'deployers:read' },
    async (view) => await deployersBody(frame, view),
  )
  const write = {
    permission: 'deployers:write',
    showAgain: async (view: ConsoleView, _id: string, refused: RefusedInput) =>
      await deployersBody(frame, view, refused),
  } as const
  registerRowForm(frame, {
    ...write,
    path,
    form: () => addForm,
    carryOut: async (tx, { values, actor, now }) => {
      await keepDeployer(frame, tx, parse(newDeployerSchema, saidOf(values), 'body'), { actor, now })
      return path
    },
  })
  registerRowForm(frame, {
    ...write,
    path: `${path}/products`,
    form: () => productForm,
    carryOut: async (tx, { values, actor, now }) => {
      const { deployer = '', ...said } = saidOf(values)
      const id = await resolveAddress(tx, 'deployer', deployer)
      await keepDeployedProduct(tx, id, parse(newDeployedProductSchema, said, 'body'), { actor, now })
      return path
    },
  })
  registerRowForm(frame, {
    ...write,
    path: `${path}/:id/look`,
    form: (id) => id,
    carryOut: async (tx, { id }) => {
      await askDeployer(tx, await resolveAddress(tx, 'deployer', id), newId())
      return path
    },
  })
  registerRowForm(frame, {
    ...write,
    path: `${path}/:id/remove`,
    form: (id) => id,
    carryOut: async (tx, { id, actor }) => {
      await removeDeployer(tx, await resolveAddress(tx, 'deployer', id), actor)
      return path
    },
  })
}

async function deployersBody(frame: Frame, view: ConsoleView, refused?: RefusedInput): Promise<ConsoleBody> {
  const rows = await listDeployers(frame.deps.db, { limit: 100, cursor: null, direction: 'after' })
  const isOfRow = refused !== undefined && refused.form !== addForm && refused.form !== productForm
  return {
    title: 'Deployers',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="deployers" title="Deployers">
          {isOfRow && <Refusal refused={refused} />}
          {rows.length === 0 ? (
            <Empty>None: what is billed here is deployed here.</Empty>
          ) : (
            <Table
              caption="Installations that deploy what this one bills"
              head={['Code', 'Where', 'Products', 'Deployed', 'Usage', 'Ask']}
            >
              {rows.map((row) => (
                <Deployer view={view} row={row} />
              ))}
            </Table>
          )}
        </Section>
        <Section id="new" title="Give a deployer">
          <DeployerForm view={view} refused={refused} />
        </Section>
        {rows.length > 0 && (
          <Section id="products" title="Have a product deployed there">
            <ProductForm view={view} refused={refused} rows={rows} />
          </Section>
        )}
      </SettingsFrame>
    ),
  }
}

function Deployer({ view, row }: { view: ConsoleView; row: DeployerRow }) {
  const id = encodeId('deployer', row.id)
  return (
    <tr>
      <th scope="row">{row.code}</th>
      <td>
        {row.url}
        <div class="hint">as {row.customer}</div>
      </td>
      <td>
        {row.products.map((of) => (
          <div>
            {of.product}
            <div class="hint">there {of.product_there ?? of.kit_there}</div>
            {of.refusal !== null && <State state="failed">an order would be refused: {of.refusal}</State>}
          </div>
        ))}
      </td>
      <td>{row.deployments}</td>
      <td>
        {row.usage_taken_at === null ? 'never taken over' : <Moment at={row.usage_taken_at} {...view} />}
        {row.failing_since !== null && (
          <div class="hint">
            fails since <Moment at={row.failing_since} {...view} />: {row.failure}
          </div>
        )}
      </td>
      <td>
        <RowButton view={view} action={`${path}/${id}/look`} of={row.code}>
          Look now
        </RowButton>
        <RowButton view={view} action={`${path}/${id}/remove`} of={row.code}>
          Forget
        </RowButton>
      </td>
    </tr>
  )
}

interface FormView {
  readonly view: ConsoleView
  readonly refused: RefusedInput | undefined
}

/** What was typed as a key is never sent back. */
function DeployerForm({ view, refused }: FormView) {
  const at = { form: addForm, refused }
  return (
    <PostForm {...at} view={view} action={path}>
      <TextField
        {...at}
        name="code"
        label="Code"
        hint="Given again, it has another address and key."
        isRequired
      />
      <TextField {...at} name="url" label="Address" hint="Of the other Clouder, by https." isRequired />
      <TextField
        {...at}
        name="customer"
        label="Ordered as"
        hint="The customer there: its orders are billed here."
        isRequired
      />
      <SecretField {...at} name="key" label="API key of the other side" isRequired />
      <div class="buttons">
        <button type="submit" class="primary">
          Keep the deployer
        </button>
      </div>
    </PostForm>
  )
}

function ProductForm({ view, refused, rows }: FormView & { rows: readonly DeployerRow[] }) {
  const at = { form: productForm, refused }
  return (
    <PostForm {...at} view={view} action={`${path}/products`}>
      <Choice {...at} name="deployer" label="Deployer" choices={rows.map(({ code }) => [code, code])} />
      <TextField
        {...at}
        name="product"
        label="Product"
        hint="Of this installation; it builds nothing here."
        isRequired
      />
      <TextField {...at} name="product_there" label="Product there" hint="One of the two." />
      <TextField {...at} name="kit_there" label="Kit there" />
      <div class="buttons">
        <button type="submit" class="primary">
          Have it deployed there
        </button>
      </div>
    </PostForm>
  )
}
