import { daysIn } from '#domain/calendar.ts'
import type { UsagePart } from '#domain/invoice/lines.ts'
import { metricsNamedBy, type NamedMetric } from '#domain/pricing/formula.ts'
import { quantityByFormula } from '#domain/pricing/quantity-formula.ts'
import type { UsageQuantity } from '#domain/usage.ts'
import type { Db } from './database.ts'
import { definedMetric, measureUsages, type Meter, type UsageQuestion } from './usage-measure.ts'

/** A part with what is asked of its own metric. */
export interface FormulaPart {
  readonly part: UsagePart
  readonly question: UsageQuestion
}

/**
 * Measures what the formulas of lines name besides their own metric. Asked then for a part, it gives the quantity by its
 * formula, or where it has none, as it was measured.
 * @returns throws what `quantityByFormula` throws: of the part that is asked for, and no other
 */
export async function readFormulas(
  db: Db,
  parts: readonly FormulaPart[],
  options: { withLate?: boolean; meters: ReadonlyMap<string, Meter> },
): Promise<(part: UsagePart, usage: UsageQuantity) => UsageQuantity> {
  const named = parts.flatMap((of) => {
    const { quantityFormula } = of.part.line.terms
    return quantityFormula === null ? [] : metricsNamedBy(quantityFormula).map((metric) => ({ of, metric }))
  })
  const answers = await measureUsages(
    db,
    named.map(({ of, metric }) => questionOf(of.question, metric, options.meters)),
    options,
  )
  const measured = named.map(({ of, metric }, index) => ({
    part: of.part,
    ...metric,
    quantity: answers[index]?.usage.quantity ?? '0',
  }))
  return (part, usage) => {
    const { quantityFormula: formula } = part.line.terms
    if (formula === null) return usage
    const metrics: Record<string, Record<string, string>> = {}
    for (const { metric, aggregate, quantity } of measured.filter((of) => of.part === part))
      metrics[metric] = { ...metrics[metric], [aggregate]: quantity }
    const quantity = quantityByFormula(formula, { values: valuesOf(part, usage), metrics })
    return { ...usage, quantity, formula }
  }
}

/** The line's own metric in the line's unit, any other in its own. */
function questionOf(
  question: UsageQuestion,
  { metric, aggregate }: NamedMetric,
  meters: ReadonlyMap<string, Meter>,
): UsageQuestion {
  const defined = definedMetric(meters, { instanceId: question.instanceId, metric })
  return {
    ...question,
    metric,
    unit: metric === question.metric ? question.unit : (defined?.unit ?? question.unit),
    rule: { kind: defined?.kind ?? 'counter', aggregation: aggregate },
  }
}

function valuesOf({ line, servicePeriod, cycle }: UsagePart, usage: UsageQuantity) {
  return {
    quantity: usage.quantity,
    'line.quantity': line.quantity,
    'period.days': String(daysIn(servicePeriod)),
    'cycle.days': String(daysIn(cycle)),
    'subscription.days': String(daysIn({ start: line.firstStartsOn, end: servicePeriod.end })),
  }
}
