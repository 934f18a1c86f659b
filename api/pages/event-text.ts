import type { EventKind } from '#db/event.ts'
import type { Hold } from '#domain/limit-hold.ts'
import type { OrderHoldKind } from '#domain/order-hold.ts'
import { formatDate, formatAmount } from './format.ts'

type Data = Record<string, unknown>

/** Every event as a sentence. The kinds are those that a page listens for, too. */
const sentences: Readonly<Record<EventKind, (data: Data) => string>> = {
  'application.permission_granted': (data) =>
    `${String(data['permission'])} granted to ${String(data['application'])}${because(data['reason'])}`,
  'order.confirmed': (data) => `Ordered${quoted(data['title'])}`,
  'order.held': (data) => `Held${because(data['detail'])}`,
  'order.hold_released': (data) => `${orderHoldText(data['hold'])} settled${because(data['reason'])}`,
  'order.released': () => 'Nothing is waited for any more, the build begins',
  'order.refused': (data) => `Order refused${because(data['reason'])}`,
  'order.cancelled': (data) => `Order cancelled${because(data['reason'])}`,
  'order.expired': (data) => `Order expired${because(data['reason'])}`,
  'payment.to_be_refunded': (data) =>
    `${amount({ ...data, total_minor: data['amount_minor'] })} is to be refunded`,
  'payment.refunded': (data) => `${amount({ ...data, total_minor: data['amount_minor'] })} refunded`,
  'customer.mail_verified': () => 'Mail address verified',
  'customer.portal_closed': (data) => `Portal closed by ${text(data['actor'])}: nobody is signed in any more`,
  'customer.portal_entered': (data) => `Signed in to the portal by a link of ${text(data['made_by'])}`,
  'customer.portal_left': (data) => `Portal session ended by ${text(data['actor'])}`,
  'customer.portal_link_made': (data) => `Link into the portal made by ${text(data['actor'])}`,
  'order.placed_again': placedAgainSentence,
  'order.terms_accepted': (data) => `Terms of service, version ${text(data['version'])}, accepted`,
  'backup.kept': (data) => `Saved and read back, kept until ${day(String(data['expires_at']).slice(0, 10))}`,
  'backup.failed': (data) => `Not saved${because(data['detail'])}`,
  'backup.deleted': () => 'Its backup was kept long enough, and deleted',
  'restore.started': (data) =>
    `${text(data['name'])} is being restored in place from ${text(data['backup'])}`,
  'restore.done': (data) => `${text(data['name'])} holds what was saved as ${text(data['backup'])}`,
  'restore.undone': (data) =>
    `${text(data['name'])} was not restored, and holds what it held before${because(data['detail'])}`,
  'restore.failed': (data) =>
    `${text(data['name'])} holds neither the backup nor what it held${because(data['detail'])}`,
  'build.started': () => 'Build started',
  'build.step': stepSentence,
  'build.step_skipped': (data) =>
    `${text(data['title'])}: skipped by ${text(data['actor'])}${because(data['reason'])}`,
  'build.step_marked_done': (data) =>
    `${text(data['title'])}: marked as done by ${text(data['actor'])}${because(data['reason'])}`,
  'build.resumed': (data) =>
    `Resumed from ${text(data['title'])} by ${text(data['actor'])}${because(data['reason'])}`,
  'build.cancel_asked': (data) => `Build cancelled by ${text(data['actor'])}${because(data['reason'])}`,
  'build.done': () => 'Build done, observed ready',
  'build.failed': (data) => `Build failed${because(data['detail'] ?? data['code'])}`,
  'build.undone': (data) => `Build undone${because(data['detail'] ?? data['code'])}`,
  'unbuild.started': () => 'Unbuild started',
  'unbuild.done': () => 'Unbuild done, verified absent',
  'unbuild.failed': (data) => `Unbuild failed${because(data['detail'] ?? data['code'])}`,
  'subscription.activated': (data) => `Active from ${day(data['starts_on'])}`,
  'subscription.changed': (data) =>
    `${text(data['product'])} from ${text(data['from'])} to ${text(data['to'])}, effective ${day(data['effective_on'])}`,
  'subscription.change_requested': (data) =>
    `Asked for: ${text(data['product'])} from ${text(data['from'])} to ${text(data['to'])}`,
  'subscription.change_refused': (data) =>
    `Refused what was asked for: ${text(data['product'])} from ${text(data['from'])} to ${text(data['to'])}${because(data['reason'])}`,
  'subscription.change_waits': (data) =>
    `${changeText(data)}: waits until no more than ${text(data['ceiling'])} of ${text(data['limit'])} are used, now ${text(data['used'])}`,
  'subscription.change_unfit': (data) =>
    `${changeText(data)} still waits at the end of the period: ${text(data['used'])} of ${text(data['limit'])} are used, not ${text(data['ceiling'])} or fewer`,
  'subscription.change_given_up': (data) =>
    `${changeText(data)} does not wait any more: ${text(data['state'])} by ${text(data['actor'])}${because(data['reason'])}`,
  'subscription.cancelled': (data) => `Cancelled, ends on ${day(data['ends_on'])}${because(data['reason'])}`,
  'subscription.uncancelled': () => 'Cancellation taken back',
  'subscription.pause_planned': (data) =>
    `Pause from ${day(data['starts_on'])} ${untilDay(data['ends_on'])}${because(data['reason'])}`,
  'subscription.pause_withdrawn': (data) => `Pause from ${day(data['starts_on'])} withdrawn`,
  'subscription.paused': (data) => `Paused ${untilDay(data['ends_on'])}`,
  'subscription.line_stopped': (data) => `${text(data['product'])} ends on ${day(data['ends_on'])}`,
  'subscription.line_cancelled': (data) => `${text(data['product'])} withdrawn, as if it had never begun`,
  'subscription.line_uncancelled': (data) =>
    `${text(data['product'])} brought back, from ${day(data['starts_on'])}`,
  'subscription.line_delayed': (data) => `${text(data['product'])} begins on ${day(data['starts_on'])} only`,
  'subscription.line_deleted': (data) => `${text(data['product'])} taken out; nothing of it was billed`,
  'subscription.successor_planned': (data) =>
    `${text(data['product'])} goes on from ${day(data['starts_on'])}, ${untilDay(data['ends_on'])}`,
  'subscription.handed_over': (data) =>
    `${text(data['quantity'])} × ${text(data['product'])} handed over on ${day(data['starts_on'])}, as ${text(data['subscription'])}`,
  'subscription.term_agreed': (data) =>
    `Fixed term to ${day(data['ends_on'])}, then ${data['renewal'] === 'end' ? 'it ends' : 'it is renewed'}`,
  'subscription.recurrence_set': (data) =>
    `Billed every ${text(data['count'])} ${text(data['unit'])} from ${day(data['effective_on'])} on`,
  'subscription.renewed': (data) => `Renewed until ${day(data['ends_on'])}`,
  'subscription.trial_ending': (data) =>
    `The trial ends on ${day(data['ends_on'])}; then it is ${trialEnds[text(data['becomes'])] ?? 'over'}`,
  'subscription.suspended': (data) => `Suspended${because(data['reason'])}`,
  'subscription.suspension_lifted': (data) =>
    `No longer suspended for ${text(data['code'])}, still for ${text(data['left'])}`,
  'subscription.resumed': () => 'Resumed',
  'subscription.parked': (data) => `Waits for a person${because(data['reason'])}`,
  'subscription.unparked': () => 'Goes on',
  'subscription.ended': () => 'Ended',
  'subscription.reinstated': (data) => `Goes on as ${text(data['subscription'])}, with what was saved of it`,
  'instance.repaired': (data) =>
    `${text(data['name'])} repaired by ${text(data['by'])}: ${foundText(data['findings'])}; was ${text(data['before'])}, is ${text(data['after'])}`,
  'instance.repair_failed': (data) =>
    `${text(data['name'])} could not be repaired by ${text(data['by'])}: ${foundText(data['findings'])}${because(data['detail'])}`,
  'instance.changed': (data) =>
    `${text(data['name'])} changed by ${text(data['by'])}: ${changesText(data['changes'])}${because(data['reason'])}`,
  'instance.port_moved': (data) =>
    `${text(data['name'])} answers at port ${text(data['after'])} now: something else on the server has ${text(data['before'])}`,
  'instance.replaced': (data) =>
    `${text(data['name'])} is as changed by ${text(data['by'])}${listed('made anew', data['replaced'])}${listed('given other limits', data['updated'])}`,
  'instance.replacement_failed': (data) =>
    `${text(data['name'])} does not run as changed by ${text(data['by'])}${because(data['detail'])}`,
  'server.added': (data) => `Server ${text(data['server'])} added`,
  'server.changed': (data) =>
    `Server ${text(data['server'])} changed by ${text(data['actor'])}: ${text(data['said'])}`,
  'server.removed': (data) => `Server ${text(data['server'])} removed by ${text(data['actor'])}`,
  'server.joined': (data) => `The worker of server ${text(data['server'])} joined`,
  'server.unreachable': (data) => `Server ${text(data['server'])} is out of reach${because(data['detail'])}`,
  'server.reachable': (data) => `Server ${text(data['server'])} is back; what waited there goes on`,
  'instance.restarted': (data) => `${text(data['name'])} was restarted, asked for by ${text(data['by'])}`,
  'instance.action_run': (data) =>
    `${text(data['subject'])} was run in ${text(data['name'])}, exit code ${text(data['exit_code'])}`,
  'instance.login_link_made': (data) =>
    `a login link to ${text(data['name'])} was made by ${text(data['by'])}`,
  'instance.logged_in': (data) => `${text(data['by'])} logged into ${text(data['name'])} by a link`,
  'instance.secret_rotated': (data) => `${text(data['name'])} has another ${text(data['subject'])}`,
  'instance.secret_shown': (data) => `${text(data['subject'])} of ${text(data['name'])} was shown`,
  'instance.command_refused': (data) =>
    `${text(data['name'])} did not do what was asked${because(data['detail'])}`,
  'instance.secrets_exported': (data) =>
    `${text(data['name'])} exported with its secrets by ${text(data['by'])}`,
  'limit.applied': (data) =>
    `Limit ${text(data['limit'])} is in force: ${text(data['in_force'] ?? data['quantity'])}`,
  'limit.held': (data) => `Limit ${text(data['limit'])} is held: ${holdText(data)}`,
  'limit.lifted': (data) =>
    `Limit ${text(data['limit'])} is no longer reached: ${useText(data)}, what held it is lifted`,
  'limit.reached': (data) =>
    `Limit ${text(data['limit'])} reached: ${useText(data)}${data['enforcement'] === 'soft' ? ', a warning only' : ''}`,
  'limit.refused': (data) =>
    `Limit ${text(data['limit'])} of ${text(data['quantity'])} was not taken${because(data['answer'])}`,
  'link.made': (data) =>
    `Linked to ${text(data['offer_name'])} as ${text(data['name'])}: ${text(data['kind'])}, taken as ${text(data['reason']).replaceAll('_', ' ')}`,
  'link.taken_back': (data) => `Link ${text(data['name'])} to ${text(data['offer_name'])} taken back`,
  'invoice.credited': (data) =>
    `${amount(data)} of ${text(data['number'])} credited${because(data['reason'])}`,
  'invoice.finalized': (data) =>
    `${data['kind'] === 'credit_note' ? 'Credit note' : 'Invoice'} ${text(data['number'])}: ${amount(data)}`,
  'invoice.marked_collectible': (data) =>
    `${text(data['number'])} is collected again${because(data['reason'])}`,
  'invoice.marked_uncollectible': (data) => `${text(data['number'])} written off${because(data['reason'])}`,
  'invoice.payment_recorded': (data) =>
    `${amount({ ...data, total_minor: data['amount_minor'] })} received for ${text(data['number'])}`,
  'invoice.voided': (data) => `${text(data['number'])} voided${because(data['reason'])}`,
  'document.forced': (data) =>
    `The invoice of ${day(data['from'])} waits until ${day(data['next_invoice_on'])}`,
  'document.moved': (data) =>
    `Billed in another rhythm from ${day(data['from'])}, in full from ${day(data['first_full_period_on'])}`,
  'document.parked': (data) => `Billing waits for a person${because(data['reason'])}`,
  'environment.renamed': (data) =>
    `Environment changed by ${text(data['by'])}: ${changesText(data['changes'])}`,
  'peer.closed': (data) => `Peer ${text(data['peer'])} closed by ${text(data['actor'])}`,
  'peer.halted': (data) => `Peer ${text(data['peer'])} halted${because(data['reason'])}`,
  'peer.key_made': (data) =>
    `Next key for peer ${text(data['peer'])} made by ${text(data['actor'])}: ${text(data['fingerprint'])}`,
  'peer.key_pinned': (data) =>
    `Key of peer ${text(data['peer'])} pinned${data['actor'] === null ? ', as it told us' : ` by ${text(data['actor'])}`}: ${text(data['fingerprint'])}`,
  'peer.key_revoked': (data) =>
    `Key with peer ${text(data['peer'])} revoked by ${text(data['actor'])}: ${text(data['fingerprint'])}`,
  'peer.message_refused': (data) =>
    `Message of peer ${text(data['peer'])} refused (${text(data['code'])})${because(data['reason'])}`,
  'peer.paired': (data) => `Paired with ${text(data['peer'])}`,
  'peer.sent_again': (data) =>
    `${text(data['messages'])} messages are sent to peer ${text(data['peer'])} again: it has lost those after ${text(data['after'])}`,
  'peer.resumed': (data) => `Peer ${text(data['peer'])} resumed by ${text(data['actor'])}`,
  'supplier_payment.recorded': (data) =>
    `${amount({ ...data, total_minor: data['amount_minor'] })} paid to a supplier, recorded by ${text(data['actor'])}`,
  'supplier_payment.reversed': (data) =>
    `${amount({ ...data, total_minor: data['amount_minor'] })} paid to a supplier taken back by ${text(data['actor'])}`,
  'dispute.raised': (data) => `${text(data['number'])} disputed${by(data['actor'])}`,
  'dispute.withdrawn': (data) => `Dispute of ${text(data['number'])} withdrawn${by(data['actor'])}`,
  'dispute.answered': (data) =>
    `Dispute of ${text(data['number'])}: ${text(data['state'])}${by(data['actor'])}`,
  'supplier_invoice.received': (data) => `Supplier invoice ${text(data['number'])} received`,
  'supplier_invoice.recorded': (data) =>
    `Supplier invoice ${text(data['number'])} recorded by ${text(data['actor'])}`,
  'supplier_invoice.voided': (data) =>
    `Supplier invoice ${text(data['number'])} voided by ${text(data['actor'])}${because(data['reason'])}`,
  'supplier_invoice.standing_told': (data) =>
    `Supplier invoice ${text(data['number'])} ${text(data['state']).replace('_', ' ')}, says supplier`,
  'data_source.set': (data) => `Data source ${text(data['code'])} given by ${text(data['actor'])}`,
  'deployer.set': (data) => `Deployer ${text(data['code'])} given by ${text(data['actor'])}`,
  'deployer.removed': (data) => `Deployer ${text(data['code'])} removed by ${text(data['actor'])}`,
  'deployment.seen': (data) => `Over there it is ${text(data['phase'])}`,
  'data_source.removed': (data) => `Data source ${text(data['code'])} removed by ${text(data['actor'])}`,
  'registry.login_set': (data) => `Login for registry ${text(data['host'])} given by ${text(data['actor'])}`,
  'registry.removed': (data) => `Registry ${text(data['host'])} removed by ${text(data['actor'])}`,
  'limit.warned': (data) =>
    `${text(data['threshold'])} of ${text(data['limit'])} reached: ${text(data['used'])} of ${text(data['ceiling'])} are used`,
  'spend.cap_changed': (data) => `Cap of the ${text(data['set_by'])} for usage: ${text(data['says'])}`,
  'spend.warned': (data) =>
    `Usage costs ${text(data['cost'])} in this period: ${text(data['threshold'])} of what the ${text(data['set_by'])} set, ${text(data['cap'])}`,
  'spend.cap_reached': (data) =>
    `Held: usage costs ${text(data['cost'])}, and the ${text(data['set_by'])} stops it at ${text(data['cap'])}`,
  'spend.cap_lifted': (data) => `No longer held by the cap of the ${text(data['set_by'])}`,
  'usage.billed_early': (data) =>
    `Usage billed before its period ends, at ${amount({ ...data, total_minor: data['least_minor'] })} or more`,
  'webhook.changed': (data) => `Webhook ${text(data['url'])} changed by ${text(data['actor'])}`,
  'webhook.created': (data) => `Webhook ${text(data['url'])} made by ${text(data['actor'])}`,
  'webhook.deleted': (data) => `Webhook ${text(data['url'])} deleted by ${text(data['actor'])}`,
  'webhook.disabled': (data) => `Webhook ${text(data['url'])} disabled${because(data['reason'])}`,
  'webhook.enabled': (data) => `Webhook ${text(data['url'])} enabled by ${text(data['actor'])}`,
  'webhook.redelivery_asked': (data) =>
    `${text(data['count'])} events posted to ${text(data['url'])} once more, asked for by ${text(data['actor'])}`,
  'webhook.secret_rotated': (data) =>
    `Webhook ${text(data['url'])} given another secret by ${text(data['actor'])}`,
  'webhook.tested': (data) => `Webhook ${text(data['url'])} tested by ${text(data['actor'])}`,
  'usage.read': () => 'Usage read',
}

