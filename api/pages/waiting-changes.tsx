import type { WaitingChange } from '#db/read/waiting-change.ts'
import { encodeId } from '#domain/identifier.ts'
import { allowedCommands } from '#domain/subscription.ts'
import { standingOf } from '../subscription-commands.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatQuantity } from './format.ts'
import { Day, Section, Table } from './parts.tsx'
import type { SubscriptionContent } from './subscription-content.ts'
import { ActionForm } from './subscription-form.tsx'

/** What will change by itself once less is used, and the way to withdraw it. */
export function WaitingChangesSection(props: { view: ConsoleView; content: SubscriptionContent }) {
  const { view, content } = props
  if (content.waiting.length === 0) return null
  const canWithdraw = allowedCommands(standingOf(content.row)).includes('withdrawChange')
  return (
    <Section id="waiting" title="Changes that wait" isLive>
      <Table
        caption="Changes that are made once less is used"
        head={['What', { number: 'Used' }, { number: 'Fits at' }, 'Told of', '']}
      >
        {content.waiting.map((row) => (
          <tr>
            <th scope="row">
              {row.product} from {row.from_text} to {row.to_text}
              <div class="hint">
                limit {row.limit_code}, asked by {row.asked_by}
              </div>
            </th>
            <td class="number">{row.used_quantity === null ? '?' : formatQuantity(row.used_quantity)}</td>
            <td class="number">{formatQuantity(row.ceiling)}</td>
            <td>
              <Day date={row.told_on} />
            </td>
            <td>{canWithdraw && <Withdraw view={view} publicId={content.publicId} row={row} />}</td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}

function Withdraw(props: { view: ConsoleView; publicId: string; row: WaitingChange }) {
  return (
    <ActionForm view={props.view} publicId={props.publicId} action="withdraw-change" class="inline">
      <input type="hidden" name="change" value={encodeId('waitingChange', props.row.id)} />
      <button type="submit">
        Withdraw<span class="visually-hidden"> the change of {props.row.product}</span>
      </button>
    </ActionForm>
  )
}
