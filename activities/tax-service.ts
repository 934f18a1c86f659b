import { z } from 'zod'
import { listTaxQuestions, recordTaxAnswer, recordTaxFailure } from '#db/tax-answer.ts'
import type { Db } from '#db/database.ts'
import { addDays } from '#domain/calendar.ts'
import {
  holdsOn,
  ratesFit,
  type TaxFacts,
  type TaxService,
  type TaxServiceAnswer,
} from '#domain/tax-service.ts'
import { messageOf } from '#domain/errors.ts'

const mostPerRound = 50
const answerWithinMs = 10_000

/**
 * Asks for what bills and previews wait for. Where one question is not answered the others are still asked, unless the
 * service is away: then the rest of the round would wait for it in vain.
 */
export async function askTaxQuestions(db: Db, service: TaxService): Promise<void> {
  for (const question of await listTaxQuestions(db, new Date().toISOString(), mostPerRound)) {
    const answered = await ask(async () => service(question.facts, question.on))
    const now = new Date().toISOString()
    await db.transaction().execute(async (tx) => {
      if ('failure' in answered) await recordTaxFailure(tx, question, answered.failure, now)
      else await recordTaxAnswer(tx, question, answered.answer, now)
    })
    if ('failure' in answered && answered.isAway) return
  }
}

async function ask(service: () => Promise<TaxServiceAnswer>) {
  try {
    return { answer: await service() }
  } catch (error) {
    const failure = messageOf(error).slice(0, 300)
    return { failure, isAway: !(error instanceof AnswerRefused) }
  }
}

/** The service is there, and what it says of this question cannot be used. */
class AnswerRefused extends Error {}

const dateField = z.iso.date()
const answerSchema = z
  .object({
    category: z.enum(['standard', 'zero', 'exempt', 'reverse_charge', 'out_of_scope']),
    rates: z.array(
      z.object({
        name: z.string().min(1),
        rate_percent: z
          .string()
          .regex(/^\d{1,3}(\.\d{1,6})?$/)
          .refine((percent) => Number(percent) <= 100),
      }),
    ),
    note: z.string().nullish(),
    source: z.string().min(1).max(200),
    valid_from: dateField.nullish(),
    valid_until: dateField.nullish(),
  })
  .refine(({ category, rates }) =>
    ratesFit(
      category,
      rates.map((rate) => Number(rate.rate_percent)),
    ),
  )

/**
 * A service that is asked by HTTP: a POST of the facts and the day, answered with category, rates, note, source, and the
 * days for which that holds (`valid_until` is the first on which it does not). Days left out: that day alone.
 * @param url such as `https://tax.example.com/determinations`
 */
export function createTaxService(url: string): TaxService {
  return async (facts, on) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(toQuestion(facts, on)),
      signal: AbortSignal.timeout(answerWithinMs),
    })
    if (response.status >= 500) throw new Error(`the tax service answered ${response.status}`)
    if (!response.ok) throw new AnswerRefused(`the tax service answered ${response.status}`)
    const read = answerSchema.safeParse(await response.json().catch(() => null))
    if (!read.success) throw new AnswerRefused('the tax service answered with what nobody understands')
    const { category, rates, note, source, ...valid } = read.data
    const isOfDay = valid.valid_from === undefined && valid.valid_until === undefined
    const days = isOfDay
      ? { startsOn: on, endsOn: addDays(on, 1) }
      : { startsOn: valid.valid_from ?? null, endsOn: valid.valid_until ?? null }
    if (!holdsOn(days, on)) throw new AnswerRefused(`the tax service answered for other days than ${on}`)
    return {
      decision: {
        category,
        rates: rates.map((rate) => ({ name: rate.name, ratePercent: rate.rate_percent })),
        note: note ?? null,
      },
      source,
      ...days,
    }
  }
}

function toQuestion(facts: TaxFacts, on: string): object {
  return {
    seller: { country: facts.sellerCountry },
    buyer: {
      country: facts.buyerCountry,
      region: facts.buyerRegion,
      is_business: facts.isBusiness,
      is_tax_id_verified: facts.isTaxIdVerified,
    },
    category: facts.productCategory,
    on,
    is_electronic_service: true,
  }
}
