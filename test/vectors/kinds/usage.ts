import type Big from 'big.js'
import {
  aggregate,
  bucketMaxima,
  countUnique,
  latestOfEach,
  timeWeightedAverage,
  type Aggregation,
} from '#domain/aggregation.ts'
import { roundDecimal } from '#domain/money.ts'
import type { PriceTier } from '#domain/pricing/price.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import type { Adapter, Vector } from '../adapter.ts'
import { decimal, has, toCents, type Inputs } from '../calendar-inputs.ts'

/** Events of the examples; where they say so, one that was sent again replaces the first. */
function eventsOf(inputs: Inputs): Inputs[] {
  if (!Array.isArray(inputs['events'])) throw new Error('there are neither values nor events')
  const events = inputs['events'] as Inputs[]
  return has(inputs, 'dedupe')
    ? latestOfEach(events.map((event) => ({ ...event, id: String(event['id']) })))
    : events
}

function valuesOf(inputs: Inputs): Big[] {
  const values = inputs['values'] as unknown[] | undefined
  return (values ?? eventsOf(inputs).map((event) => event['value'] ?? event['gb'])).map(decimal)
}

/** An average is stated to 10 decimals, as a usage window has it. */
function by(kind: 'max' | 'min' | 'average'): Adapter {
  return ({ inputs }) => ({ value: roundDecimal(aggregate(valuesOf(inputs), { kind }), 10) })
}

/** Whatever is counted needs no value. */
function count({ inputs }: Vector) {
  return { value: ((inputs['values'] as unknown[] | undefined) ?? eventsOf(inputs)).length }
}

function countNames({ inputs }: Vector) {
  const values = inputs['values'] as unknown[] | undefined
  return { value: countUnique((values ?? eventsOf(inputs).map((event) => event['user'])).map(String)) }
}

/** The multiplier is a factor from one unit to another. */
function sum({ inputs }: Vector) {
  const summed = aggregate(valuesOf(inputs), { kind: 'sum' })
  return { sum: summed, value: summed.times(decimal(inputs['multiplier'] ?? 1)) }
}

function latest({ inputs }: Vector) {
  const last: Aggregation = { kind: 'last' }
  if (has(inputs, 'values')) return { value: aggregate(valuesOf(inputs), last) }
  const events = eventsOf(inputs).toSorted((first, second) => instantOf(first) - instantOf(second))
  return { value: aggregate(valuesOf({ events }), last) }
}

/** A date, an instant, or a time of some day. */
function instantOf({ at }: Inputs): number {
  const written = String(at)
  return Date.parse(/^\d\d:\d\d/.test(written) ? `2024-01-01T${written}Z` : written)
}

function maxBucketed({ inputs }: Vector) {
  const maxima = bucketMaxima((inputs['buckets'] as unknown[][]).map((values) => values.map(decimal)))
  const value = aggregate(maxima, { kind: 'sum' })
  if (!has(inputs, 'tiers')) return { bucket_max: maxima, value }
  const tiers = (inputs['tiers'] as Inputs[]).map(toTier)
  return { bucket_max: maxima, value, amount: ratePrice({ model: 'graduated', tiers }, value).amount }
}

function toTier(tier: Inputs): PriceTier {
  return {
    upTo: has(tier, 'up_to') ? decimal(tier['up_to']).toFixed() : null,
    unitAmount: decimal(tier['unit_amount'] ?? 0).toFixed(),
    flatAmount: decimal(tier['flat_amount'] ?? 0).toFixed(),
  }
}

function weightedSum({ inputs }: Vector) {
  if (!has(inputs, 'events')) {
    const held = (inputs['segments'] as Inputs[]).map(({ value, seconds }) => ({
      value: decimal(value),
      duration: Number(seconds),
    }))
    return { value: roundDecimal(timeWeightedAverage(held, Number(inputs['period_seconds'])), 10) }
  }
  const [start, end] = (inputs['period'] as [string, string]).map((date) => Date.parse(date))
  if (start === undefined || end === undefined) return {}
  const held = eventsOf(inputs).map((event) => ({
    value: decimal(event['delta'] ?? event['value']),
    duration: end - instantOf(event),
  }))
  const value = timeWeightedAverage(held, end - start)
  const unitAmount = decimal(inputs['unit_amount'] ?? 0).toFixed()
  const { amount } = ratePrice({ model: 'per_unit', unitAmount }, value)
  return { value: roundDecimal(value, 10), amount, amount_cents: toCents(amount) }
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'aggregate.count': count,
  'aggregate.sum': sum,
  'aggregate.max': by('max'),
  'aggregate.min': by('min'),
  'aggregate.average': by('average'),
  'aggregate.count_unique': countNames,
  'aggregate.latest': latest,
  'aggregate.max_bucketed': maxBucketed,
  'aggregate.weighted_sum': weightedSum,
}
