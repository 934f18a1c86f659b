import type { Labels } from './build-plan.ts'
import type { ObservedObject } from './runner.ts'
import {
  isUndoable,
  keyOf,
  repairCommand,
  type Comparison,
  type Finding,
  type RecordedResource,
  type WantedInstance,
} from './finding.ts'

/** Rows against objects, both ways: objects that no row knows, and rows whose object is not there. */
export function compareRecords(
  { installation, wanted, recorded, observed }: Comparison,
  objects: ReadonlyMap<string, ObservedObject>,
): Finding[] {
  const isOurs = (labels: Labels): boolean => labels['io.clouder.installation'] === installation
  const instances = new Map(wanted.map((instance) => [instance.instance, instance]))
  const planned = new Set(
    wanted.flatMap(({ instance, steps }) =>
      steps.filter(isUndoable).map((step) => `${instance}/${keyOf(step)}`),
    ),
  )
  const rows = Map.groupBy(
    recorded.filter(({ kind }) => kind !== 'image'),
    keyOf,
  )
  const orphans = observed
    .filter(({ labels }) => isOurs(labels))
    .flatMap((object) => {
      const owners = ownersOf(object, instances, wanted)
      return findOrphan(object, { owners, rows: rows.get(keyOf(object)) ?? [], planned }) ?? []
    })
  const ghosts = [...rows.values()].flat().flatMap((row) => {
    const instance = instances.get(row.instance)
    if (instance?.wants === 'nothing') return []
    const object = objects.get(keyOf(row))
    if (object !== undefined && !isOurs(object.labels)) return []
    return findGhost(row, object, planned.has(`${row.instance}/${keyOf(row)}`)) ?? []
  })
  return [...orphans, ...ghosts]
}

/** The live instances that an object belongs to: a network, which has no label of one, to all of its environment. */
function ownersOf(
  { labels }: ObservedObject,
  instances: ReadonlyMap<string, WantedInstance>,
  wanted: readonly WantedInstance[],
): readonly WantedInstance[] {
  const id = labels['io.clouder.instance']
  if (id === undefined)
    return wanted.filter((one) => one.environmentPrefix === labels['io.clouder.environment'])
  const instance = instances.get(id)
  return instance === undefined ? [] : [instance]
}

interface Owned {
  readonly owners: readonly WantedInstance[]
  readonly rows: readonly RecordedResource[]
  readonly planned: ReadonlySet<string>
}

function findOrphan(object: ObservedObject, { owners, rows, planned }: Owned): Finding | null {
  if (owners.some(({ wants }) => wants === 'nothing')) return null
  const owner = owners[0]
  const of = {
    kind: 'orphan',
    severity: 'notice',
    instance: owner?.instance ?? null,
    objectKind: object.kind,
    objectName: object.name,
    isSafe: false,
  } as const
  const what = `The ${object.kind} ${object.name} carries our labels, and`
  if (owner === undefined)
    return { ...of, detail: `${what} no live instance is behind it.`, command: removal(object) }
  const isPlanned = owners.some(({ instance }) => planned.has(`${instance}/${keyOf(object)}`))
  if (!isPlanned) return { ...of, detail: `${what} its instance does not want it.`, command: removal(object) }
  if (rows.length > 0) return null
  return { ...of, detail: `${what} no row knows of it.`, command: repairCommand(owner.instance) }
}

/** By its exact id, and by a person only. */
function removal({ kind, externalId }: ObservedObject): string {
  return kind === 'container'
    ? `docker container rm --force ${externalId}`
    : `docker ${kind} rm ${externalId}`
}

/** Setting a row right removes nothing: what is not there is not there. */
function findGhost(
  row: RecordedResource,
  object: ObservedObject | undefined,
  isPlanned: boolean,
): Finding | null {
  if (row.kind === 'image') return null
  const of = {
    kind: 'ghost',
    severity: 'notice',
    instance: row.instance,
    objectKind: row.kind,
    objectName: row.name,
    isSafe: true,
    command: repairCommand(row.instance),
  } as const
  if (object === undefined) {
    // What is wanted and not there is told as missing already.
    if (isPlanned) return null
    return { ...of, detail: `The ${row.kind} ${row.name} is recorded, and is not on the server.` }
  }
  if (object.externalId === row.externalId || !isPlanned) return null
  return {
    ...of,
    detail: `The ${row.kind} ${row.name} is recorded as ${row.externalId}, and is ${object.externalId}.`,
  }
}
