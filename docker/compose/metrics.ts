import { keepsHistory, type MetricDefinition } from '#domain/application.ts'
import { definedBy, sourceRefusal, type SharedMetric } from '#domain/shared-metric.ts'
import type { Findings, Path } from './finding.ts'
import type { NamedMetric, XClouder } from './x-clouder.ts'

/**
 * The metrics of a file: its own, and those of the installation that it names. One code means one thing: a file does not define
 * again what the installation has defined.
 * @param shared undefined where the installation is not at hand: what is named is then taken as it will be found
 */
export function metricsOf(
  metrics: XClouder['metrics'],
  shared: readonly SharedMetric[] | undefined,
  findings: Findings,
): MetricDefinition[] {
  return metrics.flatMap((metric, index) => {
    const path = ['x-clouder', 'metrics', index]
    if ('metric' in metric) return named(metric, { shared, path, findings }) ?? []
    if (shared?.some(({ code }) => code === metric.code))
      findings.refuse(
        [...path, 'code'],
        `${metric.code} is defined once for all applications`,
        `write metric: ${metric.code} and its source`,
      )
    return [metric]
  })
}

function named(
  { metric: code, source, intervalS }: NamedMetric,
  { shared, path, findings }: { shared: readonly SharedMetric[] | undefined; path: Path; findings: Findings },
): MetricDefinition | undefined {
  const own = intervalS === undefined ? {} : { intervalS }
  if (shared === undefined) {
    findings.replace([...path, 'metric'], `${code} is what the installation that gets the file defines`)
    return {
      code,
      title: code,
      unit: 'piece',
      kind: 'gauge',
      aggregation: 'max',
      source,
      ...own,
      isShared: true,
    }
  }
  const metric = shared.find((one) => one.code === code)
  if (metric === undefined) {
    const known = shared.map((one) => one.code).join(', ') || 'none'
    findings.refuse(
      [...path, 'metric'],
      `there is no shared metric ${code}`,
      `define it, or name one of: ${known}`,
    )
    return undefined
  }
  const definition = { ...definedBy(metric, source), ...own }
  const [reason, remedy = 'write what is expected'] =
    sourceRefusal(metric, source, keepsHistory(definition))?.split('; ') ?? []
  if (reason !== undefined) findings.refuse([...path, 'source'], `${code} ${reason}`, remedy)
  return definition
}
