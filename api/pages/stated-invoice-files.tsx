import type { Tx } from '#db/database.ts'
import type { SupplierRow } from '#db/read/supplier.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { carryOutImport } from '../routes/stated-invoices.ts'
import { importedInvoiceSchema, supplierInvoiceCsvSchema } from '../schemas/stated-invoice.ts'
import { importSupplierInvoices } from '../supplier-invoice-csv.ts'
import { parse } from '../validation.ts'
import type { ConsoleView } from './console-page.tsx'
import { Choice, Folded, PostForm, TextArea, type RefusedInput } from './form.tsx'
import { saidOf, type SentForm } from './row-form.ts'

const path = '/payables'
/** A form may be 1 MiB on its way, on which some characters take three bytes. Larger files are sent by a command. */
const greatestLength = 300_000

/** Files of suppliers that are no installations, pasted into the page of what is owed: where each leads once it is recorded. */
export const statedInvoiceFileForms = { ubl: recordUbl, csv: recordCsv } as const

async function recordUbl(tx: Tx, { values, actor, now }: SentForm): Promise<string> {
  const { ubl, ...said } = saidOf(values)
  // A browser sends each line with the ending that forms have.
  const body = parse(importedInvoiceSchema, { ...said, ubl: ubl?.replaceAll('\r\n', '\n') }, 'body')
  const id = await besideFile('ubl', async () => await carryOutImport(tx, body, { actor, now }))
  return `/supplier-invoices/${encodeId('supplierInvoice', id)}`
}

async function recordCsv(tx: Tx, { values, actor, now }: SentForm): Promise<string> {
  const { csv } = parse(supplierInvoiceCsvSchema, saidOf(values), 'body')
  await besideFile(
    'csv',
    async () => await importSupplierInvoices(tx, { csv, isDryRun: false }, { actor, now }),
  )
  return path
}

/** No field of a form is a cell of a file: what is wrong inside of it is told beside it, with its place. */
async function besideFile<T>(name: 'csv' | 'ubl', record: () => Promise<T>): Promise<T> {
  try {
    return await record()
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    const { code, message } = error
    const inside = error.fields.filter(({ pointer }) => pointer !== '/supplier')
    if (inside.length === 0) throw error
    const detail = inside
      .map((field) => [placeOf(name, field.pointer), field.detail].filter((text) => text !== '').join(': '))
      .join(' ')
    throw new BusinessError(code, message, {
      fields: [
        ...error.fields.filter(({ pointer }) => pointer === '/supplier'),
        { pointer: `/${name}`, code, detail },
      ],
      cause: error,
    })
  }
}

/** @example `/csv/3/amount` is row 3, amount */
function placeOf(name: string, pointer: string): string {
  const parts = pointer.split('/').filter((part) => part !== '' && part !== name)
  return parts.length > 0 && name === 'csv' ? `Row ${parts.join(', ')}` : parts.join(' ')
}

interface FileFormProps {
  readonly view: ConsoleView
  readonly refused: RefusedInput | undefined
}

export function UblForm({ view, refused, suppliers }: FileFormProps & { suppliers: readonly SupplierRow[] }) {
  const at = { form: 'ubl', refused }
  const choices = suppliers.map((row) => [row.code, `${row.name}, ${row.currency}`] as const)
  return (
    <Folded {...at} title="Record a supplier’s e-invoice…">
      <PostForm {...at} view={view} action={`${path}/ubl`}>
        <Choice {...at} name="supplier" label="Supplier" choices={choices} />
        <TextArea
          {...at}
          name="ubl"
          label="The e-invoice"
          hint="UBL 2.1, an Invoice or a CreditNote, pasted whole. It is kept."
          value={null}
          greatestLength={greatestLength}
          isRequired
        />
        <div class="buttons">
          <button type="submit" class="primary">
            Record the e-invoice
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}

export function CsvForm({ view, refused }: FileFormProps) {
  const at = { form: 'csv', refused }
  return (
    <Folded {...at} title="Record a CSV file…">
      <PostForm {...at} view={view} action={`${path}/csv`}>
        <TextArea
          {...at}
          name="csv"
          label="The file"
          hint="A row for each line of a document, below supplier,number,issued_on,description,amount: all of it is recorded, or nothing."
          value={null}
          greatestLength={greatestLength}
          isRequired
        />
        <div class="buttons">
          <button type="submit" class="primary">
            Record all of it
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}
