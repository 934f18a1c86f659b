import type { TaxIdCheckRow } from '#db/read/tax-id-check.ts'
import { encodeId } from '#domain/identifier.ts'
import type { CustomerProps } from './customer.tsx'
import { PostForm, TextArea, TextField, Tick } from './form.tsx'
import { Section } from './parts.tsx'
import { Saved } from './settings-frame.tsx'

/** What decides the tax, and what is printed. */
export function FactsSection(props: CustomerProps) {
  const { view, content, saved, refused } = props
  const at = { form: 'facts', refused }
  return (
    <Section id="facts" title="Facts for tax and documents">
      <Saved isSaved={saved === 'facts' && refused === undefined}>
        Saved. Finalized documents keep what they were made with.
      </Saved>
      <PostForm {...at} view={view} action={`/customers/${encodeId('customer', content.row.id)}/facts`}>
        <PrintedFields {...props} />
        <TaxFields {...props} />
        <div class="buttons">
          <button type="submit" class="primary">
            Save<span class="visually-hidden"> the facts</span>
          </button>
        </div>
      </PostForm>
    </Section>
  )
}

function PrintedFields({ content: { row }, refused }: CustomerProps) {
  const at = { form: 'facts', refused }
  return (
    <>
      <TextField {...at} name="name" label="Name" value={row.name} isRequired />
      <TextField
        {...at}
        name="external_id"
        label="External id"
        value={row.external_id}
        hint="By which another system knows the customer; in addresses ext: stands before it."
      />
      <TextField {...at} name="email" label="Email" type="email" value={row.email} />
      <TextArea {...at} name="address" label="Address" value={row.address} />
      <TextField
        {...at}
        name="payer"
        label="Paid by"
        value={row.payer_code}
        hint="Code of the customer to whom documents go; empty: to this one."
      />
      <TextField
        {...at}
        name="buyer_reference"
        label="Buyer reference"
        value={row.buyer_reference}
        hint="Printed on each document."
      />
      <TextArea {...at} name="invoice_note" label="Note on each document" value={row.invoice_note} />
      <TextField
        {...at}
        name="language"
        label="Language"
        value={row.language}
        hint="Of what is printed: two letters."
        isRequired
      />
      <Tick
        {...at}
        name="splits_by_purchase_order"
        label="An invoice for each purchase order"
        isTicked={row.splits_by_purchase_order}
      />
    </>
  )
}

function TaxFields({ content: { row, taxIdCheck }, refused }: CustomerProps) {
  const at = { form: 'facts', refused }
  return (
    <>
      <TextField
        {...at}
        name="country"
        label="Country"
        value={row.country}
        hint="Two letters. Without one no tax is charged."
      />
      <TextField {...at} name="region" label="Region" value={row.region} />
      <Tick {...at} name="is_business" label="Is a business" isTicked={row.is_business} />
      <TextField
        {...at}
        name="tax_id"
        label="Tax id"
        value={row.tax_id}
        hint={taxIdCheck && sayCheck(taxIdCheck)}
      />
      <Tick
        {...at}
        name="is_tax_id_verified"
        label="The tax id was found in its register"
        isTicked={row.tax_id_verified_at !== null}
        hint="Not found means taxed. Another tax id has to be looked up again."
      />
      <TextField
        {...at}
        name="tax_exemption"
        label="Exempt, because"
        value={row.tax_exemption}
        hint="As it is printed; empty: not exempt."
      />
    </>
  )
}

const answers = {
  valid: 'The register confirmed it',
  invalid: 'The register does not know it',
  unreachable: 'The register was not reached',
} as const

function sayCheck({ answer, checked_at: at, consultation_number: number, failure }: TaxIdCheckRow): string {
  const proof = number === null ? '' : `, consultation ${number}`
  return `${answers[answer]} on ${at.slice(0, 10)}${proof}${failure === null ? '' : `: ${failure}`}.`
}