export const eventKinds = Object.keys(sentences)

/** What happened, in one line. A kind that this page does not know yet is shown by its name. */
export function eventSentence(event: { kind: string; data: Data }): string {
  return isKnown(event.kind) ? sentences[event.kind](event.data) : event.kind
}

function isKnown(kind: string): kind is EventKind {
  return Object.hasOwn(sentences, kind)
}

/** Who did it: a person or a key, else Clouder by itself. */
export function eventActor(event: { data: Data }, viewer: { name: string }): string {
  const actor = event.data['actor']
  return typeof actor !== 'string' || actor === '' ? 'Clouder' : sayActor(actor, viewer)
}

/** A person by name, a key as that. */
export function sayActor(actor: string, viewer: { name: string }): string {
  if (actor === viewer.name) return 'you'
  if (actor.startsWith('operator:')) return 'an operator'
  return actor.startsWith('key_') ? 'an API key' : actor
}

function orderHoldText(kind: unknown): string {
  const texts: Readonly<Record<OrderHoldKind, string>> = {
    payment: 'Payment',
    acceptance: 'Acceptance',
    review: 'Review',
    mail_verification: 'Mail verification',
  }
  return typeof kind === 'string' && Object.hasOwn(texts, kind) ? texts[kind as OrderHoldKind] : text(kind)
}

