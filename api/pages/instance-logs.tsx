import { randomUUID } from 'node:crypto'
import { BusinessError } from '#domain/errors.ts'
import { logLevels, type LogLine } from '#domain/log-line.ts'
import { z } from 'zod'
import type { Frame } from '../frame.ts'
import { readLog } from '../instance-commands.ts'
import { readLogs } from '../permission.ts'
import { logQuery, toLogRequest } from '../schemas/instance-command.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Choice, Refusal, TextField, type RefusedInput } from './form.tsx'
import { instanceAddress, readInstanceContent, type InstancePageContent } from './instance-content.ts'
import { instanceBody } from './instance-frame.tsx'
import { Empty, ExactMoment, Section, State, Table } from './parts.tsx'
import { refusedInput } from './row-form.ts'
import { refusedStatus, type Values } from './sent-form.ts'

const form = 'logs'

/** Choices by which a person says from when on; what is empty is everything that is there. */
const spans = [
  ['', 'whenever'],
  ['5', 'the last 5 minutes'],
  ['60', 'the last hour'],
  ['1440', 'the last day'],
] as const

const pageQuery = z.object({
  service: z.string().max(63).default(''),
  minutes: z.enum(['', '5', '60', '1440']).default(''),
  level: z.enum(['', ...logLevels]).default(''),
  search: z.string().max(200).default(''),
  limit: z.string().max(5).default('200'),
})

/** What its containers wrote; read when the page is, and kept nowhere. */
export function registerInstanceLogs(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/instances/:id/logs', permission: readLogs },
    async (view, ctx) => {
      const content = await readInstanceContent(frame.deps.db, ctx.req.param('id') ?? '')
      const values = parse(pageQuery, ctx.req.query(), 'query')
      try {
        const asked = {
          instanceId: content.id,
          requestId: randomUUID(),
          request: toRequest(values, view.now),
        }
        return logsBody(view, content, { values, lines: await readLog(frame.deps, asked) })
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error
        return logsBody(view, content, { values, lines: [], refused: refusedInput(form, values, error) })
      }
    },
  )
}

function toRequest({ minutes, ...values }: z.output<typeof pageQuery>, now: string) {
  const said = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))
  const since =
    minutes === '' ? {} : { since: new Date(Date.parse(now) - Number(minutes) * 60_000).toISOString() }
  return toLogRequest(parse(logQuery, { ...said, ...since }, 'query'))
}

interface Logs {
  readonly values: Values
  readonly lines: readonly LogLine[]
  readonly refused?: RefusedInput
}

function logsBody(
  view: ConsoleView,
  content: InstancePageContent,
  { values, lines, refused }: Logs,
): ConsoleBody {
  return instanceBody(view, content, {
    part: 'logs',
    ...(refused === undefined ? {} : { status: refusedStatus(refused.code) }),
    children: (
      <Section id="logs" title="Logs">
        <Question content={content} values={values} refused={refused} />
        {refused !== undefined ? (
          <Refusal refused={refused} />
        ) : lines.length === 0 ? (
          <Empty>Nothing of the kind was written.</Empty>
        ) : (
          <Lines view={view} lines={lines} />
        )}
      </Section>
    ),
  })
}

interface QuestionProps {
  readonly content: InstancePageContent
  readonly values: Values
  readonly refused: RefusedInput | undefined
}

/** It only asks, so it is an address that can be sent to a colleague. */
function Question({ content, values, refused }: QuestionProps) {
  const at = { form, refused }
  const services = content.deployed.definition.services.map(({ name }) => [name, name] as const)
  return (
    <form method="get" action={instanceAddress(content.id, 'logs')} class="action">
      <Choice
        {...at}
        name="service"
        label="Service"
        value={values['service'] ?? ''}
        choices={[['', 'all'], ...services]}
      />
      <Choice {...at} name="minutes" label="Written in" value={values['minutes'] ?? ''} choices={spans} />
      <Choice
        {...at}
        name="level"
        label="At least"
        value={values['level'] ?? ''}
        choices={[['', 'anything'], ...logLevels.map((level) => [level, level] as const)]}
      />
      <TextField {...at} name="search" label="With the text" value={values['search']} />
      <TextField
        {...at}
        name="limit"
        label="Lines"
        type="number"
        value={values['limit']}
        min={1}
        max={1000}
      />
      <button type="submit" class="primary">
        Read
      </button>
    </form>
  )
}

const levelStates = { debug: 'over', info: 'over', warning: 'limited', error: 'failed' } as const

function Lines({ view, lines }: { view: ConsoleView; lines: readonly LogLine[] }) {
  return (
    <div class="log">
      <Table caption="Lines, newest first" head={['Written', 'Line']}>
        {lines.toReversed().map((line) => (
          <tr>
            <td>
              <ExactMoment at={line.at} timeZone={view.timeZone} />
              <div class="hint">
                {line.service} <State state={levelStates[line.level]}>{line.level}</State>
              </div>
            </td>
            <td class="line">
              <code>{line.text}</code>
            </td>
          </tr>
        ))}
      </Table>
    </div>
  )
}
