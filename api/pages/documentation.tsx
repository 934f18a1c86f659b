import type { ErrorCode } from '#domain/errors.ts'
import type { ProblemKind } from '../errors.ts'
import { renderDocument, renderPlainPage } from './document.tsx'
import { Table } from './parts.tsx'

/** The reference, drawn from /openapi.json by a component that we serve ourselves. */
export function referencePage() {
  const attributes = {
    'spec-url': '/openapi.json',
    'render-style': 'read',
    'show-header': 'false',
    'load-fonts': 'false',
    // The key that a reader types is enough: with the session's cookie beside it a request is refused.
    'fetch-credentials': 'omit',
    'allow-server-selection': 'false',
    'schema-description-expanded': 'true',
  }
  return renderDocument({
    title: 'API',
    children: (
      <>
        <script type="module" src="/assets/rapidoc.js"></script>
        <rapi-doc {...attributes}></rapi-doc>
      </>
    ),
  })
}

declare module 'hono/jsx' {
  namespace JSX {
    interface IntrinsicElements {
      'rapi-doc': Record<string, string>
    }
  }
}

/** One page for one code: what it means and what to do. */
export function errorPage(code: ErrorCode, kind: ProblemKind) {
  return renderPlainPage({
    title: code,
    children: (
      <>
        <p>
          <a href="/docs/errors">All codes</a>
        </p>
        <h1>{kind.title}</h1>
        <p>
          <code>{code}</code>, status {kind.status}
        </p>
        <p>{kind.remedy}</p>
        <ul>
          {(kind.nextActions ?? []).map((action) => (
            <li>
              <a href={action.href}>{action.title}</a>
            </li>
          ))}
        </ul>
      </>
    ),
  })
}

export function errorListPage(kinds: readonly (readonly [string, ProblemKind])[]) {
  return renderPlainPage({
    title: 'Error codes',
    children: (
      <>
        <h1>Error codes</h1>
        <Table caption="Error codes" head={['Code', 'Status', 'Meaning']}>
          {kinds.map(([code, kind]) => (
            <tr>
              <th scope="row">
                <a href={`/docs/errors/${code}`}>{code}</a>
              </th>
              <td>{kind.status}</td>
              <td>{kind.title}</td>
            </tr>
          ))}
        </Table>
      </>
    ),
  })
}
