import type { z } from 'zod'
import { announcedFields } from '#domain/announcement.ts'
import type { Frame } from '../frame.ts'
import { patchSeller } from '../routes/seller.ts'
import { sellerChangeSchema } from '../schemas/seller.ts'
import { parse } from '../validation.ts'
import { knownOf, registerRowForm, toNumber } from './row-form.ts'
import type { Values } from './sent-form.ts'
import { settingsBody } from './settings.tsx'

type Change = z.output<typeof sellerChangeSchema>

/** Each form of the settings says its own part of what PATCH /v1/seller takes. */
const forms: Readonly<Record<string, (values: Values) => Change>> = {
  seller: toProfile,
  billing: toBilling,
  orders: toOrders,
  kept: toKept,
  announced: toAnnounced,
  numbers: toNumbers,
}

export function registerSettingsForms(frame: Frame): void {
  for (const [name, toChange] of Object.entries(forms)) {
    registerRowForm(frame, {
      path: `/settings/${name}`,
      permission: 'seller:write',
      form: () => name,
      carryOut: async (tx, { values }) => {
        await patchSeller(tx, toChange(values))
        return `/settings?saved=${name}#${name}`
      },
      showAgain: async (view, _id, refused) => await settingsBody(frame, view, { refused }),
    })
  }
}

function toProfile(values: Values): Change {
  const {
    'bank_account.iban': iban,
    'bank_account.bic': bic,
    'bank_account.name': holder,
    ...known
  } = knownOf(values)
  const account = { iban: iban?.replaceAll(' ', ''), bic: bic ?? undefined, name: holder ?? undefined }
  const isGiven = Object.values(account).some((value) => value !== undefined)
  const said = { name: values['name'], address: values['address'] }
  return parse(sellerChangeSchema, { ...known, ...said, bank_account: isGiven ? account : null }, 'body')
}

function toBilling(values: Values): Change {
  const change = {
    ...values,
    prices_include_tax: values['prices_include_tax'] === 'true',
    states_tax_in_own_currency: values['states_tax_in_own_currency'] === 'true',
    skips_zero_invoices: values['skips_zero_invoices'] === 'true',
    payment_terms_days: toNumber(values['payment_terms_days']),
    draft_days: toNumber(values['draft_days']),
    advance_days: toNumber(values['advance_days']),
  }
  return parse(sellerChangeSchema, change, 'body')
}

function toOrders(values: Values): Change {
  const {
    'review_rules.amount_from_minor': amount = '',
    'review_rules.countries': countries = '',
    'review_rules.is_first_order': isFirstOrder,
    'review_rules.is_mail_unverified': isMailUnverified,
    ...plain
  } = values
  const rules = {
    amount_from_minor: amount.trim() === '' ? null : toNumber(amount),
    countries: countries.split(/[\s,]+/).filter((country) => country !== ''),
    is_first_order: isFirstOrder === 'true',
    is_mail_unverified: isMailUnverified === 'true',
  }
  const change = {
    ...plain,
    reservation_minutes: toNumber(values['reservation_minutes']),
    unpaid_order_days: toNumber(values['unpaid_order_days']),
    review_rules: rules,
  }
  return parse(sellerChangeSchema, change, 'body')
}

/** How long something is kept. */
function toKept(values: Values): Change {
  const change = {
    readings_raw_days: toNumber(values['readings_raw_days']),
    readings_hourly_months: toNumber(values['readings_hourly_months']),
    usage_late_days: toNumber(values['usage_late_days']),
    usage_early_seconds: toNumber(values['usage_early_seconds']),
    backup_retention_days: toNumber(values['backup_retention_days']),
  }
  return parse(sellerChangeSchema, change, 'body')
}

/** Each field is a box of its own. */
function toAnnounced(values: Values): Change {
  const chosen = announcedFields.filter((field) => values[field] === 'true')
  return parse(sellerChangeSchema, { announced_fields: chosen }, 'body')
}

function toNumbers(values: Values): Change {
  const of = (kind: string) => ({
    series: values[`number_patterns.${kind}.series`],
    pattern: values[`number_patterns.${kind}.pattern`],
  })
  const patterns = { invoice: of('invoice'), credit_note: of('credit_note') }
  return parse(sellerChangeSchema, { number_patterns: patterns }, 'body')
}
