import { assert } from '#domain/assert.ts'
import { startOfDay, type Period } from '#domain/calendar.ts'
import { isClosingUsage } from '#domain/invoice/due.ts'
import type { DuePart, MeasuredUsage, UsagePart } from '#domain/invoice/lines.ts'
import type { LineContext } from './billable-line.ts'
import type { Db } from './database.ts'
import { findNotTakenOver } from './deployment.ts'
import { applyFormulas, namedByFormulas } from './quantity-formula.ts'
import {
  findUnread,
  instancesOf,
  measureUsages,
  readMeters,
  type Meter,
  type UsageAnswer,
  type UsageQuestion,
} from './usage-measure.ts'

/** How long a document waits for missing readings, own or of a deployer; what comes later is billed as late. */
const graceMs = 6 * 3_600_000

/** A usage part that is due, and until when its bill waits for readings: null where it does not. */
export interface AskedPart {
  readonly part: UsagePart
  readonly context: LineContext
  /** The instant at which the bill is made; null where it waits for nothing. */
  readonly waitsAt: string | null
}

export interface MeasuredParts {
  readonly of: (part: UsagePart) => MeasuredUsage
  /**
   * Parts of which a metric, their own or one that their formula names, was not read past their end yet, or not taken over from
   * there, within the grace.
   */
  readonly unread: ReadonlySet<DuePart>
}

/** Measures every usage part; the window of a subscription's last part reaches to its closing reading. */
export async function readUsage(db: Db, parts: readonly AskedPart[]): Promise<MeasuredParts> {
  const asked = parts.map(({ part, context, waitsAt }) => ({ part, waitsAt, ...questionOf(part, context) }))
  const meters = await readMeters(db, instancesOf(asked))
  const named = namedByFormulas(
    asked.map((question) => ({ part: question.part, question })),
    meters,
  )
  const questions = [...asked, ...named.map(({ question }) => question)]
  const { answers, unread } = await measureAwaited(db, questions, meters)
  const measured = new Map(asked.map(({ part }, index) => [part, answers[index]]))
  const byFormula = applyFormulas(named, answers.slice(asked.length))
  return {
    unread: new Set(questions.filter((_, index) => unread.has(index)).map(({ part }) => part)),
    of: (part) => {
      const answer = measured.get(part)
      assert(answer, 'every usage part was measured')
      const usage = byFormula(part, answer.usage)
      // What was read is one sum; only what was pushed has single values.
      if (part.line.price.model !== 'percentage' || usage.readingCount > 0) return { usage }
      return { usage, events: { kind: 'each', values: answer.eventQuantities() } }
    },
  }
}

export interface AwaitedQuestion extends UsageQuestion {
  /** As of a part that is asked. */
  readonly waitsAt: string | null
}

/**
 * The answers in the order of the questions, and the indexes of those whose readings are still waited for, or what was used where they
 * are deployed. A reading that was waited for in vain is pending.
 */
export async function measureAwaited(
  db: Db,
  asked: readonly AwaitedQuestion[],
  meters: ReadonlyMap<string, Meter>,
): Promise<{ answers: readonly UsageAnswer[]; unread: ReadonlySet<number> }> {
  const waited = asked.flatMap((question, index) => (question.waitsAt === null ? [] : [{ question, index }]))
  const found = await findUnread(
    db,
    waited.map(({ question }) => question),
    meters,
  )
  const notTakenOver = await findNotTakenOver(
    db,
    waited.map(({ question: { subscriptionId, window } }) => ({ subscriptionId, until: window.end })),
  )
  const isLate = ({ question }: (typeof waited)[number]) =>
    !isWithinGrace(question.waitsAt ?? '', question.window.end)
  const unread = waited.filter((of, at) => (found.has(at) || notTakenOver.has(at)) && !isLate(of))
  // What is fed names its instant: come late, it is late usage of its own.
  const pending = new Set(waited.filter((of, at) => found.has(at) && isLate(of)).map(({ index }) => index))
  const answers = await measureUsages(db, asked, { meters })
  return {
    unread: new Set(unread.map(({ index }) => index)),
    answers: answers.map((answer, index) =>
      pending.has(index) ? { ...answer, usage: { ...answer.usage, isPending: true } } : answer,
    ),
  }
}

function isWithinGrace(at: string, windowEnd: string): boolean {
  return Date.parse(at) <= Date.parse(windowEnd) + graceMs
}

function questionOf(
  part: UsagePart,
  { line, instanceId, subscription, timeZone }: LineContext,
): UsageQuestion {
  assert(line.metric !== null, 'a usage line names its metric')
  return {
    subscriptionId: subscription.id,
    lineId: line.id,
    instanceId,
    metric: line.metric,
    usageFilter: line.terms.usageFilter,
    unit: line.unit,
    window: instantWindow(part.servicePeriod, timeZone),
    isLast: isClosingUsage(part, subscription.endsOn),
  }
}

function instantWindow(period: Period, timeZone: string): { start: string; end: string } {
  return { start: startOfDay(timeZone, period.start), end: startOfDay(timeZone, period.end) }
}
