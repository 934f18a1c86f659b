import { isInEuropeanUnion } from './tax.ts'

/** How the VAT numbers of the member states look, after their prefix; from the register's own table (VIES, question 11). */
const formats: Readonly<Record<string, RegExp>> = {
  AT: /^U\d{8}$/, BE: /^[01]\d{9}$/, BG: /^\d{9,10}$/, CY: /^\d{8}[A-Z]$/, CZ: /^\d{8,10}$/, DE: /^\d{9}$/, DK: /^\d{8}$/,
  EE: /^\d{9}$/, ES: /^[A-Z0-9]\d{7}[A-Z0-9]$/, FI: /^\d{8}$/, FR: /^[A-Z0-9]{2}\d{9}$/, GR: /^\d{9}$/, HR: /^\d{11}$/,
  HU: /^\d{8}$/, IE: /^(\d[A-Z0-9+*]\d{5}[A-Z]|\d{7}[A-W][A-I])$/, IT: /^\d{11}$/, LT: /^(\d{9}|\d{12})$/, LU: /^\d{8}$/,
  LV: /^\d{11}$/, MT: /^\d{8}$/, NL: /^[A-Z0-9+*]{10}\d{2}$/, PL: /^\d{10}$/, PT: /^\d{9}$/, RO: /^\d{2,10}$/, SE: /^\d{12}$/,
  SI: /^\d{8}$/, SK: /^\d{10}$/,
} // prettier-ignore

/** A tax id as the register takes it: `FR 40 303265045` is FR and 40303265045. */
export interface EuropeanTaxId {
  /** Of the register: EL for Greece, and the country's two letters for every other. */
  readonly prefix: string
  readonly number: string
}

/**
 * The parts of a tax id of the European Union, whatever spaces, dots and hyphens are in it. The prefix may be left out.
 * Only how it looks is checked; whether it was given to anybody, the register knows.
 * @returns null for what is no tax id of that country
 */
export function readEuropeanTaxId(taxId: string, country: string): EuropeanTaxId | null {
  const format = isInEuropeanUnion(country) ? formats[country] : undefined
  if (format === undefined) return null
  const prefix = country === 'GR' ? 'EL' : country
  const text = taxId.toUpperCase().replaceAll(/[\s.-]/g, '')
  const number = text.startsWith(prefix) ? text.slice(prefix.length) : text
  return format.test(number) ? { prefix, number } : null
}

/** What a register said of a tax id. */
export interface TaxIdAnswer {
  readonly isValid: boolean
  /** Proves that it was asked; null where the register gives none. */
  readonly consultationNumber: string | null
  /** As the register has it, where it tells. */
  readonly name: string | null
}

/**
 * Asks a register for a tax id; `requester` is the seller's own, for which the register gives a consultation number. It
 * rejects where the register cannot be reached or does not answer: then nothing is known, and the buyer is taxed.
 */
export type TaxIdCheck = (taxId: EuropeanTaxId, requester: EuropeanTaxId | null) => Promise<TaxIdAnswer>

/** How long a register that could not be reached is left alone after so many times in vain: 5 minutes, doubled up to 12 hours. */
export function waitAfterFailuresMs(failures: number): number {
  return Math.min(5 * 60_000 * 2 ** Math.min(Math.max(failures - 1, 0), 20), 12 * 3_600_000)
}
