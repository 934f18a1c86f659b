import { cpus, loadavg, totalmem } from 'node:os'
import Table from 'cli-table3'
import { isMet, ratioOf, spreadOf, type Measurement, type NotMeasured } from './measurement.ts'

export interface Report {
  readonly machine: Machine
  readonly measurements: readonly Measurement[]
  readonly notMeasured: readonly NotMeasured[]
}

interface Machine {
  readonly processors: number
  readonly memoryMib: number
  /** Of the last minute before the run: what else the machine was busy with. */
  readonly loadAverage: number
  readonly node: string
}

const headings = ['measure', 'value', 'peer or limit', 'ratio', 'aim', 'met'] as const
const noBorders = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '',
  'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
} // prettier-ignore

export function describeMachine(): Machine {
  return {
    processors: cpus().length,
    memoryMib: Math.round(totalmem() / 1024 ** 2),
    loadAverage: loadavg()[0] ?? 0,
    node: process.versions.node,
  }
}

/** For people: medians, with the least and the greatest of the repetitions behind them. */
export function formatReport({ machine, measurements, notMeasured }: Report): string {
  const table = new Table({
    head: [...headings],
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  table.push(...measurements.map(toCells))
  return [
    table.toString(),
    '',
    `Medians (least to greatest). ${machine.processors} processors, ${machine.memoryMib} MiB, Node ${machine.node}, load average ${machine.loadAverage.toFixed(1)} when the run began.`,
    ...notMeasured.map(({ measure, reason }) => `Not measured: ${measure}. ${reason}`),
    concludeAims(measurements),
  ].join('\n')
}

function concludeAims(measurements: readonly Measurement[]): string {
  const aimed = measurements.filter((measurement) => isMet(measurement) !== null)
  const missed = aimed.filter((measurement) => isMet(measurement) === false)
  if (aimed.length === 0) return 'Nothing that was measured has an aim.'
  if (missed.length === 0) return `All ${aimed.length} aims are met.`
  return `Missed ${missed.length} of ${aimed.length} aims: ${missed.map(({ measure }) => measure).join('; ')}.`
}

/** For programs: the same, with every repetition. */
export function toReportJson({ machine, measurements, notMeasured }: Report) {
  return {
    machine: {
      processors: machine.processors,
      memory_mib: machine.memoryMib,
      load_average: machine.loadAverage,
      node: machine.node,
    },
    measurements: measurements.map((measurement) => ({
      measure: measurement.measure,
      unit: measurement.unit,
      value: { ...spreadOf(measurement.values), all: measurement.values },
      [measurement.against.kind]: {
        title: measurement.against.title,
        ...spreadOf(measurement.against.values),
        all: measurement.against.values,
      },
      ratio: ratioOf(measurement),
      aim: {
        ratio_at_most: measurement.aim.ratioAtMost,
        more_at_most: measurement.aim.moreAtMost,
        ratio_at_least: measurement.aim.ratioAtLeast,
      },
      is_met: isMet(measurement),
    })),
    not_measured: notMeasured,
  }
}

function toCells(measurement: Measurement): string[] {
  const { measure, unit, values, against } = measurement
  const met = isMet(measurement)
  return [
    measure,
    formatValues(values, unit),
    `${against.title}: ${formatValues(against.values, unit)}`,
    ratioOf(measurement)?.toFixed(2) ?? '–',
    formatAim(measurement),
    met === null ? '–' : met ? 'yes' : 'NO',
  ]
}

function formatValues(values: readonly number[], unit: string): string {
  const { min, median, max } = spreadOf(values)
  if (values.length === 1) return `${formatNumber(median)} ${unit}`
  return `${formatNumber(median)} ${unit} (${formatNumber(min)} to ${formatNumber(max)})`
}

function formatNumber(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0)
}

function formatAim({ aim, unit, against }: Measurement): string {
  if (against.kind === 'limit' && aim.ratioAtMost === 1) return 'under the limit'
  const parts = [
    ...(aim.ratioAtMost === undefined ? [] : [`${aim.ratioAtMost} times`]),
    ...(aim.moreAtMost === undefined ? [] : [`${aim.moreAtMost} ${unit} more`]),
  ]
  if (aim.ratioAtLeast !== undefined) return `at least ${aim.ratioAtLeast} times`
  return parts.length === 0 ? 'none' : `at most ${parts.join(' and ')}`
}
