import type { Db } from '#db/database.ts'
import { getPeer, type PeerRow } from '#db/read/peer.ts'
import { readMappingsWith } from '#db/told-mapping.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { plural } from './format.ts'
import { Empty, Moment, Section } from './parts.tsx'
import { PeerFrame, peersPath } from './peer-frame.tsx'

/** Where what is agreed with a peer is. */
export function peerAgreedPath(id: string): string {
  return `${peersPath}/${id}/agreed`
}

/** What is agreed with a peer: the same on both sides. */
export function registerPeerAgreedPage(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: peerAgreedPath(':id'), permission: 'peers:read' },
    async (view, ctx) => await agreedBody(frame.deps.db, view, ctx.req.param('id') ?? ''),
  )
}

/** Who bills whom, as which customer, in which currency: as both sides see it. */
export function agreedText({ role, customer, currency }: PeerRow): string {
  const whom = role === 'supplier' ? 'bills us' : 'is billed'
  const as = customer === null ? '' : ` as ${customer}`
  return `${whom}${as}${currency === null ? '' : `, in ${currency}`}`
}

async function agreedBody(db: Db, view: ConsoleView, address: string): Promise<ConsoleBody> {
  const peer = await getPeer(db, await resolveAddress(db, 'peer', address))
  const agreed = await readMappingsWith(db, peer)
  const name = peer.name ?? 'A peer that is not known yet'
  return {
    title: `Agreed with ${name}`,
    current: 'settings',
    children: (
      <PeerFrame>
        <Section id="agreed" title={`Agreed with ${name}`}>
          <p>
            {name} {agreedText(peer)}.
          </p>
          <Mappings view={view} peer={peer} agreed={agreed} />
        </Section>
      </PeerFrame>
    ),
  }
}

function Mappings(props: {
  view: ConsoleView
  peer: PeerRow
  agreed: Awaited<ReturnType<typeof readMappingsWith>>
}) {
  const { view, peer, agreed } = props
  const isOurs = peer.role === 'supplier'
  if (agreed === null || agreed.total === 0)
    return (
      <Empty>
        {isOurs ? (
          <>
            None of its products is mapped: that is done at <a href="/expenses">Expenses</a>.
          </>
        ) : (
          'It has not told as what it counts our products.'
        )}
      </Empty>
    )
  const more = agreed.total - agreed.mappings.length
  return (
    <>
      <p class="hint">
        {isOurs ? (
          <>
            As what we count its products; said at <a href="/expenses">Expenses</a>.
          </>
        ) : (
          <>
            As what it counts our products
            {agreed.toldAt !== null && (
              <>
                , told <Moment at={agreed.toldAt} {...view} />
              </>
            )}
            .
          </>
        )}
      </p>
      <ul>
        {agreed.mappings.map(({ product_code: product, category }) => (
          <li>
            Product {product} → expense category {category.code} {category.name}
          </li>
        ))}
      </ul>
      {more > 0 && <p class="hint">And {plural(more, 'product')} more.</p>}
    </>
  )
}
