import { sql } from 'kysely'
import type { ApplicationDefinition, LinkOffer, LinkWant } from '#domain/application.ts'
import { containerName, instanceLabels, type PlannedInstance } from '#domain/build-plan.ts'
import { encodeId } from '#domain/identifier.ts'
import {
  linkedVariables,
  linkNetworkName,
  offeredHost,
  offeredValues,
  type LinkReason,
  type OfferedBy,
} from '#domain/link-plan.ts'
import type { LinkState } from '#domain/link.ts'
import { addressValues, type VariableValues } from '#domain/variable.ts'
import type { Db } from './database.ts'

/** One side of a link: an instance as far as its names and values follow from it. */
interface LinkSide {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly subscription_id: string
  readonly customer_id: string
  readonly application: string
  readonly host_port: number | null
  readonly own: VariableValues
  readonly secrets: ApplicationDefinition['secrets']
  readonly variables: NonNullable<ApplicationDefinition['variables']>
}

/** A link with both its sides. */
export interface LinkRow {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly state: LinkState
  readonly is_required: boolean
  readonly reason: LinkReason
  readonly installation_id: string
  readonly want: LinkWant | null
  readonly offer: LinkOffer | null
  readonly wanting: LinkSide
  readonly offering: LinkSide
}

/** Links that were chosen or made, of instances that want or offer. */
export async function listLinksOf(db: Db, instanceIds: readonly string[]): Promise<LinkRow[]> {
  if (instanceIds.length === 0) return []
  const { rows } = await sql<LinkRow>`
    select link.id, link.name, link.kind, link.state, link.is_required, link.reason, installation.id as installation_id,
      ${side('wanting')} as wanting, ${side('offering')} as offering,
      jsonb_path_query_first(wanting_version.definition, '$.wants[*] ? (@.name == $name)', jsonb_build_object('name', link.name)) as want,
      jsonb_path_query_first(offering_version.definition, '$.offers[*] ? (@.kind == $kind)', jsonb_build_object('kind', link.kind)) as offer
    from links link cross join installation ${joined('wanting')} ${joined('offering')}
    where link.state in ('planned', 'made')
      and (link.wanting_instance_id = any(${instanceIds}::uuid[]) or link.offering_instance_id = any(${instanceIds}::uuid[]))
    order by link.id`.execute(db)
  return rows
}

type SideName = 'wanting' | 'offering'

function joined(name: SideName) {
  const [instance, column] = [sql.ref(name), sql.ref(`link.${name}_instance_id`)]
  const as = (table: string) => sql.ref(`${name}_${table}`)
  const of = (table: string, key: string) => sql.ref(`${name}_${table}.${key}`)
  return sql`
    join instances ${instance} on ${sql.ref(`${name}.id`)} = ${column}
    join environments ${as('environment')} on ${of('environment', 'id')} = ${sql.ref(`${name}.environment_id`)}
    join application_versions ${as('version')} on ${of('version', 'id')} = ${sql.ref(`${name}.application_version_id`)}
    join applications ${as('application')} on ${of('application', 'id')} = ${of('version', 'application_id')}`
}

function side(name: SideName) {
  const own = (column: string) => sql.ref(`${name}.${column}`)
  const definition = sql.ref(`${name}_version.definition`)
  return sql`jsonb_build_object('id', ${own('id')}, 'name', ${own('name')}, 'subscription_id', ${own('subscription_id')},
    'host_port', ${own('host_port')}, 'own', ${own('variables')}, 'prefix', ${sql.ref(`${name}_environment.prefix`)},
    'customer_id', ${sql.ref(`${name}_environment.customer_id`)}, 'application', ${sql.ref(`${name}_application.code`)},
    'secrets', ${definition} -> 'secrets', 'variables', coalesce(${definition} -> 'variables', '[]'))`
}

/** What of its links an instance is planned with. */
export type PlannedLinks = Pick<PlannedInstance, 'links' | 'offeredOn'>

/** The links of instances as they are planned with them; none are left out where there are none. */
export async function readPlannedLinks(
  db: Db,
  instanceIds: readonly string[],
): Promise<(instanceId: string) => PlannedLinks> {
  const rows = await listLinksOf(db, instanceIds)
  return (instanceId) => {
    const links = rows.filter(({ wanting }) => wanting.id === instanceId).flatMap(toPlannedLink)
    const offeredOn = rows
      .filter((row) => row.offering.id === instanceId && isAcross(row))
      .flatMap(toLinkNetwork)
    return {
      ...(links.length === 0 ? {} : { links }),
      ...(offeredOn.length === 0 ? {} : { offeredOn }),
    }
  }
}

function isAcross({ wanting, offering }: LinkRow): boolean {
  return wanting.prefix !== offering.prefix
}

/** One that its application has no more is left out. */
function toPlannedLink(row: LinkRow): NonNullable<PlannedInstance['links']> {
  const { want, offer, offering } = row
  if (want === null || offer === null) return []
  const by = offeredBy(row, offer)
  return [
    {
      link: encodeId('link', row.id),
      name: row.name,
      kind: row.kind,
      reason: row.reason,
      services: want.services,
      variables: linkedVariables(want, offeredValues(offer, by)),
      isAcross: isAcross(row),
      offer: {
        instance: encodeId('instance', offering.id),
        name: offering.name,
        container: containerName({ environmentPrefix: offering.prefix, name: offering.name }, offer.service),
        host: by.host,
      },
    },
  ]
}

/** What the values of an offer are said from. */
export function offeredBy({ offering }: LinkRow, offer: LinkOffer): OfferedBy {
  return {
    definition: { secrets: offering.secrets },
    variables: { ...addressValues({ variables: offering.variables }, offering.host_port), ...offering.own },
    host: offeredHost(offering.name, offer.service),
  }
}

function toLinkNetwork({ id, name, offer, wanting, installation_id: installation }: LinkRow) {
  if (offer === null) return []
  const labels = instanceLabels({
    installation: encodeId('installation', installation),
    customer: encodeId('customer', wanting.customer_id),
    subscription: encodeId('subscription', wanting.subscription_id),
    instance: encodeId('instance', wanting.id),
    application: wanting.application,
    environmentPrefix: wanting.prefix,
  })
  return [
    {
      service: offer.service,
      name: linkNetworkName({ link: encodeId('link', id) }),
      labels: { ...labels, 'io.clouder.component': name },
    },
  ]
}
