import type { Problem } from '../errors.ts'
import { PlainPage } from './plain-page.tsx'

/** What a browser shows when something was refused or went wrong. */
export function problemPage(problem: Problem) {
  return (
    <PlainPage title={problem.title}>
      <main>
        <h1>{problem.title}</h1>
        <p>{problem.detail}</p>
        <p>
          <a href={problem.type}>{problem.code}</a>, request {problem.request_id}
        </p>
        <ul>
          {problem.next_actions.map((action) => (
            <li>
              <a href={action.href}>{action.title}</a>
            </li>
          ))}
        </ul>
      </main>
    </PlainPage>
  )
}
