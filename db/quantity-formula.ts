import { daysIn } from '#domain/calendar.ts'
import type { UsagePart } from '#domain/invoice/lines.ts'
import { metricsNamedBy, type NamedMetric } from '#domain/pricing/formula.ts'
import { quantityByFormula } from '#domain/pricing/quantity-formula.ts'
import type { UsageQuantity } from '#domain/usage.ts'
import { definedMetric, type Meter, type UsageAnswer, type UsageQuestion } from './usage-measure.ts'

/** What the formula of a part names: a metric, and how its values are taken together. */
interface Named<Question> extends NamedMetric {
  readonly part: UsagePart
  readonly question: Question
}

/** What the formulas of lines name besides their own metric. Lines without one name nothing. */
export function namedByFormulas<Question extends UsageQuestion>(
  asked: readonly { readonly part: UsagePart; readonly question: Question }[],
  meters: ReadonlyMap<string, Meter>,
): Named<Question>[] {
  return asked.flatMap(({ part, question }) => {
    const { quantityFormula } = part.line.terms
    if (quantityFormula === null) return []
    return metricsNamedBy(quantityFormula).map((named) => ({
      part,
      ...named,
      question: questionOf(question, named, meters),
    }))
  })
}

/**
 * Asked for a part, it gives the quantity by its formula, or where it has none, as it was measured.
 * @param answers in the order of what is named
 * @returns throws what `quantityByFormula` throws: of the part that is asked for, and no other
 */
export function applyFormulas(
  named: readonly Named<UsageQuestion>[],
  answers: readonly UsageAnswer[],
): (part: UsagePart, usage: UsageQuantity) => UsageQuantity {
  const measured = Map.groupBy(
    named.map((of, index) => ({ ...of, quantity: answers[index]?.usage.quantity ?? '0' })),
    ({ part }) => part,
  )
  return (part, usage) => {
    const { quantityFormula: formula } = part.line.terms
    if (formula === null) return usage
    const metrics: Record<string, Record<string, string>> = {}
    for (const { metric, aggregate, quantity } of measured.get(part) ?? [])
      metrics[metric] = { ...metrics[metric], [aggregate]: quantity }
    const quantity = quantityByFormula(formula, { values: valuesOf(part, usage), metrics })
    return { ...usage, quantity, formula }
  }
}

/** The line's own metric in the line's unit, any other in its own. */
function questionOf<Question extends UsageQuestion>(
  question: Question,
  { metric, aggregate }: NamedMetric,
  meters: ReadonlyMap<string, Meter>,
): Question {
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
