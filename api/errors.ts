import { BusinessError, type ErrorCode, type FieldError } from '#domain/errors.ts'

export type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 503

export interface NextAction {
  readonly title: string
  readonly href: string
}

/** What the world is told of a code: its status, its title, and what to do about it. */
export interface ProblemKind {
  readonly status: ProblemStatus
  readonly title: string
  readonly remedy: string
  readonly nextActions?: readonly NextAction[]
}

const seeProducts: readonly NextAction[] = [
  { title: 'List products', href: '/v1/products' },
  { title: 'List kits', href: '/v1/kits' },
]
const seeReference: readonly NextAction[] = [{ title: 'Read the API documentation', href: '/docs' }]
const seeHealth: readonly NextAction[] = [{ title: 'See what is ready', href: '/readyz?verbose' }]
const seeTasks: readonly NextAction[] = [{ title: 'List open tasks', href: '/v1/tasks' }]

/** The one table from a code to its HTTP status. No other file maps errors. */
export const problemKinds: Readonly<Record<ErrorCode, ProblemKind>> = {
  action_not_allowed: kind(
    409,
    'Not possible in this phase',
    'Read the subscription: allowed_actions lists what can be asked of it now.',
  ),
  addon_not_available: kind(
    422,
    'It cannot be added to the subscription',
    'Order an add-on with what it is sold beside; other products by themselves, or change the quantity of the line there is.',
    seeProducts,
  ),
  already_linked: kind(
    409,
    'It belongs to an instance already',
    'Name another group of containers, or end the subscription that has this one.',
  ),
  already_reversed: kind(
    409,
    'The event was reversed already',
    'An event is reversed once. Push what should count besides as an event of its own.',
  ),
  amount_too_large: kind(
    422,
    'An amount is larger than can be billed',
    'Correct what it is made of: usage that was pushed in another unit is taken back by a reversing event; or the price.',
    seeTasks,
  ),
  application_refused: kind(
    422,
    'The application asks for what is not allowed',
    'Remove what the detail lists from the compose file.',
    seeReference,
  ),
  application_unknown: kind(422, 'There is no such application', 'Use the code or id of one that exists.', [
    { title: 'List applications', href: '/v1/applications' },
  ]),
  backup_expired: kind(
    409,
    'The backup is not kept any more',
    'What it held is gone. Order it again, to begin with nothing.',
    [{ title: 'List backups', href: '/v1/backups' }],
  ),
  backup_failed: kind(
    409,
    'The volumes could not be saved',
    'Nothing was removed. Remove the cause that the detail names, then retry the unbuild.',
    seeTasks,
  ),
  backup_not_restorable: kind(
    422,
    'The backup cannot be restored with this order',
    'Order the product of the backup for its customer, while the backup is kept.',
    [{ title: 'List backups', href: '/v1/backups' }],
  ),
  before_last_billed_day: kind(
    409,
    'The line was billed for longer',
    'Choose the day after the last billed one, or a later day; the detail names it.',
  ),
  below_current_use: kind(
    409,
    'More is used than would be sold',
    'Free what the detail names in the application first, then change the quantity.',
  ),
  billed_elsewhere: kind(
    409,
    'Another system bills it',
    'Charge it where the subscription is billed: nothing of it is ever invoiced here.',
  ),
  billing_timing_invalid: kind(
    422,
    'The billing timing does not fit',
    'Use advance or arrears; usage is always billed in arrears.',
  ),
  billing_type_invalid: kind(422, 'Not a billing type', 'Use flat, usage or threshold.'),
  body_too_large: kind(413, 'The body is too large', 'Send at most 1 MiB in one request.'),
  build_not_retryable: kind(
    409,
    'The build cannot be retried',
    'Only a build that failed for good and whose subscription still waits for it is retried.',
    seeTasks,
  ),
  change_not_allowed: kind(
    409,
    'The product rules the change out',
    'Ask the seller, or order the other product beside it.',
  ),
  change_not_waiting: kind(
    409,
    'The change does not wait any more',
    'Read the subscription: it was made, withdrawn, or another took its place.',
  ),
  change_request_decided: kind(
    409,
    'The request was decided already',
    'Read it: it says who applied or refused it, and why. Ask anew for another change.',
  ),
  change_requested_already: kind(
    409,
    'A change of this line waits already',
    'Wait until it was applied or refused, then ask again.',
  ),
  charge_billed: kind(
    409,
    'The charge is on a finalized invoice',
    'Credit the invoice instead; only a charge that waits is withdrawn.',
  ),
  clock_backwards: kind(422, 'A test clock never goes back', 'Advance it to a later instant.'),
  clock_too_far: kind(422, 'Too far for one step', 'Advance the clock in smaller steps.'),
  clock_unknown: kind(422, 'There is no such test clock', 'Use the id of one that exists.', [
    { title: 'List test clocks', href: '/v1/test-clocks' },
  ]),
  code_taken: kind(409, 'The code is taken', 'Choose another code: each is used once per kind.'),
  command_failed: kind(
    409,
    'The command was not carried out',
    'The detail says what is known. Look at the instance before you ask again, under another Idempotency-Key.',
  ),
  container_exited: kind(
    409,
    'A container stopped by itself',
    'Read its log on the server, remove the cause, retry the build.',
    seeTasks,
  ),
  credentials_ambiguous: kind(
    400,
    'A cookie and a key at once',
    'Send either the session cookie or the API key, never both.',
  ),
  credit_exceeds_invoice: kind(
    409,
    'More than is left of the invoice',
    'Read the invoice and its credit notes; credit at most what is left of each line.',
  ),
  csv_malformed: kind(
    422,
    'The file is not read as CSV',
    'Send CSV in UTF-8 with commas, the names of the columns in its first row, and quotes that are closed.',
  ),
  currency_mismatch: kind(
    422,
    'Another currency than agreed',
    'Order in the currency of the customer’s price list.',
  ),
  currency_unknown: kind(422, 'Not a known currency', 'Use a code of ISO 4217 such as EUR or USD.'),
  customer_limit_reached: kind(
    422,
    'The customer has as many as one can have',
    'Order fewer, or raise the limit of the product: PATCH /v1/products/{id}/stock.',
    seeProducts,
  ),
  customer_unknown: kind(422, 'There is no such customer', 'Use the code or id of one that exists.', [
    { title: 'List customers', href: '/v1/customers' },
  ]),
  database_unreachable: kind(
    503,
    'The database does not answer',
    'Nothing was changed. Try again in a moment with the same Idempotency-Key.',
    seeHealth,
  ),
  data_source_refused: kind(
    422,
    'The data source is at no address that is spoken to',
    'Use a public address, or have the ranges of CLOUDER_DATA_SOURCE_RANGES widened where the server’s worker is started.',
  ),
  data_source_unknown: kind(
    422,
    'There is no such data source',
    'Give it first, or name one that there is.',
    [{ title: 'List data sources', href: '/v1/data-sources' }],
  ),
  date_range_invalid: kind(422, 'The dates are in the wrong order', 'The end must come after the start.'),
  dependency_cycle: kind(
    422,
    'Applications bring each other',
    'Take one of the children out of its application’s file, then import it again.',
  ),
  deployed_elsewhere: kind(
    409,
    'It is deployed elsewhere, where nobody would be told',
    'Change it at the deployer that the detail names, or order what is wanted anew and cancel this one. Prices are changed here.',
    [{ title: 'List deployers', href: '/v1/deployers' }],
  ),
  deployer_refuses: kind(
    409,
    'The deployer refuses',
    'Read what it says, put that right here or over there, then retry.',
  ),
  discount_code_unknown: kind(
    422,
    'There is no such discount code',
    'Check its spelling and its dates, and whether it is for what is ordered.',
  ),
  discount_code_used_up: kind(422, 'The discount code is used up', 'Order without it, or use another one.'),
  discount_invalid: kind(422, 'The discount is not valid', 'Use 0 to 100 percent, or an amount above 0.'),
  dispute_closed: kind(
    409,
    'The dispute is answered or withdrawn already',
    'Read the dispute. What is still wrong with the document is said in a new one.',
  ),
  dispute_not_ours: kind(
    409,
    'That is for the other side to do',
    'Who raised a dispute may withdraw it; whose document it is, answers it.',
  ),
  dispute_open: kind(
    409,
    'It is disputed already',
    'Wait for the answer, or withdraw the dispute there is and raise another.',
    [{ title: 'List disputes', href: '/v1/disputes' }],
  ),
  dispute_unreachable: kind(
    409,
    'The supplier has no installation that could be told',
    'Tell the supplier by other means; disputes go to peers that are paired with.',
  ),
  document_number_taken: kind(
    409,
    'The supplier’s number is recorded already',
    'Read the one that there is: GET /v1/supplier-invoices. What was misread is voided and recorded anew; a wrong one is corrected by a credit note of the supplier.',
  ),
  event_values_missing: kind(
    409,
    'The values of the events are missing',
    'A price with a least or greatest amount per event is billed from events that carry their value.',
  ),
  exchange_rate_missing: kind(
    422,
    'No exchange rate is known',
    'Record a rate for the currencies and the day that the detail names.',
  ),
  expense_category_unknown: kind(
    422,
    'There is no such expense category',
    'Use the code or id of one that is in use: GET /v1/expense-categories.',
  ),
  external_id_taken: kind(
    409,
    'The external id is taken',
    'Choose another one: each is used once per kind. Address what has it as ext: and the external id.',
  ),
  feature_unknown: kind(
    404,
    'There is no such feature',
    'Use the code of a feature that a product has.',
    seeProducts,
  ),
  field_invalid: kind(422, 'A field is not valid', 'Correct the fields that errors lists.', seeReference),
  field_required: kind(422, 'A field is missing', 'Add the fields that errors lists.', seeReference),
  formula_invalid: kind(
    422,
    'The formula cannot be used',
    'Use numbers, the named values, + - * / %, comparisons and min, max, round, floor, ceil, abs.',
    seeReference,
  ),
  formula_not_allowed: kind(
    422,
    'The formula asks for what is not allowed',
    'A formula sees the named values and nothing else.',
    seeReference,
  ),
  formula_too_expensive: kind(422, 'The formula is too expensive', 'Write it shorter and flatter.'),
  grid_bounds_unstated: kind(
    422,
    'The grid does not say what its bounds are',
    'State bounds: lower or upper.',
  ),
  id_kind_mismatch: kind(
    400,
    'An id of another kind',
    'Ids carry their kind: use one with the prefix that the detail names.',
  ),
  idempotency_key_in_use: kind(
    409,
    'The same request is still running',
    'Wait a moment and send it again with the same Idempotency-Key.',
  ),
  idempotency_key_invalid: kind(
    400,
    'The Idempotency-Key is not valid',
    'Use 1 to 255 visible ASCII characters, for example a UUID.',
  ),
  idempotency_key_missing: kind(
    400,
    'The Idempotency-Key is missing',
    'Send a fresh Idempotency-Key with every POST and the same one when you send it again.',
  ),
  idempotency_key_reused: kind(
    422,
    'The Idempotency-Key belongs to another request',
    'Use a fresh key for another request.',
  ),
  image_changed: kind(
    409,
    'A container runs another image than was built',
    'Have it made as it was built: POST /v1/instances/{id}/repair.',
    seeTasks,
  ),
  image_gone: kind(
    409,
    'The image that was running is gone',
    'Load it on the server, or put it back into its registry, then retry. Nothing else is run in its place.',
    seeTasks,
  ),
  image_unknown: kind(
    409,
    'The image does not exist',
    'Correct the image’s name, retry the build.',
    seeTasks,
  ),
  image_unreachable: kind(
    409,
    'The registry does not answer',
    'Make the registry reachable from the server, retry the build.',
    seeTasks,
  ),
  in_use: kind(
    409,
    'It is in use',
    'Archive it instead: what uses it goes on, and nothing new does. A price list item is withdrawn from a day on.',
  ),
  internal_error: kind(
    500,
    'Something went wrong on our side',
    'Try again with the same Idempotency-Key. If it stays, give an operator the request id.',
    seeHealth,
  ),
  invitation_expired: kind(
    410,
    'The invitation has expired',
    'Ask the other operator for a new one: npx clouder peers invite.',
  ),
  invitation_invalid: kind(
    422,
    'This is no invitation',
    'Paste it whole, as the other installation showed it.',
  ),
  invitation_unknown: kind(404, 'The invitation is not known', 'Ask the other operator for a new one.'),
  invitation_used: kind(
    409,
    'The invitation was used',
    'Ask the other operator for a new one; each is used once.',
  ),
  invoice_empty: kind(
    409,
    'There is nothing to invoice',
    'Add a one-off charge, or wait for the end of the period.',
  ),
  invoice_field_missing: kind(
    409,
    'The document would lack what the law asks for',
    'Add the fields that the detail names to the seller or the customer. What was parked is billed by the next billing run.',
    [
      { title: 'Read the seller', href: '/v1/seller' },
      { title: 'List customers', href: '/v1/customers' },
    ],
  ),
  invoice_finalized: kind(
    409,
    'A finalized document never changes',
    'Correct it with a credit note instead.',
  ),
  invoice_too_long: kind(
    409,
    'The document is too long for a PDF',
    'Open its page and print that, or read its lines through the API.',
  ),
  json_malformed: kind(400, 'The body is not JSON', 'Send one JSON value in UTF-8.', seeReference),
  key_invalid: kind(
    401,
    'The API key is not valid',
    'Check for a truncated, expired or revoked key; send it as Authorization: Bearer ck_….',
  ),
  kit_cycle: kind(422, 'A kit contains itself', 'Remove the component that leads back to the kit.'),
  kit_too_deep: kind(422, 'Kits are nested too deeply', 'Use at most five levels.'),
  limit_not_enforceable: kind(
    409,
    'Nothing enforces this limit as it is sold',
    'Sell it as the application can hold it, soft at least, or let the application state how it is held.',
    seeTasks,
  ),
  limit_not_in_force: kind(
    409,
    'The instance did not take the limit',
    'Read the log of the command, remove the cause, retry.',
    seeTasks,
  ),
  limit_reached: kind(
    409,
    'The limit is reached',
    'Release what is not needed, or sell more: change the quantity of the line.',
    seeTasks,
  ),
  limit_unknown: kind(
    422,
    'The application has no such limit',
    'Use the code of a limit that the application declares.',
  ),
  link_cycle: kind(
    422,
    'The links lead back to where they begin',
    'Name another target for one of them, or let one be optional in its application.',
  ),
  link_expired: kind(
    410,
    'The link is used up or too old',
    'Start Clouder again: npm start prints a new one, at every start.',
  ),
  link_missing: kind(
    422,
    'Something that it needs is not on offer',
    'Order an application with it that offers this kind, or name the instance that does.',
    [{ title: 'List instances', href: '/v1/instances' }],
  ),
  login_not_offered: kind(
    409,
    'The application has no login for links',
    'Log in with its own user and password.',
  ),
  login_required: kind(
    401,
    'Nobody is signed in',
    'Send an API key as Authorization: Bearer ck_…, or open a login link: npm start prints one at every start.',
    seeReference,
  ),
  media_type_unsupported: kind(415, 'Not the right kind of body', 'Send Content-Type: application/json.'),
  metric_archived: kind(
    422,
    'The metric is archived',
    'Name a metric that is not archived, or unarchive this one.',
    [{ title: 'List shared metrics', href: '/v1/metrics' }],
  ),
  metric_unknown: kind(
    422,
    'There is no such metric',
    'Use the code of a metric that the subscription meters.',
  ),
  name_invalid: kind(
    422,
    'Not a name for an environment',
    'Use 1 to 40 lower case letters, digits and hyphens; begin with a letter, and do not end with a hyphen.',
  ),
  name_taken: kind(409, 'The name is taken', 'Choose another name for the environment.'),
  name_taken_on_server: kind(
    409,
    'The name is taken on the server',
    'Something that is not ours has this name. Remove or rename it, retry the build.',
    seeTasks,
  ),
  no_refund_due: kind(
    409,
    'Nothing waits to be sent back',
    'Read the order: it keeps its money, or it was sent already.',
  ),
  no_server_for_application: kind(
    409,
    'No server fits',
    'The detail says of every server why not. Add a server, let one offer more, or end what is not needed.',
    [{ title: 'List servers', href: '/v1/servers' }],
  ),
  not_a_credit: kind(
    422,
    'Nothing is credited by it',
    'Name a credit note of the supplier: GET /v1/supplier-invoices lists them with what is left of each.',
  ),
  not_an_invoice: kind(
    409,
    'It corrects an invoice',
    'What corrects an invoice is not voided or credited, and a credit note is not paid; use the invoice that it corrects.',
  ),
  not_credited: kind(
    409,
    'The invoice is not fully credited',
    'Void it first: what still stands would be billed twice.',
  ),
  not_finalized: kind(409, 'The document is still a draft', 'Finalize it first, or read its preview.'),
  not_found: kind(404, 'Not found', 'Check the address and the id.', seeReference),
  not_ready_in_time: kind(
    409,
    'The application did not become ready',
    'Read its log on the server, remove the cause, retry the build.',
    seeTasks,
  ),
  nothing_to_pay: kind(409, 'Nothing is left to pay', 'Read the invoice: it is paid, credited or void.'),
  number_pattern_ambiguous: kind(
    422,
    'The pattern could give a number twice',
    'Use {series} and {number} once each with a sign between them, and {year} where numbers begin anew each year.',
  ),
  offer_in_use: kind(409, 'Others are linked to it and need it', 'Cancel what needs it first.', [
    { title: 'List links', href: '/v1/links' },
  ]),
  order_active: kind(
    409,
    'Something of the order is active',
    'Cancel its subscriptions instead, each at the end of what is paid or now.',
  ),
  order_empty: kind(422, 'The order has no lines', 'Add at least one line.', seeProducts),
  order_ended: kind(
    409,
    'The order has ended',
    'It was cancelled, refused or has expired. Place another order.',
  ),
  order_not_draft: kind(409, 'The order is not a draft', 'Only a draft can be changed; place another order.'),
  order_not_held: kind(
    409,
    'The order does not wait for that',
    'Read the order: waits_for lists what it waits for now, and until when.',
  ),
  order_too_large: kind(
    422,
    'The order is too large',
    'Split it: one order makes at most 100 subscriptions.',
  ),
  origin_refused: kind(
    403,
    'The request did not come from our own page',
    'Open the page again and send the form from there.',
  ),
  out_of_stock: kind(
    409,
    'There are not so many left',
    'Order fewer, or wait: the detail says how many are left.',
    seeProducts,
  ),
  paid_in_future: kind(
    422,
    'It cannot have been paid yet',
    'Record a payment once it was made, with the day on which it was.',
  ),
  payer_invalid: kind(
    422,
    'This customer cannot pay for that one',
    'Name another customer, for whom nobody else pays.',
  ),
  payment_exceeds_invoice: kind(
    409,
    'More than is left to pay',
    'Record at most what is left of the invoice, and the rest on another one.',
  ),
  payment_not_as_requested: kind(
    422,
    'Not the amount that was asked for',
    'Record all of it once it is there; send back what is too much or too little.',
  ),
  payment_request_closed: kind(
    409,
    'The payment request is not open any more',
    'It was paid, has expired or was closed. Send the money back, or place another order.',
  ),
  payment_reversed: kind(
    409,
    'The payment was taken back already',
    'A payment is taken back once, as a whole. Record what was paid besides as a payment of its own.',
  ),
  peer_audience_wrong: kind(
    422,
    'The message is for another installation',
    'Send it to the installation that it names.',
  ),
  peer_cycle: kind(
    409,
    'That would close a circle of installations',
    'Nobody is billed by whom it bills, directly or through others. Close a peer of the circle first.',
  ),
  peer_document_conflict: kind(
    409,
    'A document came again with another content',
    'Settle with the other side which of the two holds, then resume the peer.',
  ),
  peer_halted: kind(
    409,
    'The peer is halted',
    'Settle with the other side what halted it, then resume the peer: POST /v1/peers/{id}/resume.',
  ),
  peer_is_own: kind(
    422,
    'An installation is no peer of itself',
    'Accept the invitation in the other installation.',
  ),
  peer_kind_refused: kind(
    422,
    'A message of this kind is not taken of this peer',
    'Bring both installations up to date; see who of the two bills the other.',
  ),
  peer_message_expired: kind(
    401,
    'The message is of another time',
    'Set both clocks right; the message is signed anew by itself.',
  ),
  peer_message_repeated: kind(
    401,
    'The message was received before',
    'It is signed anew by itself when it is sent again.',
  ),
  peer_messages_wait: kind(
    409,
    'Messages wait for the peer',
    'See why it does not answer, then retry; or skip the step, and it ends without them.',
  ),
  peer_refuses: kind(
    409,
    'The other installation refuses',
    'Read what it says, settle it there, then resume the peer.',
  ),
  peer_sequence_gap: kind(
    409,
    'A message before this one is missing',
    'Send what comes after the last that was taken. It is tried again by itself.',
  ),
  peer_signature_refused: kind(
    401,
    'The message is not signed by the peer',
    'Compare the fingerprints of the keys on both sides.',
  ),
  peer_taken: kind(409, 'There is such a peer already', 'Close the peer that there is, or use that one.'),
  peer_unknown: kind(404, 'There is no such peer', 'Pair the two installations: npx clouder peers invite.'),
  peer_unreachable: kind(
    503,
    'The other installation does not answer',
    'Ask again once it is reached: what waits for it is sent by itself then.',
  ),
  peer_url_refused: kind(
    422,
    'This address is not spoken to',
    'Give both installations an address with TLS: CLOUDER_PUBLIC_URL.',
  ),
  peer_version_unknown: kind(
    422,
    'The message is newer than this installation',
    'Bring this installation up to date, then resume the peer.',
  ),
  phases_invalid: kind(
    422,
    'The phases do not follow each other',
    'Give at least one phase, and a length to each but the last.',
  ),
  placeholder_unknown: kind(
    422,
    'The text holds a placeholder that is not known',
    'Use one that the detail lists, or leave out the braces.',
  ),
  port_taken_on_server: kind(
    409,
    'The port is taken on the server',
    'Free the port that the detail names, retry the build.',
    seeTasks,
  ),
  ports_exhausted: kind(409, 'The server has no free port', 'Widen its range of ports, or add a server.', [
    { title: 'List servers', href: '/v1/servers' },
  ]),
  prefix_fixed: kind(
    409,
    'The prefix is in use and fixed',
    'It begins the names of what is on servers. Change the name; order into a new environment for another prefix.',
  ),
  prefix_taken: kind(409, 'The prefix is taken', 'Choose another prefix for the environment.'),
  price_changed: kind(
    409,
    'The price is another one than was seen',
    'Preview the order again, and order what that shows.',
  ),
  price_list_cycle: kind(
    422,
    'The price list refers back to itself',
    'Let one of the items that the detail names refer to the base price.',
  ),
  price_list_unknown: kind(422, 'There is no such price list', 'Use the code or id of one that exists.', [
    { title: 'List price lists', href: '/v1/price-lists' },
  ]),
  price_missing_in_currency: kind(
    422,
    'There is no price in this currency',
    'Add the product to a price list in that currency.',
  ),
  price_negative: kind(422, 'A price is negative', 'Use 0 or more.'),
  product_archived: kind(422, 'No longer sold', 'Choose a product or kit that is not archived.', seeProducts),
  product_builds_here: kind(
    409,
    'The product builds something here',
    'A product is deployed here or elsewhere: sell another one for what a deployer deploys.',
  ),
  product_hidden: kind(
    422,
    'Not sold in the shop',
    'Choose a product or kit that is not hidden.',
    seeProducts,
  ),
  product_unknown: kind(
    422,
    'There is no such product or kit',
    'Use the code or id of one that exists.',
    seeProducts,
  ),
  quantity_invalid: kind(422, 'The quantity is not valid', 'Use a number above 0.'),
  quantity_negative: kind(
    422,
    'A quantity is less than 0',
    'Correct it; where a formula gives it, the formula or the values that it uses.',
    seeTasks,
  ),
  quantity_not_whole: kind(422, 'The quantity is not whole', 'This is sold in whole numbers.'),
  quantity_unchanged: kind(422, 'Nothing would change', 'The subscription has this quantity already.'),
  quote_expired: kind(409, 'The quote has expired', 'Make another one, at the prices of today.'),
  reading_without_value: kind(
    422,
    'A metric has no value',
    'Its source answered, and gave none. Mend the source: the value is billed when it can be read.',
    seeTasks,
  ),
  reason_required: kind(
    422,
    'A reason is required',
    'Say why, in a few words: it is kept with what you asked.',
  ),
  recurrence_invalid: kind(
    422,
    'The recurrence is not valid',
    'Use a whole number from 1 and a unit, or null for a one-time fee.',
  ),
  registry_host_invalid: kind(
    422,
    'Not the host of a registry',
    'Write its name, with a port where it is another than 443: ghcr.io, registry.example.com:5000.',
  ),
  registry_login_failed: kind(
    409,
    'The registry refused the login',
    'Give the right user and password: npx clouder registries add. Then retry.',
    seeTasks,
  ),
  reinstated_already: kind(
    409,
    'It was reinstated already',
    'Read the subscription that the detail names: it goes on as that one.',
  ),
  repair_failed: kind(
    409,
    'The instance could not be repaired',
    'Mend what the detail names, then repair it again.',
    seeTasks,
  ),
  reversal_too_large: kind(
    422,
    'More is taken back than there was',
    'A reversing event takes back at most the quantity of the event that it names.',
  ),
  reversed_event_unknown: kind(
    422,
    'There is no such event to reverse',
    'Name in reverses the id of a recorded event of the same source that reverses none itself.',
  ),
  scope_missing: kind(403, 'The key may not do this', 'Use a key with the scope that the detail names.'),
  secret_shown: kind(
    409,
    'The secret was shown already',
    'A secret is shown once. Rotate it, and the new value can be shown.',
  ),
  series_stopped: kind(
    409,
    'Numbers of this series may have been given before',
    'Settle what a peer has of ours and is not here: npx clouder peers lost.',
    [{ title: 'List lost documents', href: '/v1/lost-documents' }],
  ),
  server_disk_full: kind(
    409,
    'The disk of the server is full',
    'What was begun is undone. Make room on the server, then retry.',
    seeTasks,
  ),
  server_unknown: kind(422, 'There is no such server', 'Use the code or id of one: GET /v1/servers.'),
  server_unreachable: kind(
    503,
    'The server is out of reach',
    'Remove the cause that the detail names, then test again: npx clouder servers test. What waits there goes on by itself.',
    [{ title: 'List servers', href: '/v1/servers' }],
  ),
  server_in_use: kind(
    409,
    'Something is on the server',
    'Drain it, so that nothing new comes; end what the detail lists, or wait until it has ended, and delete what backups are kept.',
    [{ title: 'List instances', href: '/v1/instances' }],
  ),
  simulation_too_large: kind(
    422,
    'The simulation is too large',
    'Ask for fewer months: at most 20,000 lines are computed at once.',
  ),
  subnet_full: kind(
    409,
    'The environment has no free address',
    'Order into another environment, or end what is not needed in this one.',
  ),
  subnet_taken_on_server: kind(
    409,
    'The addresses are taken on the server',
    'The build takes the next free subnet by itself: retry it.',
    seeTasks,
  ),
  subnets_exhausted: kind(
    409,
    'The server has no free subnet',
    'Give it a larger pool, end what is not needed there, or add a server.',
    [{ title: 'List servers', href: '/v1/servers' }],
  ),
  subscription_ended: kind(409, 'The subscription has ended', 'Place a new order.'),
  subscription_not_begun: kind(
    422,
    'The subscription had not begun',
    'Push what was used after it began; the detail says when that was.',
  ),
  subscription_unknown: kind(422, 'There is no such subscription', 'Use the id of one that exists.', [
    { title: 'List subscriptions', href: '/v1/subscriptions' },
  ]),
  sums_disagree: kind(
    422,
    'The document does not add up',
    'Read it off again. Where the supplier has it so, ask for a right one: nothing is recorded of a document that does not add up.',
  ),
  supplier_invoice_immutable: kind(
    409,
    'What a supplier billed is never changed',
    'Ask the supplier for a credit note and a right one; what was misread here is voided. What happens to it is recorded beside it: payments, set-offs.',
  ),
  supplier_invoice_paid: kind(
    409,
    'Money was paid for it',
    'Take its payments back first: POST /v1/supplier-payments/{id}/reverse. One that was paid rightly is corrected by the supplier’s credit note.',
  ),
  supplier_invoice_void: kind(
    409,
    'The supplier invoice is void',
    'It counts for nothing any more. Use the one that was recorded in its place: GET /v1/supplier-invoices.',
  ),
  supplier_is_peer: kind(
    409,
    'The supplier sends its documents itself',
    'A supplier that is a peer has one way in: its installation. Ask it to send again what is missing.',
  ),
  supplier_mismatch: kind(
    422,
    'Of another supplier',
    'One payment goes to one supplier, and a credit is set off against what the same one billed.',
  ),
  supplier_unknown: kind(
    422,
    'There is no such supplier',
    'Name a supplier by its id or code: a peer that bills us is one once it is paired with.',
  ),
  suspended: kind(
    409,
    'It is suspended',
    'Nothing runs until every reason is lifted: resume it by the code of each. Read the subscription: suspensions lists them.',
  ),
  tax_answer_missing: kind(
    422,
    'The tax service has not answered yet',
    'It is asked by itself: try again in some minutes. If it stays away, the open task says why.',
  ),
  tax_id_invalid: kind(
    422,
    'This is no tax id of that country',
    'Write it as its country does, such as DE123456789; the detail names the country.',
  ),
  tax_rate_missing: kind(
    422,
    'No tax rate is in force',
    'Add a rate for the country, category and date that the detail names.',
  ),
  template_unknown: kind(422, 'There is no such template', 'Use the code or id of one that exists.', [
    { title: 'List templates', href: '/v1/subscription-templates' },
  ]),
  tax_rate_overlaps: kind(
    409,
    'There is such a rate in these days already',
    'Let the other rate end first: give it an ends_on.',
  ),
  template_invalid: kind(422, 'A dollar sign begins no variable', 'Write ${NAME}, or $$ for a dollar sign.'),
  temporal_unreachable: kind(
    503,
    'The workflow engine does not answer',
    'Nothing is lost: send it again in a moment with the same Idempotency-Key.',
    seeHealth,
  ),
  terms_not_accepted: kind(
    409,
    'The terms of service were not accepted',
    'Show the version in force to who orders, and send it with the order as accepted_terms.',
    [{ title: 'Read the terms of service', href: '/v1/service-terms' }],
  ),
  tiers_invalid: kind(
    422,
    'The tiers leave a hole or overlap',
    'Let each upper bound lie above the one before, and leave that of the last tier open.',
  ),
  token_expired: kind(
    410,
    'The join token is too old',
    'Ask for another one where the server was added: npx clouder servers token NAME.',
  ),
  token_unknown: kind(
    404,
    'There is no such join token',
    'Copy the whole token; one that was replaced by another is not known any more.',
  ),
  token_used: kind(
    409,
    'The join token was used',
    'A token is for one worker, once. Ask for another one: npx clouder servers token NAME.',
  ),
  trial_used: kind(
    409,
    'The customer has had this trial',
    'Order a product without a trial; this one gives its trial once to a customer.',
  ),
  ubl_unreadable: kind(
    422,
    'The file is no invoice that is read here',
    'Send an Invoice or CreditNote in UBL 2.1 as EN 16931 has it, or record the document by hand.',
  ),
  unit_not_convertible: kind(
    422,
    'The units do not fit',
    'Use a unit of the same dimension as the product’s: data, time or pieces.',
  ),
  unit_unknown: kind(422, 'Not a known unit', 'Use a unit of the table of units that the detail lists.'),
  too_many_requests: kind(
    429,
    'More comes than can be taken',
    'Nothing of the request was taken. Send it again after the seconds of Retry-After, with the same ids.',
  ),
  usage_event_conflict: kind(
    409,
    'The event was recorded with other content',
    'One source and id name one event for ever. Use a fresh id for another event.',
  ),
  usage_event_in_future: kind(422, 'The event lies in the future', 'Send it once it has happened.'),
  usage_event_too_long: kind(
    413,
    'A line of the stream is too long',
    'Send one event a line, of at most 64 KiB. What was answered before is stored.',
  ),
  usage_event_too_late: kind(
    422,
    'The event is too old to be billed',
    'Nothing was stored. Put the amount on the next invoice as a one-off.',
  ),
  usage_not_taken: kind(
    422,
    'No line bills this use',
    'The metric is sold, but each of its lines bills other properties. Correct them, or sell a line that takes them; then send the event again.',
  ),
  variable_missing: kind(
    422,
    'A variable of the application has no value',
    'Give it one with the order, or a fallback in the compose file.',
  ),
  verification_invalid: kind(
    404,
    'The verification cannot be used',
    'It was used, has expired, or is for another mail address. Ask for a new one.',
  ),
  volume_missing: kind(
    409,
    'A volume is gone',
    'Its data is not on the server any more, and it is not made again empty. Restore a backup of it, or cancel.',
    seeTasks,
  ),
  webhook_url_refused: kind(
    422,
    'Events are not posted to this address',
    'Give an https address of the public internet. Private ranges and other ports are allowed by CLOUDER_WEBHOOK_RANGES and CLOUDER_WEBHOOK_PORTS.',
  ),
  window_without_dates: kind(
    422,
    'A value of a span lacks start or end',
    'Send both, or send time alone for what was used at an instant.',
  ),
  xml_malformed: kind(
    422,
    'The file is not read as XML',
    'Send XML in UTF-8 without a document type, with elements, attributes and text.',
  ),
}

