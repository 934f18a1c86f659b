import type { Command } from 'commander'
import { sayMessages } from '#domain/peer-message.ts'
import type { Peer, PeerDetail, PeerInvitation } from './answers.ts'
import { usageFailure } from './failure.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { registerPeerKeys } from './peer-keys.ts'
import { addLostDocuments } from './lost-documents.ts'
import type { Output } from './output.ts'
import { addProofs } from './peer-proofs.ts'
import { withSession } from './session.ts'

export function registerPeers(program: Command): void {
  const group = program
    .command('peers')
    .alias('peer')
    .summary('other installations that bill this one, or that it bills')
    .description('Documents go from one installation to another by themselves, once each, in order.')
    .addHelpText(
      'before',
      `Examples
  npx clouder peers invite --customer reseller
  npx clouder peers accept peer-invitation.supplier.peer_01kb…
  npx clouder peers
`,
    )
  group
    .command('ls')
    .description('list peers, with what waits for each (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Peer>('/v1/peers', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          [
            'id',
            'who',
            'is our',
            'customer',
            'currency',
            'state',
            'waiting',
            'documents delivered',
            'documents received',
          ],
          found.rows.map((row) => [
            row.id,
            row.name ?? '',
            row.role,
            row.customer,
            row.currency,
            stateText(row),
            waitingText(row),
            String(row.delivered),
            String(row.received),
          ]),
        )
        tellMore(out, found, 'None. npx clouder peers invite --help')
      }),
    )
  registerPairing(group)
  registerStanding(group)
  addProofs(group)
  addLostDocuments(group)
  registerPeerKeys(group)
}

function registerPairing(group: Command): void {
  group
    .command('invite')
    .description('make an invitation for another installation; it holds for ten minutes, once')
    .option('--customer <customer>', 'the other one is billed by us, as this customer')
    .option('--supplier', 'the other one bills us')
    .action(
      withSession<[], { customer?: string; supplier?: boolean }>(async ({ api, out }, { options }) => {
        const { customer, supplier } = options
        if ((customer === undefined) === (supplier === undefined))
          throw usageFailure(
            'Say what the other one is to us.',
            'Give --customer or --supplier, one of them.',
          )
        const body = customer === undefined ? { role: 'supplier' } : { role: 'customer', customer }
        const made = await api.post<PeerInvitation>('/v1/peers/invitations', body)
        if (out.isJson) return out.json(made)
        out.facts([
          ['peer', made.peer],
          ['holds until', instantText(made.expires_at)],
          ['over there', made.command],
        ])
      }),
    )
  group
    .command('accept')
    .description('accept the invitation of another installation')
    .argument('<invitation>', 'as it was shown over there')
    .option('--customer <customer>', 'whom we bill, where the other one is to be billed')
    .action(
      withSession<[string], { customer?: string }>(async ({ api, out }, { args: [invitation], options }) => {
        const peer = await api.post<Peer>('/v1/peers', { invitation, ...options })
        show(out, peer)
      }),
    )
}

function registerStanding(group: Command): void {
  group
    .command('show')
    .description(
      'one peer, with the fingerprints that people of both sides compare, and as what products are counted',
    )
    .argument('<peer>', 'its id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const peer = await api.get<PeerDetail>(`/v1/peers/${encodeURIComponent(id)}`)
        show(out, peer)
        if (!out.isJson) tellAgreed(out, peer)
      }),
    )
  for (const [name, description] of [
    ['resume', 'go on with a halted peer, once what halted it is settled'],
    ['close', 'end the trust: nothing is sent or taken any more'],
  ] as const)
    group
      .command(name)
      .description(description)
      .argument('<peer>', 'its id')
      .action(
        withSession<[string]>(async ({ api, out }, { args: [id] }) =>
          show(out, await api.post<Peer>(`/v1/peers/${encodeURIComponent(id)}/${name}`, {})),
        ),
      )
}

/** With why it is no further. */
function stateText({ state, halted_reason: halted, waiting_reason: waiting }: Peer): string {
  const reason = state === 'accepting' ? waiting : halted
  return reason === null ? state : `${state}: ${reason}`
}

/** How much of what, since when and why. */
function waitingText({ waiting_kinds: kinds, waiting_since: since, waiting_reason: reason }: Peer): string {
  if (since === null) return '0'
  const counts = kinds.map(
    ({ kind, waiting, is_understood: isUnderstood }) =>
      `${sayMessages(waiting, kind)}${isUnderstood ? '' : ' (not understood there yet)'}`,
  )
  const known = reason === null ? '' : `: ${reason}`
  return `${counts.join(', ')} since ${instantText(since)}${known}`
}

function show(out: Output, peer: Peer): void {
  if (out.isJson) return out.json(peer)
  out.facts([
    ['peer', peer.id],
    ['who', peer.name ?? ''],
    ['is our', peer.role],
    ['customer', peer.customer ?? ''],
    ['currency', peer.currency ?? ''],
    ['state', stateText(peer)],
    ['address', peer.url ?? ''],
    ['our key', peer.own_key ?? ''],
    ['their key', peer.other_key ?? ''],
    ['waiting', waitingText(peer)],
    ['never taken', peer.untaken === 0 ? '' : `${peer.untaken} documents, sent once it is paired with anew`],
  ])
}

/** As what who is billed counts each product of who bills. */
function tellAgreed(out: Output, { expense_mappings: agreed }: PeerDetail): void {
  if (agreed === null || agreed.total === 0) return
  out.table(
    ['product', 'expense category', 'called'],
    agreed.mappings.map((row) => [row.product_code, row.category.code, row.category.name]),
  )
  const more = agreed.total - agreed.mappings.length
  if (more > 0) out.say(`  And ${more} more.`)
}