/** `10 of 10 GiB`. */
function useText(data: Data): string {
  return `${text(data['used'])} of ${text(data['sold'] ?? 'none')} ${text(data['unit'] ?? '')}`.trim()
}

const ways: Readonly<Record<Hold['way'], string>> = {
  block_ingress: 'nobody reaches it from outside',
  block_network: 'it is on no network',
  read_only: 'it can only read',
  stop: 'it is stopped',
  throttle_network: 'it sends more slowly',
}

/** What holds an instance, in words. */
export function holdText({ way, ...more }: Data | Hold): string {
  const rateKbit = 'rateKbit' in more ? more.rateKbit : undefined
  const said = typeof way === 'string' && Object.hasOwn(ways, way) ? ways[way as Hold['way']] : text(way)
  return typeof rateKbit === 'number' ? `${said}, ${rateKbit} kbit/s` : said
}

function placedAgainSentence(data: Data): string {
  const changes = Array.isArray(data['changes']) ? (data['changes'] as Data[]) : []
  const said = changes.map(
    ({ product, before, now }) =>
      `${text(product)} was ${before === null ? 'not sold' : text(before)}, is ${now === null ? 'not sold' : text(now)}`,
  )
  return `Placed again${said.length === 0 ? ', nothing changed' : `: ${said.join('; ')}`}`
}

