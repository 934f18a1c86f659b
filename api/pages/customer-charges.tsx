import type { OneOffChargeRow } from '#db/read/one-off-charge.ts'
import { encodeId } from '#domain/identifier.ts'
import type { CustomerProps } from './customer.tsx'
import { Choice, Folded, PostForm, Refusal, TextField, Tick } from './form.tsx'
import { formatCount } from './format.ts'
import { Day, Empty, Section, Table } from './parts.tsx'
import { pricePerUnit } from './price.ts'

const chargeForm = 'charge'

/** The form in the row of a charge. */
export function withdrawForm(publicId: string): string {
  return `withdraw-${publicId}`
}

/** What the customer is charged once: waiting, on an invoice, or taken back. */
export function ChargesSection(props: CustomerProps) {
  const { view, content, refused } = props
  const { rows, isCut } = content.charges
  const address = `/customers/${encodeId('customer', content.row.id)}`
  const isWaiting = rows.some((row) => row.invoice_id === null && row.withdrawn_at === null && !row.is_text)
  const isOfRow = refused !== undefined && refused.form !== chargeForm && refused.form !== 'facts'
  return (
    <Section id="charges" title="One-off charges">
      {isOfRow && <Refusal refused={refused} />}
      {rows.length === 0 ? (
        <Empty>None. What is added here goes on the next invoice.</Empty>
      ) : (
        <Table
          caption="One-off charges"
          head={['For', { number: 'Quantity' }, { number: 'Price' }, 'From', 'Invoice']}
        >
          {rows.map((row) => (
            <Charge {...props} row={row} address={address} />
          ))}
        </Table>
      )}
      {isCut && <p class="hint">The newest {rows.length} are shown; the API lists all.</p>}
      <Folded form={chargeForm} refused={refused} title="Charge once…">
        <AddCharge {...props} address={address} />
      </Folded>
      {isWaiting && (
        <PostForm
          view={view}
          form="bill"
          refused={refused}
          action={`${address}/bill`}
          isInRow
          class="action-row"
        >
          <button type="submit">Bill what waits now</button>
          <span class="hint">On an invoice of its own, instead of the next one.</span>
        </PostForm>
      )}
    </Section>
  )
}

function Charge(props: CustomerProps & { row: OneOffChargeRow; address: string }) {
  const { view, row, refused, address } = props
  const publicId = encodeId('oneOffCharge', row.id)
  return (
    <tr class={row.withdrawn_at === null ? undefined : 'past'}>
      <th scope="row">
        {row.description}
        {row.reference !== null && <div class="hint">{row.reference}</div>}
      </th>
      <td class="number">{!row.is_text && formatCount(row.quantity, row.unit)}</td>
      <td class="number">{row.is_text ? 'text alone' : pricePerUnit(row, row.currency)}</td>
      <td>
        <Day date={row.charged_on} />
      </td>
      <td>
        {row.withdrawn_at !== null ? (
          'taken back'
        ) : row.invoice_id !== null ? (
          <a href={`/invoices/${encodeId('invoice', row.invoice_id)}`}>
            invoiced<span class="visually-hidden">: {row.description}</span>
          </a>
        ) : (
          <PostForm
            view={view}
            form={withdrawForm(publicId)}
            refused={refused}
            action={`${address}/withdraw-charge`}
            isInRow
          >
            <input type="hidden" name="charge" value={publicId} />
            <button type="submit">
              Take back<span class="visually-hidden"> {row.description}</span>
            </button>
          </PostForm>
        )}
      </td>
    </tr>
  )
}

function AddCharge({ view, content, refused, address }: CustomerProps & { address: string }) {
  const at = { form: chargeForm, refused }
  const open = content.subscriptions.rows.filter(({ phase }) => phase !== 'ended')
  return (
    <PostForm {...at} view={view} action={`${address}/one-off-charges`}>
      <TextField
        {...at}
        name="description"
        label="What for"
        hint="As it is printed; empty: the product’s name."
      />
      <Tick
        {...at}
        name="text"
        label="A text alone"
        hint="Nothing is charged: the text is printed on the next invoice of something. No price, no product."
        isTicked={false}
      />
      <TextField
        {...at}
        name="product"
        label="Product"
        list="products"
        hint="Code. It gives name, unit and price where none are said."
      />
      <datalist id="products">
        {content.products.map(({ code, name }) => (
          <option value={code}>{name}</option>
        ))}
      </datalist>
      <TextField {...at} name="quantity" label="Quantity" type="decimal" value="1" isRequired />
      <TextField
        {...at}
        name="unit_price"
        label={`Price of one, in ${content.row.currency}`}
        type="decimal"
      />
      <TextField {...at} name="unit" label="Unit" hint="Empty: the product’s, else piece." />
      <TextField
        {...at}
        name="tax_category"
        label="Tax category"
        hint="Empty: the product’s, else standard."
      />
      <TextField {...at} name="charged_on" label="Billed from" type="date" hint="Empty: today." />
      <TextField {...at} name="reference" label="Reference" hint="Printed with the line." />
      {open.length > 0 && (
        <Choice
          {...at}
          name="subscription"
          label="On the invoice of"
          value=""
          choices={[
            ['', 'the customer, the next one'],
            ...open.map(({ id, title }) => [encodeId('subscription', id), title] as const),
          ]}
        />
      )}
      <div class="buttons">
        <button type="submit" class="primary">
          Charge once
        </button>
      </div>
    </PostForm>
  )
}
