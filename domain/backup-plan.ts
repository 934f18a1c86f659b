import type { ApplicationDefinition, ServiceCommand } from './application.ts'
import {
  instanceLabels,
  planBuild,
  planUnbuild,
  volumeName,
  type BuildStep,
  type Labels,
  type PeerStep,
  type PlannedInstance,
  type RestoreStep,
  type SavedCopy,
  type UndoableStep,
  type VolumeStep,
} from './build-plan.ts'

/** Saves what an instance holds, before anything of it is removed. A plain JSON value. */
export interface BackupStep {
  readonly kind: 'backup'
  readonly name: string
  readonly title: string
  readonly labels: Labels
  /** In the compose file, and on the server. */
  readonly volumes: readonly { readonly volume: string; readonly name: string }[]
  readonly before: readonly ServiceCommand[]
  readonly after: readonly ServiceCommand[]
  readonly isStopped: boolean
}

/** What an unbuild walks. */
export type UnbuildStep = PeerStep | BackupStep | UndoableStep

/** Every step of a build or an unbuild, as it is kept. */
export type StepPlan = BuildStep | UnbuildStep

/**
 * The last backup of an instance: of the volumes that its application wants saved, those that were made. Null where nothing
 * is to be saved.
 * @param made the volumes that are on the server, by their names in the compose file
 */
export function planBackup(
  definition: ApplicationDefinition,
  instance: PlannedInstance,
  made: readonly string[],
): BackupStep | null {
  const rule = definition.backup
  const wanted = (rule?.volumes ?? definition.volumes).filter((volume) => made.includes(volume))
  if (wanted.length === 0) return null
  return {
    kind: 'backup',
    name: `${instance.environmentPrefix}_${instance.name}`,
    title: `Last backup of ${wanted.join(', ')}`,
    labels: instanceLabels(instance),
    volumes: wanted.map((volume) => ({ volume, name: volumeName(instance, volume) })),
    before: rule?.before ?? [],
    after: rule?.after ?? [],
    isStopped: rule?.isStopped ?? true,
  }
}

/** What an instance holds before it is replaced by copies: what its application wants saved, and what they replace. */
export function planBackupBefore(
  definition: ApplicationDefinition,
  instance: PlannedInstance,
  copies: readonly SavedCopy[],
): BackupStep | null {
  const saved = definition.backup?.volumes ?? definition.volumes
  const replaced = copies.map(({ volume }) => volume)
  const volumes = definition.volumes.filter((volume) => saved.includes(volume) || replaced.includes(volume))
  const { backup: rule, ...rest } = definition
  return planBackup(rule ? { ...rest, backup: { ...rule, volumes } } : rest, instance, volumes)
}

/**
 * The steps that put copies in place of what an instance's volumes hold; a volume that is lost is made again. None where the
 * application has none of the volumes any more.
 */
export function planRestoreInPlace(
  definition: ApplicationDefinition,
  instance: PlannedInstance,
  copies: readonly SavedCopy[],
): (VolumeStep | RestoreStep)[] {
  const replaced = new Set(copies.map(({ volume }) => volumeName(instance, volume)))
  const steps = planBuild(definition, { ...instance, restoreFrom: copies })
  return steps.flatMap((step): (VolumeStep | RestoreStep)[] => {
    if (step.kind === 'restore') return [{ ...step, isInPlace: true }]
    return step.kind === 'volume' && replaced.has(step.name) ? [step] : []
  })
}

/**
 * The way back: an installation first gets what it is still to be sent, then all that is to be saved is saved, before the first thing
 * is removed.
 */
export function planSafeUnbuild(made: readonly BuildStep[], backups: readonly BackupStep[]): UnbuildStep[] {
  return [...made.filter((step) => step.kind === 'peer'), ...backups, ...planUnbuild(made)]
}

/** When a copy may be deleted: so many times 24 hours after it was taken. */
export function expiryOf(takenAt: string, retentionDays: number): string {
  return Temporal.Instant.from(takenAt)
    .add({ hours: 24 * retentionDays })
    .toString()
}
