import { assert } from '../assert.ts'
import { cycleHolding, intersect, type Period } from '../calendar.ts'
import { BusinessError } from '../errors.ts'
import type { DocumentInput } from './document.ts'
import { dueParts } from './due.ts'
import type { InvoiceLineExplanation } from './explanation.ts'
import type {
  BillableLine,
  DuePart,
  InvoiceLineKind,
  MeasuredUsage,
  OneOffCharge,
  UsagePart,
} from './lines.ts'

/** A line of the invoice that is billed anew. */
export interface AnnulledLine {
  readonly id: string
  readonly kind: InvoiceLineKind
  readonly subscriptionLineId: string | null
  readonly oneOffChargeId: string | null
  readonly creditsLineId: string | null
  readonly servicePeriod: Period | null
  readonly explanation: InvoiceLineExplanation
  /** Behind a share of single values; left out where it has none. */
  readonly values?: readonly string[]
}

/**
 * What a document is computed from that bills anew what an annulled one billed: the same days as far as they are still
 * served, the same measured usage, the same one-offs. What the annulled one billed counts as not billed; what others billed
 * since stays theirs.
 * @param input of the bill as it would be made today
 * @throws `action_not_allowed` when a line lies on another document by now
 */
export function partsAnew(
  input: DocumentInput,
  billed: readonly AnnulledLine[],
  charges: readonly OneOffCharge[],
): DocumentInput {
  const annulled = new Set(billed.map(({ id }) => id))
  const lines = input.lines.map((line) => ({
    ...line,
    billed: line.billed.filter((part) => !annulled.has(part.id)),
  }))
  const byId = new Map(lines.map((line) => [line.id, line]))
  const usage = new Map<UsagePart, MeasuredUsage>()
  const parts = billed.flatMap((of): DuePart[] => {
    if (of.subscriptionLineId === null) return []
    const line = byId.get(of.subscriptionLineId)
    if (!line) throw linesLieElsewhere()
    return partAnew(of, line, usage)
  })
  const oneOffs = charges.map((charge): DuePart => ({ kind: 'one_off', charge }))
  return { ...input, lines, parts: [...parts, ...oneOffs], usageOf: (part) => measured(usage, part) }
}

export function linesLieElsewhere(): BusinessError {
  return new BusinessError(
    'action_not_allowed',
    'Its lines lie on another document now. Bill what is missing by one-off charges.',
  )
}

function measured(usage: ReadonlyMap<UsagePart, MeasuredUsage>, part: UsagePart): MeasuredUsage {
  const answer = usage.get(part)
  assert(answer, 'every part that was measured keeps its quantity')
  return answer
}

function partAnew(of: AnnulledLine, line: BillableLine, usage: Map<UsagePart, MeasuredUsage>): DuePart[] {
  switch (of.kind) {
    case 'one_time':
      return [{ kind: 'one_time', line }]
    case 'recurring':
      return recurringAnew(of, line)
    case 'usage':
      return usageAnew(of, line, usage)
    case 'late_usage':
      return lateAnew(of, line)
    case 'credit':
      // Credited again as far as it is due today: not when the cancellation behind it was taken back.
      return dueParts([line], line.startsOn).filter(
        (part) => part.kind === 'credit' && part.charge.id === of.creditsLineId,
      )
    case 'one_off':
    case 'true_up':
    case 'correction':
      return []
  }
}

function recurringAnew({ servicePeriod, explanation }: AnnulledLine, line: BillableLine): DuePart[] {
  if (servicePeriod === null) return []
  const served = intersect({ start: line.startsOn, end: line.endsOn }, servicePeriod)
  // Where no cycle is named, the part was the whole of it.
  const cycle = explanation.cycle ?? servicePeriod
  return served ? [{ kind: 'recurring', line, servicePeriod: served, cycle }] : []
}

function usageAnew(
  { servicePeriod, explanation, values }: AnnulledLine,
  line: BillableLine,
  usage: Map<UsagePart, MeasuredUsage>,
): DuePart[] {
  if (servicePeriod === null || !explanation.usage || line.interval === null) return []
  const cycle = explanation.cycle ?? cycleHolding(line.billingCycleAnchor, line.interval, servicePeriod.start)
  const { billedQuantity, isEarly } = explanation
  const part = {
    kind: 'usage',
    line,
    servicePeriod,
    cycle,
    ...(billedQuantity === undefined ? {} : { billedQuantity }),
    ...(isEarly ? { isEarly } : {}),
  } as const
  usage.set(part, { usage: explanation.usage, ...eventsOf(values) })
  return [part]
}

function eventsOf(values: AnnulledLine['values']): Pick<MeasuredUsage, 'events'> {
  return values === undefined ? {} : { events: { kind: 'each', values } }
}

function lateAnew({ servicePeriod, explanation, values }: AnnulledLine, line: BillableLine): DuePart[] {
  const { usage, billedQuantity, price } = explanation
  if (servicePeriod === null || !usage || billedQuantity === undefined || line.interval === null) return []
  return [
    {
      kind: 'late_usage',
      line,
      // Only of a cycle that was billed in parts, or of a bound by days, a cycle is named.
      ...(explanation.cycle && explanation.daysServed === undefined ? { isOfSplitCycle: true } : {}),
      servicePeriod,
      cycle: explanation.cycle ?? cycleHolding(line.billingCycleAnchor, line.interval, servicePeriod.start),
      price: price ?? line.price,
      billedQuantity,
      late: { usage, ...eventsOf(values) },
      eventIds: [],
    },
  ]
}
