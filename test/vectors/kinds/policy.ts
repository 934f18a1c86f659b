import { changeTakesEffectOn, classifyChange, yearlyAmount } from '#domain/change-policy.ts'
import { BusinessError } from '#domain/errors.ts'
import type { ChangeMoment } from '#domain/terms.ts'
import type { Adapter, Vector } from '../adapter.ts'
import { amountOf, recurrenceOf, type Inputs } from '../calendar-inputs.ts'

const moments: Readonly<Record<string, ChangeMoment>> = {
  IMMEDIATE: 'now',
  START_OF_TERM: 'now',
  END_OF_TERM: 'period_end',
  ILLEGAL: 'not_allowed',
}

function allowed({ inputs }: Vector) {
  const moment = moments[String(inputs['policy']).toUpperCase()]
  if (!moment) throw new Error(`no change policy is called ${String(inputs['policy'])}`)
  const dates = { today: '2021-01-15', periodEnd: '2021-02-01' }
  try {
    changeTakesEffectOn('upgrade', { upgrade: moment, downgrade: moment }, dates)
    return { allowed: true }
  } catch (error) {
    if (error instanceof BusinessError && error.code === 'change_not_allowed') return { allowed: false }
    throw error
  }
}

function classify({ inputs }: Vector) {
  const yearly = (plan: Inputs) =>
    yearlyAmount(amountOf(plan, 'amount', 'amount_cents'), recurrenceOf(plan['interval']))
  return { class: classifyChange(yearly(inputs['old'] as Inputs), yearly(inputs['new'] as Inputs)) }
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'policy.change': allowed,
  'policy.classify_change': classify,
}
