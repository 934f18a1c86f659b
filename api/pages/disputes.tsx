import type { ListedDispute } from '#db/read/dispute.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ConsoleView } from './console-page.tsx'
import { Choice, Folded, PostForm, TextArea, TextField, type RefusedInput } from './form.tsx'
import { Empty, ExactMoment, State, Table } from './parts.tsx'

export const disputeForm = 'dispute'

interface DisputesProps {
  readonly view: ConsoleView
  readonly rows: readonly ListedDispute[]
  /** Of the page that they stand on: its forms are sent below it. */
  readonly address: string
  readonly refused: RefusedInput | undefined
}

/** What was said of a document and answered, in the same words on both sides. */
export function Disputes(props: DisputesProps) {
  const { rows, view } = props
  if (rows.length === 0) return <Empty>Nobody has said that it is wrong.</Empty>
  return (
    <Table caption="Disputes, newest first" head={['What is wrong', 'State', 'Answer']}>
      {rows.map((row) => (
        <tr class={row.state === 'open' ? undefined : 'past'}>
          <th scope="row">
            {row.reason}
            <div class="hint">
              {row.lines.length > 0 && `Lines ${row.lines.join(', ')}. `}
              <ExactMoment at={row.raised_at} timeZone={view.timeZone} />
            </div>
          </th>
          <td>
            <State state={row.state === 'open' ? 'disputed' : row.state}>{row.state}</State>
          </td>
          <td>
            {row.answer ?? (row.outcome === 'accepted' && 'A credit note follows.')}
            {row.state === 'open' && <Way {...props} row={row} />}
          </td>
        </tr>
      ))}
    </Table>
  )
}

/** Who raised it withdraws it; whose document it is answers it. */
function Way({ view, address, refused, row }: DisputesProps & { row: ListedDispute }) {
  const dispute = encodeId('dispute', row.id)
  if (row.supplier_invoice_id !== null)
    return (
      <PostForm
        form={`withdraw-${dispute}`}
        refused={refused}
        view={view}
        action={`${address}/withdraw`}
        isInRow
      >
        <input type="hidden" name="dispute" value={dispute} />
        <button type="submit">Withdraw</button>
      </PostForm>
    )
  const at = { form: answerForm(dispute), refused }
  return (
    <PostForm {...at} view={view} action={`${address}/answer-dispute`}>
      <input type="hidden" name="dispute" value={dispute} />
      <Choice
        {...at}
        name="outcome"
        label="Answer"
        value="rejected"
        choices={[
          ['accepted', 'Accept: a credit note follows'],
          ['rejected', 'Reject'],
        ]}
      />
      <TextArea {...at} name="text" label="What the customer is told" value={null} greatestLength={2000} />
      <div class="buttons">
        <button type="submit" class="primary">
          Answer
        </button>
      </div>
    </PostForm>
  )
}

export function answerForm(dispute: string): string {
  return `answer-${dispute}`
}

/** Of a supplier invoice whose supplier is a peer, and of which nothing is open yet. */
export function RaiseDispute({ view, address, refused }: Omit<DisputesProps, 'rows'>) {
  const at = { form: disputeForm, refused }
  return (
    <Folded {...at} title="Dispute it…">
      <PostForm {...at} view={view} action={`${address}/dispute`}>
        <TextArea
          {...at}
          name="reason"
          label="What is wrong"
          hint="The supplier reads it."
          value={null}
          greatestLength={2000}
          isRequired
        />
        <TextField {...at} name="lines" label="Lines" hint="Such as 1, 3. Empty: all of it." />
        <div class="buttons">
          <button type="submit" class="primary">
            Dispute
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}