function kind(
  status: ProblemStatus,
  title: string,
  remedy: string,
  nextActions: readonly NextAction[] = [],
): ProblemKind {
  return { status, title, remedy, nextActions }
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(problemKinds, text)
}

/** A problem detail as RFC 9457 writes it. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: ProblemStatus
  readonly detail: string
  readonly instance: string
  readonly code: ErrorCode
  readonly request_id: string
  readonly errors: readonly FieldError[]
  readonly next_actions: readonly NextAction[]
}

/** What is answered for anything that was thrown. The text of an unexpected error stays in the log. */
export function toProblem(error: unknown, request: { path: string; requestId: string }): Problem {
  const refusal = toRefusal(error)
  const { status, title, nextActions } = problemKinds[refusal.code]
  return {
    type: `/docs/errors/${refusal.code}`,
    title,
    status,
    detail: refusal.message,
    instance: request.path,
    code: refusal.code,
    request_id: request.requestId,
    errors: refusal.fields,
    next_actions: nextActions ?? [],
  }
}

function toRefusal(error: unknown): BusinessError {
  if (error instanceof BusinessError) return error
  if (isDatabaseOutage(error)) {
    return new BusinessError('database_unreachable', problemKinds.database_unreachable.remedy, {
      cause: error,
    })
  }
  return new BusinessError('internal_error', problemKinds.internal_error.remedy, { cause: error })
}

/** Codes of Node's sockets and PostgreSQL's classes 08 (connection) and 57P (shutting down). */
function isDatabaseOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return (
    /^(ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|08...|57P..)$/.test(code) ||
    error.message === 'Connection terminated unexpectedly'
  )
}
