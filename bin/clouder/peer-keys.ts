import type { Command } from 'commander'
import type { Peer } from './answers.ts'
import { instantText } from './format.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

/** The keys by which the messages of a peer are known. One may begin with a dash, so it stands behind an option. */
export function registerPeerKeys(group: Command): void {
  group
    .command('keys')
    .description('the keys of both sides, all there ever were')
    .argument('<peer>', 'its id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) =>
        showKeys(out, await api.get<Peer>(pathOf(id))),
      ),
    )
  group
    .command('rotate-key')
    .description('make our next key; the other side is told, and the old one is understood for a day')
    .argument('<peer>', 'its id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) =>
        showKeys(out, await api.post<Peer>(`${pathOf(id)}/rotate-key`, {})),
      ),
    )
  group
    .command('revoke-key')
    .description(
      'revoke a key at once, ours or theirs; in place of ours another one is made, to be pinned over there',
    )
    .argument('<peer>', 'its id')
    .requiredOption('--key <fingerprint>', 'all of it')
    .action(
      withSession<[string], { key: string }>(
        async ({ api, out }, { args: [id], options: { key: fingerprint } }) =>
          showKeys(out, await api.post<Peer>(`${pathOf(id)}/revoke-key`, { fingerprint })),
      ),
    )
  group
    .command('pin-key')
    .description('pin a key of the other side; compare its fingerprint with a person over there first')
    .argument('<peer>', 'its id')
    .requiredOption('--key <public key>', 'as it is shown over there')
    .action(
      withSession<[string], { key: string }>(
        async ({ api, out }, { args: [id], options: { key: publicKey } }) =>
          showKeys(out, await api.post<Peer>(`${pathOf(id)}/pin-key`, { public_key: publicKey })),
      ),
    )
}

const pathOf = (id: string) => `/v1/peers/${encodeURIComponent(id)}`

function showKeys(out: Output, peer: Peer): void {
  if (out.isJson) return out.json(peer)
  out.table(
    ['whose', 'fingerprint', 'since', 'until', 'public key'],
    peer.keys.map(({ side, fingerprint, since, until, revoked_at: revokedAt, public_key: publicKey }) => [
      side,
      fingerprint,
      since === null ? 'told, not taken yet' : instantText(since),
      revokedAt === null ? (until === null ? '' : instantText(until)) : `revoked ${instantText(revokedAt)}`,
      publicKey,
    ]),
  )
}
