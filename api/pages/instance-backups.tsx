import { listBackupsOfInstance, listRestorableInPlace, type BackupRow } from '#db/read/backup.ts'
import { encodeId } from '#domain/identifier.ts'
import { allowedCommands } from '#domain/subscription.ts'
import type { Frame } from '../frame.ts'
import { standingOf } from '../subscription-commands.ts'
import { consolePage, type ConsoleView } from './console-page.tsx'
import { formatBytes } from './format.ts'
import { readInstanceContent } from './instance-content.ts'
import { instanceBody } from './instance-frame.tsx'
import { Empty, Moment, Section, State, Table } from './parts.tsx'
import { RestoreForm } from './restore-form.tsx'

/** What was saved of an instance, to be put back or taken along. */
export function registerInstanceBackups(frame: Frame): void {
  const { db } = frame.deps
  consolePage(
    frame,
    { method: 'get', path: '/instances/:id/backups', permission: 'instances:read' },
    async (view, ctx) => {
      const content = await readInstanceContent(db, ctx.req.param('id') ?? '')
      const { subscription, subscriptionId, instance, publicId } = content
      const [backups, restorable] = await Promise.all([
        listBackupsOfInstance(db, content.id),
        listRestorableInPlace(db, instance.subscription_id),
      ])
      const canRestore =
        allowedCommands(standingOf(subscription)).includes('restore') && restorable.length > 0
      return instanceBody(view, content, {
        part: 'backups',
        children: (
          <>
            <Section id="backups" title="Backups">
              {backups.length === 0 ? (
                <Empty>None yet: it is saved before it is removed, and before a restore in place.</Empty>
              ) : (
                <Table caption="Backups, newest first" head={['Saved', 'State', 'Volumes', 'Kept until']}>
                  {backups.map((row) => (
                    <Backup view={view} row={row} />
                  ))}
                </Table>
              )}
              {canRestore && (
                <RestoreForm view={view} publicId={subscriptionId} refused={undefined} backups={restorable} />
              )}
            </Section>
            <Section id="export" title="Take it along">
              <p>
                <a href={`/v1/instances/${publicId}/export?secrets=omit`}>Its compose file</a>, without
                secrets: with it and the volumes above, it runs wherever an engine does.
              </p>
            </Section>
          </>
        ),
      })
    },
  )
}

const reasonNames = { last: 'the last one', before_restore: 'before a restore' } as const

function Backup({ view, row }: { view: ConsoleView; row: BackupRow }) {
  const id = encodeId('backup', row.id)
  return (
    <tr>
      <th scope="row">
        {row.taken_at === null ? 'not yet' : <Moment at={row.taken_at} {...view} />}
        <div class="hint">
          {reasonNames[row.reason]} · <code>{id}</code>
        </div>
      </th>
      <td>
        <State state={row.state} />
        {row.failure_detail !== null && <div class="failure">{row.failure_detail}</div>}
      </td>
      <td>
        <ul class="plainlist">
          {row.volumes.map((copy) => (
            <li>
              {row.state === 'kept' ? (
                <a href={`/v1/backups/${id}/volumes/${encodeURIComponent(copy.volume)}`} download>
                  {copy.volume}
                </a>
              ) : (
                copy.volume
              )}{' '}
              <span class="hint">{formatBytes(copy.bytes)}</span>
            </li>
          ))}
        </ul>
      </td>
      <td>{row.expires_at === null ? '–' : <Moment at={row.expires_at} {...view} />}</td>
    </tr>
  )
}
