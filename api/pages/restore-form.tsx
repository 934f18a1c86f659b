import type { BackupRow } from '#db/read/backup.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ConsoleView } from './console-page.tsx'
import { ActionForm, type RefusedForm } from './subscription-form.tsx'

/** Puts a backup in place of what an instance holds. */
export function RestoreForm(props: {
  view: ConsoleView
  publicId: string
  refused: RefusedForm | undefined
  backups: readonly BackupRow[]
}) {
  const { view, publicId, refused, backups } = props
  return (
    <details id="restore" open={refused?.action === 'restore'}>
      <summary>Restore a backup in place…</summary>
      <ActionForm view={view} publicId={publicId} action="restore">
        <p class="hint">
          What the instance holds now is saved first, and comes back if the restore fails. It is stopped for
          as long as that takes.
        </p>
        <span class="field">
          <label for="restore-backup">Backup</label>
          <select id="restore-backup" name="backup">
            {backups.map((backup) => (
              <option value={encodeId('backup', backup.id)}>
                {backup.instance_name}, {backup.taken_at?.slice(0, 16).replace('T', ' ')} UTC
              </option>
            ))}
          </select>
        </span>
        <button type="submit">Restore it</button>
      </ActionForm>
    </details>
  )
}
