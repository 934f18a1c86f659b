import { addDays } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { nextBoundary } from '#domain/invoicing-dates.ts'
import {
  allowedLineActions,
  checkLine,
  checkLineAction,
  checkSuccession,
  lineState,
  type LineAction,
} from '#domain/line.ts'
import {
  cancelLine,
  delayLine,
  pauseLine,
  planSuccessor,
  renewLine,
  stopLine,
  uncancelLine,
  type LineChange,
} from '#domain/line-change.ts'
import { ByDecision, type OcaAdapter, type OcaCase } from '../adapter.ts'
import { answerFields, dateOf, intervalInWords, orRefused, recordOf, textOf } from '../oca-line.ts'
import { bill, billedLine, describeChange, describeLine, renewalOf, type BilledLine } from '../oca-life.ts'
import { afterLast, lastBefore, readDate } from '../symbolic-date.ts'

/** What can be done with a line, and what becomes of it. */
export const sections: Readonly<Record<string, OcaAdapter>> = {
  stop_and_terminate: (testCase) => orRefused(() => answerStop(testCase)),
  suspend: (testCase) => orRefused(() => answerPause(testCase)),
  plan_successor: (testCase) => orRefused(() => answerSuccessor(testCase)),
  renew: (testCase) => orRefused(() => answerRenewal(testCase)),
  cancel_uncancel: (testCase) => orRefused(() => answerCancel(testCase)),
  constraints: (testCase) => orRefused(() => answerConstraint(testCase)),
  line_state: answerState,
  allowed_actions: answerActions,
}

function answerStop(testCase: OcaCase): Readonly<Record<string, unknown>> {
  if ('with_right' in testCase || 'without_right' in testCase) throw new ByDecision('termination_right')
  const contract = recordOf(testCase['contract'])
  const fields =
    'contract' in testCase
      ? { ...contract, date_start: contract['lines_date_start'], ...recordOf(testCase['line']) }
      : recordOf(testCase['line'])
  const started = billedLine(fields, testCase)
  const before = bill(started, Number(testCase['runs_before'] ?? 0))
  const at = stopDate(testCase['stop_at'] ?? testCase['terminate_at'], before)
  const today = textOf(testCase['T'], at)
  // Terminating a contract stops those of its lines that can be stopped.
  const isPassedBy = 'terminate_at' in testCase && !allowedLineActions(before.line, today).includes('stop')
  const after = isPassedBy
    ? before
    : { ...before, line: stopLine(before.line, { endsOn: addDays(at, 1), today }).line }
  const last = testCase['run_once_more'] === true ? bill(after, 1) : after
  return {
    expect: describeLine(last),
    ...answerFields(
      testCase,
      /^expect_next_invoice_date_after_(first|second)_run$/,
      ([, run]) => describeLine(bill(started, run === 'first' ? 1 : 2)).next_invoice_date,
    ),
  }
}

function answerPause(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const billed = billedLine(recordOf(testCase['line']), testCase)
  const suspend = recordOf(testCase['suspend'])
  const change = pauseLine(billed.line, {
    start: textOf(suspend['start'], ''),
    end: afterLast(suspend['end']),
    today: textOf(testCase['T'], ''),
  })
  return { expect: describeChange(billed, change) }
}

/** A date, or in words the last day that was billed. */
function stopDate(stated: unknown, { line }: BilledLine): string {
  const date =
    dateOf(stated) ?? (/last.*invoiced/.test(textOf(stated, '')) ? lastBefore(line.billedUntil) : null)
  if (date === null) throw new Error(`no day to stop on: ${JSON.stringify(stated)}`)
  return date
}

/** Plans the successor, then sets what the case sets afterwards: `successor.date_start = …`. */
function answerSuccessor(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const setup = { ...testCase, ...recordOf(testCase['setup']) }
  const billed = billedLine(recordOf(setup['line']), testCase)
  const plan = recordOf(setup['plan'])
  const change = planSuccessor(billed.line, {
    startsOn: textOf(plan['start'], ''),
    endsOn: afterLast(plan['end']),
    renewal: renewalOf(plan),
    today: textOf(testCase['T'], ''),
  })
  const moved = setAfterwards(change, textOf(testCase['then'], ''), testCase)
  if (moved.successor) checkSuccession(moved.line, moved.successor)
  return { expect: describeChange(billed, moved) }
}

