import { z } from 'zod'
import { listUncheckedTaxIds, readRequester, recordTaxIdCheck } from '#db/tax-id-check.ts'
import { readEuropeanTaxId, type TaxIdAnswer, type TaxIdCheck } from '#domain/tax-id.ts'
import { messageOf } from '#domain/errors.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { askTaxQuestions } from './tax-service.ts'

export interface CheckedTaxIds {
  readonly valid: number
  readonly invalid: number
  readonly unreachable: number
}

/** A register is asked for a few at a time: it is slow, and refuses who asks too much. */
const mostPerRound = 10
const answerWithinMs = 10_000

/**
 * Asks the tax service for what waits, and a register for the tax ids that nobody confirmed yet. What was answered is kept at
 * once, so that a second try asks for the rest.
 */
export function createTaxIdCheckActivities({ db, taxIdCheck, taxService }: DatabaseDependencies) {
  return {
    async checkTaxIds(): Promise<CheckedTaxIds> {
      if (taxService !== undefined) await askTaxQuestions(db, taxService)
      const counts = { valid: 0, invalid: 0, unreachable: 0 }
      if (taxIdCheck === undefined) return counts
      const { country, taxId } = await readRequester(db)
      const requester = country === null || taxId === null ? null : readEuropeanTaxId(taxId, country)
      for (const of of await listUncheckedTaxIds(db, new Date().toISOString(), mostPerRound)) {
        const asked = readEuropeanTaxId(of.taxId, of.country)
        if (asked === null) continue
        const checked = await ask(async () => taxIdCheck(asked, requester))
        const now = new Date().toISOString()
        await db.transaction().execute(async (tx) => recordTaxIdCheck(tx, of, checked, now))
        counts['failure' in checked ? 'unreachable' : checked.answer.isValid ? 'valid' : 'invalid'] += 1
      }
      return counts
    },
  }
}

/** Not reached is an answer too: it is kept, and the buyer is taxed. */
async function ask(check: () => Promise<TaxIdAnswer>) {
  try {
    return { answer: await check() }
  } catch (error) {
    return { failure: messageOf(error).slice(0, 300) }
  }
}

const viesAnswer = z.union([
  z.object({
    valid: z.boolean(),
    requestIdentifier: z.string().nullish(),
    name: z.string().nullish(),
  }),
  z.object({ errorWrappers: z.array(z.object({ error: z.string() })).min(1) }),
])

/**
 * The register of the EU, by its REST interface. It answers for the member states, any of which may be away while the
 * others are there.
 * @param url such as `https://ec.europa.eu/taxation_customs/vies/rest-api`
 */
export function createViesCheck(url: string): TaxIdCheck {
  return async ({ prefix, number }, requester) => {
    const response = await fetch(`${url.replace(/\/$/, '')}/check-vat-number`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        countryCode: prefix,
        vatNumber: number,
        ...(requester && {
          requesterMemberStateCode: requester.prefix,
          requesterNumber: requester.number,
        }),
      }),
      signal: AbortSignal.timeout(answerWithinMs),
    })
    const read = viesAnswer.safeParse(await response.json().catch(() => null))
    if (!read.success)
      throw new Error(`the register answered ${response.status} with what nobody understands`)
    if ('errorWrappers' in read.data) {
      throw new Error(read.data.errorWrappers.map(({ error }) => error).join(', '))
    }
    const { valid, requestIdentifier, name } = read.data
    // Member states that tell no names say so with dashes.
    const isNameTold = name != null && !/^-*$/.test(name.trim())
    return {
      isValid: valid,
      consultationNumber: requestIdentifier || null,
      name: isNameTold ? name.trim() : null,
    }
  }
}
