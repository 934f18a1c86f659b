import type { Problem } from '../errors.ts'
import { renderPlainPage } from './document.tsx'

/** What a browser shows when something was refused or went wrong. */
export function problemPage(problem: Problem) {
  return renderPlainPage({
    title: problem.title,
    children: (
      <>
        <h1>{problem.title}</h1>
        <p>{problem.detail}</p>
        {problem.code === 'login_required' && (
          <p>
            Every <code>npm start</code> prints a fresh login link.
          </p>
        )}
        <ul>
          {problem.next_actions.map((action) => (
            <li>
              <a href={action.href}>{action.title}</a>
            </li>
          ))}
        </ul>
        <p class="hint">
          <a href={problem.type}>{problem.code}</a>, request {problem.request_id}
        </p>
      </>
    ),
  })
}