function setAfterwards(change: LineChange, then: string, testCase: OcaCase): LineChange {
  const [, who, field, sum = ''] = /^(\w+)\.date_(start|end)\s*=\s*(\S+)$/.exec(then) ?? []
  const date = readDate(sum, { T: textOf(testCase['T'], '') }) ?? dateOf(sum)
  if (date === null) return change
  const dates = field === 'start' ? { startsOn: date } : { endsOn: afterLast(date) }
  if (who !== 'successor') return { ...change, line: { ...change.line, ...dates } }
  return { ...change, successor: change.successor && { ...change.successor, ...dates } }
}

function answerRenewal(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const fields = recordOf(testCase['line'])
  const every = intervalInWords(textOf(fields['renew_every'], '1 yearly'))
  const asked = billedLine(fields, testCase)
  const { startsOn, endsOn } = asked.line
  const line = { ...asked.line, endsOn: endsOn ?? nextBoundary(startsOn, every, startsOn) }
  const by = /extend/.test(textOf(testCase['policy'], '')) ? 'extension' : 'successor'
  const change = renewLine(line, { every, by })
  const described = describeChange({ ...asked, line }, change)
  return {
    expect: {
      ...described,
      line_date_end: described.date_end,
      old_auto_renew: described.auto_renew,
      new_line: described.successor,
    },
  }
}

function answerCancel(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const today = textOf(testCase['T'], '')
  const billed = billedLine(recordOf(testCase['line']), testCase)
  const change = act(billed, textOf(testCase['action'], ''), today)
  const nextInvoice = dateOf(testCase['then_uncancel_next_invoice'])
  const answer = { expect: describeChange(billed, change) }
  if (nextInvoice === null) return answer
  const invoiced = { ...billed.invoiced, forcedInvoiceOn: nextInvoice }
  const back = uncancelLine(change.line, today)
  return { ...answer, expect_after: describeChange({ ...billed, invoiced }, back) }
}

function act(billed: BilledLine, action: string, today: string): LineChange {
  const [verb, count = '1', unit = 'month'] = action.split(' ')
  if (verb === 'cancel') return cancelLine(billed.line, today)
  if (verb === 'uncancel') return uncancelLine(billed.line, today)
  if (verb === 'delete' || verb === 'unlink') {
    checkLineAction(billed.line, 'delete', today)
    return { line: billed.line, successor: null }
  }
  if (verb !== 'delay') throw new Error(`no action is called ${action}`)
  const { startsOn } = billed.line
  const length = { [unit.endsWith('s') ? unit : `${unit}s`]: Number(count) }
  const start = Temporal.PlainDate.from(startsOn)
  return delayLine(billed.line, start.until(start.add(length), { largestUnit: 'days' }).days, today)
}

function answerConstraint(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const fields = { ...recordOf(testCase['line']), ...recordOf(testCase['set']) }
  const billed = billedLine(fields, testCase)
  if ('date_start' in fields && dateOf(fields['date_start']) === null) {
    throw new BusinessError('field_required', 'A line has a first day.')
  }
  checkLine(billed.line, billed.invoiced.forcedInvoiceOn)
  return { expect: describeLine(billed) }
}

function answerState(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const today = textOf(testCase['T'], '')
  const { line } = billedLine(testCase, testCase)
  const notice = intervalInWords(textOf(testCase['termination_notice'], '1 monthly'))
  const state = lineState(line, today, notice)
  const names = {
    planned: 'upcoming',
    running: 'in-progress',
    // Theirs is to renew only once its end has come; until then it is in progress like any other.
    to_renew: line.endsOn !== null && line.endsOn > today ? 'in-progress' : 'to-renew',
    ending: 'upcoming-close',
    ended: 'closed',
    cancelled: 'canceled',
  }
  return { expect_state: names[state] }
}

/** The line as the case describes it, around an arbitrary day. */
function answerActions(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const today = textOf(testCase['T'], '')
  const start = testCase['today_is'] === 'before' ? addDays(today, 10) : addDays(today, -20)
  const end = testCase['today_is'] === 'after' ? addDays(today, -10) : addDays(start, 50)
  const { line } = billedLine(
    {
      ...testCase,
      date_start: start,
      date_end: testCase['has_end'] === true ? end : null,
      last_date_invoiced: testCase['invoiced'] === true ? addDays(start, 2) : null,
    },
    testCase,
  )
  const allowed = allowedLineActions(line, today)
  const names: Readonly<Record<LineAction, string>> = {
    successor: 'plan_successor',
    pause: 'suspend',
    stop: 'stop',
    cancel: 'cancel',
    uncancel: 'uncancel',
    delay: 'delay',
    delete: 'delete',
  }
  return Object.fromEntries(
    Object.entries(names).map(([action, name]) => [name, allowed.some((each) => each === action)]),
  )
}
