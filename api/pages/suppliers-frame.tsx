import type { Child } from 'hono/jsx'
import { Places } from './parts.tsx'

const places = [
  { href: '/payables', title: 'Payables' },
  { href: '/expected-supplier-invoices', title: 'Expected' },
  { href: '/expenses', title: 'Expenses' },
  { href: '/margins', title: 'Margins' },
] as const

/** The head of every page about suppliers and what they cost. */
export function SuppliersFrame(props: { current: (typeof places)[number]['href']; children?: Child }) {
  return (
    <>
      <h1>Suppliers</h1>
      <Places label="Suppliers" places={places} current={props.current} />
      {props.children}
    </>
  )
}