function stepSentence(data: Data): string {
  const title = text(data['title'])
  switch (data['state']) {
    case 'running':
      return data['attempt'] === 1 ? `${title}: begun` : `${title}: attempt ${text(data['attempt'])}`
    case 'done':
      return `${title}: done`
    case 'undone':
      return `${title}: undone`
    case 'retrying':
      return `${title}: tried again${because(data['detail'])}`
    default:
      return `${title}: ${text(data['state'])}${because(data['detail'])}`
  }
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '?'
}

/** `web memory_mib from 2048 to 4096`. */
function changesText(changes: unknown): string {
  if (!Array.isArray(changes)) return '?'
  const told = changes.map((one: unknown) =>
    typeof one === 'object' && one !== null && 'what' in one && 'from' in one && 'to' in one
      ? `${text(one.what)} from ${text(one.from ?? 'nothing')} to ${text(one.to ?? 'nothing')}`
      : '?',
  )
  return told.join(', ')
}

/** `, made anew: acme_shop_web`; nothing where there is none. */
function listed(what: string, names: unknown): string {
  return Array.isArray(names) && names.length > 0 ? `, ${what}: ${names.map(text).join(', ')}` : ''
}

function foundText(findings: unknown): string {
  if (!Array.isArray(findings)) return '?'
  const told = findings.map((one: unknown) =>
    typeof one === 'object' && one !== null && 'kind' in one && 'object' in one
      ? `${text(one.kind)} ${text(one.object)}`.replaceAll('_', ' ')
      : '?',
  )
  return told.join(', ')
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `: ${value}` : ''
}

function changeText(data: Record<string, unknown>): string {
  return `${text(data['product'])} from ${text(data['from'])} to ${text(data['to'])}`
}

/** Nobody here, where the other side did it. */
function by(value: unknown): string {
  return typeof value === 'string' ? ` by ${value}` : ' by the other side'
}

function because(value: unknown): string {
  return typeof value === 'string' && value !== '' ? `: ${value}` : ''
}

function day(value: unknown): string {
  return typeof value === 'string' ? formatDate(value) : '?'
}

function untilDay(value: unknown): string {
  return typeof value === 'string' ? `until ${formatDate(value)}` : 'until it is resumed'
}

function amount(data: Data): string {
  const { total_minor: totalMinor, currency } = data
  return typeof totalMinor === 'number' && typeof currency === 'string'
    ? formatAmount(totalMinor, currency)
    : '?'
}

const trialEnds: Readonly<Record<string, string>> = {
  bill: 'billed',
  suspend: 'suspended until it is resumed',
  cancel: 'ended',
}
