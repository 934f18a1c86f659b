import type { Tx } from '#db/database.ts'
import { getSupplier, listSuppliers, type SupplierRow } from '#db/read/supplier.ts'
import { insertSupplier } from '#db/supplier.ts'
import { atField } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { parseAmount } from '#domain/money.ts'
import { parseTypedLines } from '#domain/stated-line.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { carryOutRecording } from '../routes/stated-invoices.ts'
import { newSupplierSchema } from '../schemas/expense.ts'
import { newSupplierInvoiceSchema } from '../schemas/stated-invoice.ts'
import { parse } from '../validation.ts'
import type { ConsoleBody, ConsoleView } from './console-page.tsx'
import { Choice, Folded, PostForm, TextArea, TextField, type RefusedInput } from './form.tsx'
import { Empty, Section } from './parts.tsx'
import { registerRowForm, saidOf, type SentForm } from './row-form.ts'
import { CsvForm, statedInvoiceFileForms, UblForm } from './stated-invoice-files.tsx'

const path = '/payables'
const supplierForm = 'supplier'
const recordForm = 'record'
/** Suppliers are few. */
const mostSuppliers = 500

/** Suppliers that are no installations, and what they bill, written down on the page of what is owed. */
export function registerStatedInvoiceForms(
  frame: Frame,
  showAgain: (view: ConsoleView, refused: RefusedInput) => Promise<ConsoleBody>,
): void {
  const register = (name: string, carryOut: (tx: Tx, sent: SentForm) => Promise<string>) => {
    registerRowForm(frame, {
      path: `${path}/${name}`,
      permission: 'supplier_invoices:write',
      form: () => name,
      carryOut,
      showAgain: async (view, _id, refused) => await showAgain(view, refused),
    })
  }
  register(supplierForm, async (tx, { values }) => {
    const body = parse(newSupplierSchema, saidOf(values), 'body')
    await insertSupplier(tx, { ...body, tax_id: body.tax_id ?? null })
    return path
  })
  register(recordForm, async (tx, { values, actor, now }) => {
    const body = parse(newSupplierInvoiceSchema, await toBody(tx, values), 'body')
    const id = await carryOutRecording(tx, body, { actor, now })
    return `/supplier-invoices/${encodeId('supplierInvoice', id)}`
  })
  for (const [name, carryOut] of Object.entries(statedInvoiceFileForms)) register(name, carryOut)
}

/** Amounts are written as they are printed, in the currency in which the supplier bills. */
async function toBody(tx: Tx, values: SentForm['values']): Promise<object> {
  const {
    supplier = '',
    lines = '',
    net_minor: net,
    tax_minor: tax,
    total_minor: total,
    ...said
  } = saidOf(values)
  const { currency } = await getSupplier(tx, await resolveAddress(tx, 'supplier', supplier))
  const minor = (name: string, text: string | undefined) =>
    text === undefined ? undefined : atField(`/${name}`, () => parseAmount(text, currency))
  return {
    ...said,
    ...parseTypedLines(lines, currency),
    supplier,
    net_minor: minor('net_minor', net),
    tax_minor: minor('tax_minor', tax) ?? 0,
    total_minor: minor('total_minor', total),
  }
}

/** @returns those that send nothing themselves */
export async function readSuppliersWithoutPeer(frame: Frame): Promise<readonly SupplierRow[]> {
  const all = { limit: mostSuppliers, cursor: null, direction: 'after' } as const
  return (await listSuppliers(frame.deps.db, all)).filter((supplier) => supplier.peer_id === null)
}

interface FormProps {
  readonly view: ConsoleView
  readonly refused: RefusedInput | undefined
}

export function StatedInvoices({
  view,
  refused,
  suppliers,
}: FormProps & { suppliers: readonly SupplierRow[] }) {
  return (
    <Section id="record" title="Suppliers without an installation">
      {suppliers.length === 0 ? (
        <Empty>None: add one, then record what it bills.</Empty>
      ) : (
        <>
          <RecordForm view={view} refused={refused} suppliers={suppliers} />
          <UblForm view={view} refused={refused} suppliers={suppliers} />
          <CsvForm view={view} refused={refused} />
        </>
      )}
      <SupplierForm view={view} refused={refused} />
    </Section>
  )
}

function RecordForm({ view, refused, suppliers }: FormProps & { suppliers: readonly SupplierRow[] }) {
  const at = { form: recordForm, refused }
  const choices = suppliers.map((row) => [row.code, `${row.name}, ${row.currency}`] as const)
  const kinds = [
    ['invoice', 'Invoice'],
    ['credit_note', 'Credit note'],
  ] as const
  return (
    <Folded {...at} title="Record a supplier invoice…">
      <PostForm {...at} view={view} action={`${path}/${recordForm}`}>
        <Choice {...at} name="supplier" label="Supplier" choices={choices} />
        <Choice {...at} name="kind" label="Kind" choices={kinds} />
        <TextField {...at} name="number" label="Number" hint="As the supplier numbered it." isRequired />
        <TextField
          {...at}
          name="corrects"
          label="Corrects"
          hint="Of a credit note: the id of the supplier invoice."
        />
        <TextField {...at} name="issued_on" label="Issued on" type="date" isRequired />
        <TextField {...at} name="due_on" label="Due on" type="date" hint="Empty: the day of its issue." />
        <TextArea
          {...at}
          name="lines"
          label="Lines"
          hint="One a row: what it is; net; tax in percent. Hosting; 100.00; 20"
          value={null}
          greatestLength={20_000}
          isRequired
        />
        <TextField {...at} name="net_minor" label="Net" type="decimal" isRequired />
        <TextField {...at} name="tax_minor" label="Tax" type="decimal" hint="Empty: none." />
        <TextField {...at} name="total_minor" label="Total" type="decimal" isRequired />
        <div class="buttons">
          <button type="submit" class="primary">
            Record it
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}

function SupplierForm({ view, refused }: FormProps) {
  const at = { form: supplierForm, refused }
  return (
    <Folded {...at} title="Add a supplier…">
      <PostForm {...at} view={view} action={`${path}/${supplierForm}`}>
        <TextField {...at} name="code" label="Code" isRequired />
        <TextField {...at} name="name" label="Name" isRequired />
        <TextField
          {...at}
          name="currency"
          label="Currency"
          hint="In which it bills, such as EUR."
          isRequired
        />
        <TextField {...at} name="tax_id" label="Tax id" />
        <div class="buttons">
          <button type="submit" class="primary">
            Add the supplier
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}
