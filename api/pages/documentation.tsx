import type { ErrorCode } from '#domain/errors.ts'
import type { ProblemKind } from '../errors.ts'
import { PlainPage } from './plain-page.tsx'

/** The reference, drawn from /openapi.json by a component that we serve ourselves. */
export function referencePage() {
  const attributes = {
    'spec-url': '/openapi.json',
    'render-style': 'read',
    'show-header': 'false',
    'load-fonts': 'false',
    'allow-server-selection': 'false',
    'schema-description-expanded': 'true',
  }
  return (
    <PlainPage title="API">
      <script type="module" src="/assets/rapidoc.js"></script>
      <rapi-doc {...attributes}></rapi-doc>
    </PlainPage>
  )
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
  return (
    <PlainPage title={code}>
      <main>
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
      </main>
    </PlainPage>
  )
}

export function errorListPage(kinds: readonly (readonly [string, ProblemKind])[]) {
  return (
    <PlainPage title="Error codes">
      <main>
        <h1>Error codes</h1>
        <table>
          <thead>
            <tr>
              <th scope="col">Code</th>
              <th scope="col">Status</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {kinds.map(([code, kind]) => (
              <tr>
                <td>
                  <a href={`/docs/errors/${code}`}>{code}</a>
                </td>
                <td>{kind.status}</td>
                <td>{kind.title}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </main>
    </PlainPage>
  )
}
