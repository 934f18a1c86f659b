import type { Child } from 'hono/jsx'
import { encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { ChargesSection } from './customer-charges.tsx'
import { readCustomerContent, type CustomerContent } from './customer-content.ts'
import { FactsSection } from './customer-facts.tsx'
import { PortalSection, type MadePortalLink } from './customer-portal.tsx'
import type { RefusedInput } from './form.tsx'
import { formatAmount } from './format.ts'
import { InvoiceTable } from './invoices.tsx'
import { Empty, Section, State } from './parts.tsx'
import { peersPath } from './peer-frame.tsx'
import { SubscriptionTable } from './subscriptions.tsx'

export function registerCustomer(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/customers/:id', permission: 'customers:read' },
    async (view, ctx) =>
      await customerBody(frame, view, ctx.req.param('id') ?? '', { saved: ctx.req.query('saved') }),
  )
}

export interface CustomerProps {
  readonly view: ConsoleView
  readonly content: CustomerContent
  readonly saved?: string | undefined
  readonly refused?: RefusedInput
  readonly portalLink?: MadePortalLink
}

/** The page, as it is opened, after one of its forms was saved, and with one that was refused. */
export async function customerBody(
  { deps }: Frame,
  view: ConsoleView,
  address: string,
  after: Pick<CustomerProps, 'saved' | 'refused' | 'portalLink'>,
): Promise<ConsoleBody> {
  const content = await readCustomerContent(deps.db, address, deps.now())
  const props = { view, content, ...after }
  return {
    title: content.row.name,
    current: 'customers',
    children: (
      <>
        <p class="trail">
          <a href="/customers">← All customers</a>
        </p>
        <CustomerHeader content={content} />
        <div class="columns">
          <div class="stack">
            <ChargesSection {...props} />
            <SubscriptionsSection content={content} />
            <InvoicesSection content={content} />
          </div>
          <div class="stack">
            <PortalSection {...props} />
            <FactsSection {...props} />
          </div>
        </div>
      </>
    ),
  }
}

function CustomerHeader({ content }: { content: CustomerContent }) {
  const { row, balances, peer } = content
  return (
    <header class="subject" id="subject">
      <div>
        <h1>{row.name}</h1>
        <p class="hint">
          {row.code} · <code>{encodeId('customer', row.id)}</code>
          {row.external_id !== null && (
            <>
              {' '}
              · known elsewhere as <code>{row.external_id}</code>
            </>
          )}
        </p>
      </div>
      <dl class="facts wide short">
        <Fact name="Balance">
          {balances.length === 0 && 'none'}
          {balances.map((balance) => (
            <div>
              {formatAmount(balance.amount_minor, balance.currency)}
              {balance.test_clock_id !== null && <span class="hint"> on a test clock</span>}
            </div>
          ))}
          {balances.length > 0 && <div class="hint">The next invoices use it by themselves.</div>}
        </Fact>
        <Fact name="Billed in">{row.currency}</Fact>
        <Fact name="Days end in">{row.time_zone}</Fact>
        <Fact name="Prices">{row.price_list_code ?? 'base prices'}</Fact>
        {peer !== undefined && (
          <Fact name="Own installation">
            <a href={peersPath}>{peer.name ?? 'Not known yet'}</a> <State state={peer.state} />
          </Fact>
        )}
      </dl>
    </header>
  )
}

function Fact(props: { name: string; children?: Child }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  )
}

function SubscriptionsSection({ content }: { content: CustomerContent }) {
  const { rows, isCut } = content.subscriptions
  return (
    <Section id="subscriptions" title="Subscriptions">
      {rows.length === 0 ? (
        <Empty>
          None yet. Place an order: <code>npx clouder order PRODUCT --customer {content.row.code}</code>
        </Empty>
      ) : (
        <SubscriptionTable rows={rows} />
      )}
      {isCut && <Newest count={rows.length} />}
    </Section>
  )
}

function InvoicesSection({ content }: { content: CustomerContent }) {
  const { rows, isCut } = content.invoices
  return (
    <Section id="invoices" title="Invoices">
      {rows.length === 0 ? <Empty>None yet.</Empty> : <InvoiceTable rows={rows} />}
      {isCut && (
        <p>
          <a href={`/invoices?customer=${content.row.code}`}>All invoices of {content.row.name}</a>
        </p>
      )}
    </Section>
  )
}

function Newest({ count }: { count: number }) {
  return <p class="hint">The newest {count} are shown; the API lists all.</p>
}
