import { z } from 'zod'
import type { KitRow } from '#db/read/kit.ts'
import type { ProductRow } from '#db/read/product.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { resolveAddress } from '../addressing.ts'
import { compareVersions, type ShownVersion } from '../catalog-version.ts'
import type { Frame } from '../frame.ts'
import { readKitVersions } from '../routes/kit-versions.ts'
import { readProductVersions } from '../routes/product-versions.ts'
import { toKitBody } from '../schemas/kit.ts'
import { toProductBody } from '../schemas/product.ts'
import { versionPairQuery, type DifferenceJson } from '../schemas/version.ts'
import { parse } from '../validation.ts'
import { billedWhen, madeOf } from './catalog.tsx'
import { consolePage, type ConsoleBody } from './console-page.tsx'
import { plural } from './format.ts'
import { Day, Section, State, Table } from './parts.tsx'

type Row = ProductRow | KitRow
const pair = z.object(versionPairQuery.shape)

/** A product, or a kit, with its versions, what each changed, and how many subscriptions stand on it. */
export function registerCatalogVersionPages(frame: Frame): void {
  const { db } = frame.deps
  consolePage(
    frame,
    { method: 'get', path: '/catalog/products/:id', permission: 'products:read' },
    async (view, ctx) => {
      const id = await resolveAddress(db, 'product', ctx.req.param('id') ?? '')
      const versions = await readProductVersions(db, id, view.now)
      const asked = parse(pair, ctx.req.query(), 'query')
      return versionsBody(versions, compareVersions(versions.map(rowOf), asked, toProductBody), (row) =>
        [describePriceModel(row.price, row.currency, row.unit), billedWhen(row)].join(', '),
      )
    },
  )
  consolePage(
    frame,
    { method: 'get', path: '/catalog/kits/:id', permission: 'kits:read' },
    async (view, ctx) => {
      const id = await resolveAddress(db, 'kit', ctx.req.param('id') ?? '')
      const versions = await readKitVersions(db, id, view.now)
      const asked = parse(pair, ctx.req.query(), 'query')
      return versionsBody(versions, compareVersions(versions.map(rowOf), asked, toKitBody), madeOf)
    },
  )
}

function rowOf<T>({ row }: ShownVersion<T>): T {
  return row
}

function versionsBody<T extends Row>(
  versions: readonly ShownVersion<T>[],
  compared: { from: number; to: number; differences: DifferenceJson[] },
  sentence: (row: T) => string,
): ConsoleBody {
  const shown = versions.find(({ isInForce }) => isInForce) ?? versions[0]
  if (!shown) throw new Error('whatever is in the catalog has a version')
  const { row } = shown
  return {
    title: row.name,
    current: 'catalog',
    children: (
      <>
        <h1>{row.name}</h1>
        <p>
          <code>{row.code}</code>
          {row.archived_at !== null && ', archived'}
        </p>
        <p>{sentence(row)}</p>
        <Section id="versions" title="Versions, newest first">
          <Table
            caption="Versions"
            head={[{ number: 'Version' }, 'Orders get it', 'Says', 'Changed', { number: 'Subscriptions' }]}
          >
            {versions.toReversed().map((version) => (
              <Version version={version} sentence={sentence(version.row)} />
            ))}
          </Table>
        </Section>
        {versions.length > 1 && <Comparison versions={versions.map(rowOf)} compared={compared} />}
      </>
    ),
  }
}

function Version({ version, sentence }: { version: ShownVersion<Row>; sentence: string }) {
  const { row, isInForce, subscriptionCount, differences } = version
  return (
    <tr>
      <th scope="row" class="number">
        {row.version}
      </th>
      <td>
        {row.effective_on === null ? 'from the beginning' : <Day date={row.effective_on} />}
        {isInForce && (
          <div>
            <State state="active">in force</State>
          </div>
        )}
      </td>
      <td>
        {row.name}
        <div class="hint">{sentence}</div>
      </td>
      <td>
        {differences.map(({ pointer }) => pointer.slice(1)).join(', ') || <span class="hint">first</span>}
      </td>
      <td class="number">{subscriptionCount}</td>
    </tr>
  )
}

function Comparison(props: {
  versions: readonly Row[]
  compared: { from: number; to: number; differences: readonly DifferenceJson[] }
}) {
  const { from, to, differences } = props.compared
  return (
    <Section id="difference" title={`From version ${from} to ${to}`}>
      <form method="get" class="inline">
        <VersionChoice name="from" title="From" versions={props.versions} chosen={from} />
        <VersionChoice name="to" title="to" versions={props.versions} chosen={to} />
        <button type="submit">Compare</button>
      </form>
      <p class="hint">{plural(differences.length, 'difference')}</p>
      {differences.length > 0 && (
        <Table caption="Differences" head={['Field', `Version ${from}`, `Version ${to}`]}>
          {differences.map(({ pointer, from: before, to: after }) => (
            <tr>
              <th scope="row">
                <code>{pointer.slice(1)}</code>
              </th>
              <td>{inWords(before)}</td>
              <td>{inWords(after)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  )
}

function VersionChoice(props: { name: string; title: string; versions: readonly Row[]; chosen: number }) {
  return (
    <label>
      {props.title}{' '}
      <select name={props.name}>
        {props.versions.map(({ version }) => (
          <option value={String(version)} selected={version === props.chosen}>
            {version}
          </option>
        ))}
      </select>
    </label>
  )
}

function inWords(value: unknown): string {
  if (value === undefined || value === null) return 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
