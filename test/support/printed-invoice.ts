import type { InvoiceFacts, LineFacts } from '#documents/invoice-facts.ts'

/** A line of one month of a service at 24.95. */
export const someLine: LineFacts = {
  description: 'Odoo User',
  context: ['Odoo, 5 users', 'odoo-1'],
  isCredit: false,
  isLate: false,
  servicePeriod: { start: '2026-03-01', end: '2026-04-01' },
  quantity: '5',
  unit: 'user',
  unitPrice: '24.95',
  parts: [],
  discountMinor: 0,
  taxPercent: '19',
  amountMinor: 12_475,
}

/** An invoice of a German seller to a French buyer: 124.75 and 19 % tax. */
export const someInvoice: InvoiceFacts = {
  kind: 'invoice',
  number: 'INV-2026-00042',
  testClock: null,
  currency: 'EUR',
  issuedOn: '2026-03-31',
  seller: {
    name: 'Clouder Hosting GmbH',
    address: 'Hafenstraße 12\n20457 Hamburg',
    country: 'DE',
    taxId: 'DE123456789',
    registration: 'HRB 12345, Hamburg',
    email: 'billing@clouder.example',
    bankAccount: { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', name: 'Clouder Hosting GmbH' },
  },
  buyer: {
    name: 'Boulangerie du Port',
    address: '1 Quai des Brumes\n76600 Le Havre',
    country: 'FR',
    taxId: 'FR40303265045',
    registration: null,
    email: 'compta@boulangerie.example',
  },
  servedCustomer: null,
  purchaseOrder: 'PO-7731',
  buyerReference: 'K. Müller (IT)',
  correctedNumber: null,
  isTaxIncluded: false,
  lines: [someLine],
  taxes: [
    { category: 'standard', name: 'USt', percent: '19', baseMinor: 12_475, taxMinor: 2370, note: null },
  ],
  netMinor: 12_475,
  taxMinor: 2370,
  totalMinor: 14_845,
  prepaidUsedMinor: 0,
  balanceUsedMinor: 0,
  dues: [{ dueOn: '2026-04-14', amountMinor: 14_845 }],
  taxInSellerCurrency: null,
  notes: [],
}
