import { z } from 'zod'
import { setArchived } from '#db/removal.ts'
import { listDiscountPage, type DiscountRow } from '#db/read/discount.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { createDiscount } from '../routes/discounts.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { AddDiscount, toNewDiscount } from './discount-form.tsx'
import { PostForm, Refusal, type RefusedInput } from './form.tsx'
import { formatAmount, formatQuantity, plural } from './format.ts'
import { toListPage } from './page-links.ts'
import { Day, Empty, Pages, Section, Table } from './parts.tsx'
import { registerRowForm } from './row-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

const path = '/settings/discounts'
const query = z.object(pageQuery)

export function registerDiscountPages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'discounts:read' },
    async (view, ctx) => await discountsBody(frame, view, parse(query, ctx.req.query(), 'query')),
  )
  const showAgain = async (view: ConsoleView, _id: string, refused: RefusedInput) =>
    await discountsBody(frame, view, parse(query, {}, 'query'), refused)
  registerRowForm(frame, {
    path,
    permission: 'discounts:write',
    form: () => 'add',
    carryOut: async (tx, { values }) => {
      await createDiscount(tx, toNewDiscount(values))
      return path
    },
    showAgain,
  })
  registerRowForm(frame, {
    path: `${path}/:id/archive`,
    permission: 'discounts:write',
    form: archiveForm,
    carryOut: async (tx, { id, now }) => {
      await setArchived(tx, 'discount', { id: decodeId('discount', id), archivedAt: now })
      return path
    },
    showAgain,
  })
}

function archiveForm(publicId: string): string {
  return `archive-${publicId}`
}

async function discountsBody(
  { deps }: Frame,
  view: ConsoleView,
  asked: z.output<typeof query>,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const request = toPageRequest(asked)
  const page = toListPage(await listDiscountPage(deps.db, request), request, { path, filter: {} })
  return {
    title: 'Discounts',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="discounts" title="Discounts, newest first">
          {refused !== undefined && refused.form !== 'add' && <Refusal refused={refused} />}
          {page.rows.length === 0 ? (
            <Empty>No discount yet. Add one below; whoever knows its code may use it in an order.</Empty>
          ) : (
            <Table
              caption="Discounts"
              head={['Name', 'Code', { number: 'Less' }, 'On', 'Can be got', { number: 'Uses' }, 'Archive']}
            >
              {page.rows.map((row) => (
                <Discount view={view} row={row} refused={refused} />
              ))}
            </Table>
          )}
          <Pages label="Pages of discounts" {...page} />
        </Section>
        <Section id="new" title="Another discount">
          <AddDiscount view={view} refused={refused} action={path} />
        </Section>
      </SettingsFrame>
    ),
  }
}

function Discount(props: { view: ConsoleView; row: DiscountRow; refused: RefusedInput | undefined }) {
  const { view, row, refused } = props
  const publicId = encodeId('discount', row.id)
  const form = archiveForm(publicId)
  return (
    <tr class={row.archived_at === null ? undefined : 'past'}>
      <th scope="row">
        {row.name}
        {row.is_once_per_customer && <div class="hint">once a customer</div>}
      </th>
      <td>{row.code === null ? <span class="hint">given by hand</span> : <code>{row.code}</code>}</td>
      <td class="number">
        {lessOf(row)}
        {row.period_count !== null && <div class="hint">for {plural(row.period_count, 'period')}</div>}
      </td>
      <td>
        {row.scope === 'line' ? 'each line' : 'the document'}
        {row.product_code !== null && <div class="hint">{row.product_code}</div>}
      </td>
      <td>
        <Window row={row} />
      </td>
      <td class="number">
        {row.use_count}
        {row.maximum_uses !== null && ` of ${row.maximum_uses}`}
      </td>
      <td>
        {row.archived_at === null ? (
          <PostForm view={view} form={form} refused={refused} action={`${path}/${publicId}/archive`} isInRow>
            <button type="submit">
              Archive<span class="visually-hidden"> {row.name}</span>
            </button>
          </PostForm>
        ) : (
          'archived'
        )}
      </td>
    </tr>
  )
}

function lessOf(row: DiscountRow): string {
  return row.amount_minor === null || row.currency === null
    ? `${formatQuantity(row.percent ?? '0')} %`
    : formatAmount(row.amount_minor, row.currency)
}

function Window({ row }: { row: DiscountRow }) {
  if (row.starts_on === null && row.ends_on === null) return <>always</>
  return (
    <>
      {row.starts_on !== null && (
        <>
          from <Day date={row.starts_on} />{' '}
        </>
      )}
      {row.ends_on !== null && (
        <>
          before <Day date={row.ends_on} />
        </>
      )}
    </>
  )
}
