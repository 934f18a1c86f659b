import { exportCompose, type ComposeExport } from '#domain/compose-export.ts'
import { encodeId } from '#domain/identifier.ts'
import { pinnedName } from '#domain/image-pin.ts'
import { linkedVariables, openedValues } from '#domain/link-plan.ts'
import { addressValues, type VariableValues } from '#domain/variable.ts'
import { readApplications } from './order-application.ts'
import type { Db } from './database.ts'
import { insertEvent } from './event.ts'
import { getDeployedInstance, type DeployedInstance } from './instance.ts'
import { listLinksOf, offeredBy } from './link.ts'
import { open, type InstallationKey } from './sealing.ts'
import { listSecrets } from './secret.ts'
import { getSubscription } from './subscription.ts'

/** A compose file with what is to be known of it. */
export interface ExportedFile extends ComposeExport {
  readonly application: string
  /** What it was linked to, and does not bring along. */
  readonly linkedTo: readonly { readonly name: string; readonly offer: string }[]
}

/** An instance as a plain compose file: its variables have the values that it has. Secrets are left out. */
export async function exportInstance(db: Db, instanceId: string): Promise<ExportedFile> {
  return exportWith(await getDeployedInstance(db, instanceId), {})
}

/** The same with its secrets, and those that its links bring. That they were told is an event. */
export async function exportInstanceWithSecrets(
  db: Db,
  key: InstallationKey,
  { instanceId, by }: { instanceId: string; by: string },
): Promise<ExportedFile> {
  const instance = await getDeployedInstance(db, instanceId)
  const { customer_id: customerId } = await getSubscription(db, instance.subscriptionId)
  await insertEvent(db, {
    kind: 'instance.secrets_exported',
    customerId,
    subscriptionId: instance.subscriptionId,
    data: { instance: encodeId('instance', instanceId), name: instance.planned.name, by },
  })
  return exportWith(instance, {
    ...(await openLinked(db, key, instanceId)),
    ...(await openOwn(db, key, instanceId)),
  })
}

async function openOwn(db: Db, key: InstallationKey, instanceId: string): Promise<Record<string, string>> {
  const sealed = await listSecrets(db, instanceId)
  return Object.fromEntries(sealed.map((secret) => [secret.name, open(key, instanceId, secret)]))
}

async function openLinked(db: Db, key: InstallationKey, instanceId: string): Promise<Record<string, string>> {
  const opened: Record<string, string> = {}
  for (const link of await listLinksOf(db, [instanceId])) {
    const { want, offer, offering } = link
    if (link.wanting.id !== instanceId || want === null || offer === null) continue
    const secrets = await openOwn(db, key, offering.id)
    Object.assign(opened, linkedVariables(want, openedValues(offer, offeredBy(link, offer), secrets)))
  }
  return opened
}

function exportWith(
  { definition, planned }: DeployedInstance,
  secrets: Readonly<Record<string, string>>,
): ExportedFile {
  const links = planned.links ?? []
  const values: VariableValues = {
    ...addressValues(definition, planned.hostPort),
    ...planned.variables,
    ...Object.assign({}, ...links.map(({ variables }) => variables)),
    ...secrets,
  }
  const pins = (planned.images ?? []).filter(({ repositoryDigest }) => repositoryDigest !== null)
  return {
    ...exportCompose({
      definition,
      values,
      hostPort: planned.hostPort,
      limits: planned,
      images: Object.fromEntries(pins.map((pin) => [pin.reference, pinnedName(pin)])),
    }),
    application: planned.application,
    linkedTo: links.map(({ name, offer }) => ({ name, offer: offer.name })),
  }
}

/** The newest version of an application, without any instance of it: what an order would say is left to be given. */
export async function exportApplication(db: Db, applicationId: string): Promise<ExportedFile> {
  const application = (await readApplications(db, [applicationId])).get(applicationId)
  if (application === undefined) throw new Error('an application without a version')
  const { code, definition } = application
  const hostPort = definition.public?.port ?? null
  const values = addressValues(definition, hostPort)
  return { ...exportCompose({ definition, values, hostPort }), application: code, linkedTo: [] }
}
