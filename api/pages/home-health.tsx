import type { ServerRow } from '#db/read/server.ts'
import type { Check } from '../routes/health.ts'
import type { ConsoleView } from './console-page.tsx'
import { Empty, Moment, Section, State } from './parts.tsx'

/** Whether what the installation needs answers. */
export function HealthSection(props: {
  view: ConsoleView
  servers: readonly ServerRow[]
  checks: readonly Check[]
}) {
  const servers = props.servers.filter(({ resource_kind: kind }) => kind === 'infrastructure')
  return (
    <Section id="health" title="Installation" isLive>
      <ul class="checks">
        {props.checks.map((check) => (
          <li>
            <State state={check.isReady ? 'done' : 'failed'}>{check.name}</State>{' '}
            <span class="hint">{check.detail}</span>
          </li>
        ))}
        {servers.map((server) => (
          <ServerItem view={props.view} server={server} />
        ))}
      </ul>
      {servers.length === 0 && (
        <Empty>
          There is no server yet, so nothing can be built. <code>npx clouder doctor</code> says what is
          missing.
        </Empty>
      )}
    </Section>
  )
}

function ServerItem({ view, server }: { view: ConsoleView; server: ServerRow }) {
  const seenAt = server.last_seen_at
  return (
    <li>
      <State state={server.state ?? 'expected'}>server {server.code}</State>{' '}
      <span class="hint">
        {server.runner === 'dry-run' ? 'dry run, ' : 'Docker, '}
        {seenAt === null ? (
          'not seen yet'
        ) : (
          <>
            seen <Moment at={seenAt} {...view} />
          </>
        )}
      </span>
    </li>
  )
}
