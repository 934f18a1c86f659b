import { BusinessError } from './errors.ts'

/**
 * Public identifiers: the kind, an underscore, and the 128 bits of a UUID version 7 in Crockford's base 32, 26
 * characters that sort by time (the TypeID format). Rows hold the UUID; addresses, workflow ids, labels and people
 * use this form, so that an id of the wrong kind is seen at once.
 */
const prefixes = {
  announcement: 'ann',
  application: 'app',
  apiKey: 'key',
  backup: 'bak',
  billingRun: 'run',
  buildOrder: 'bo',
  buildStep: 'step',
  changeRequest: 'chg',
  customer: 'cus',
  dataSource: 'dsrc',
  deployer: 'dep',
  deployment: 'dpl',
  discount: 'dis',
  dispute: 'dsp',
  document: 'doc',
  environment: 'env',
  event: 'evt',
  exchangeRate: 'fx',
  expenseCategory: 'exp',
  finding: 'fnd',
  installation: 'ins',
  instance: 'inst',
  invoice: 'inv',
  invoiceLine: 'il',
  kit: 'kit',
  link: 'lnk',
  lostDocument: 'lost',
  metric: 'met',
  missingSupplierInvoice: 'smis',
  oneOffCharge: 'oof',
  order: 'ord',
  paymentRequest: 'pay',
  peer: 'peer',
  portalSession: 'pses',
  priceList: 'pl',
  priceListItem: 'pli',
  product: 'prod',
  proof: 'prf',
  refusedUsageEvent: 'ref',
  registry: 'reg',
  restore: 'rst',
  server: 'srv',
  subscription: 'sub',
  subscriptionLine: 'line',
  subscriptionTemplate: 'tpl',
  supplier: 'sup',
  supplierInvoice: 'sinv',
  supplierPayment: 'spay',
  supplierSubscription: 'ssub',
  task: 'task',
  taxRate: 'tax',
  testClock: 'clk',
  unitReservation: 'unit',
  usageEvent: 'use',
  usageWarning: 'uwn',
  usageWindow: 'win',
  waitingChange: 'wch',
  webhook: 'whk',
} as const

export type IdentifierKind = keyof typeof prefixes

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
/** Of each character code, its value; -1 where it is none of the alphabet. */
const digits = Array.from({ length: 128 }, (_, code) => alphabet.indexOf(String.fromCodePoint(code)))
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** `sub_01kb…` for a subscription's UUID. */
export function encodeId(kind: IdentifierKind, uuid: string): string {
  if (!uuidPattern.test(uuid)) throw new Error(`not a uuid: ${uuid}`)
  let rest = BigInt(`0x${uuid.replaceAll('-', '')}`)
  let text = ''
  for (let position = 0; position < 26; position += 1) {
    text = `${alphabet[Number(rest & 31n)]}${text}`
    rest >>= 5n
  }
  return `${prefixes[kind]}_${text}`
}

/**
 * The UUID behind a public id.
 * @throws `id_kind_mismatch` for an id of another kind, `not_found` for what is no id at all
 */
export function decodeId(kind: IdentifierKind, text: string): string {
  const [, prefix, code] = /^([a-z]+)_([0-9a-z]{26})$/.exec(text) ?? []
  if (prefix === undefined || code === undefined) {
    throw new BusinessError(
      'not_found',
      `${text} is not an id. Ids of this kind look like ${prefixes[kind]}_01kb….`,
    )
  }
  if (prefix !== prefixes[kind]) {
    throw new BusinessError(
      'id_kind_mismatch',
      `${text} is not the id of a ${kind}; those begin with ${prefixes[kind]}_.`,
    )
  }
  return decodeUuid(code, text)
}

function decodeUuid(code: string, text: string): string {
  // 26 digits hold 130 bits: the first may use three of its five.
  let hex = ''
  let held = 0
  let heldBits = -2
  for (let position = 0; position < code.length; position += 1) {
    const digit = digits[code.charCodeAt(position)] ?? -1
    if (digit < 0 || (position === 0 && digit > 7))
      throw new BusinessError('not_found', `${text} is not an id.`)
    held = ((held & 0b1111) << 5) | digit
    heldBits += 5
    while (heldBits >= 4) {
      heldBits -= 4
      hex += ((held >> heldBits) & 0b1111).toString(16)
    }
  }
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
