import { BusinessError } from '#domain/errors.ts'
import type { SubscriptionDefaults } from '#domain/subscription-template.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { refuseTakenCode } from './unique.ts'

export interface TemplateContent {
  readonly name: string
  readonly defaults: SubscriptionDefaults
}

/** @throws `code_taken` */
export async function insertTemplate(tx: Tx, template: TemplateContent & { code: string }): Promise<string> {
  const id = newId()
  const { code, name, defaults } = template
  await refuseTakenCode(code, async () =>
    tx
      .insertInto('subscription_templates')
      .values({ id, code, name, defaults: JSON.stringify(defaults) })
      .execute(),
  )
  return id
}

/** For orders from now on: what was sold by it keeps what it said then. */
export async function changeTemplate(tx: Tx, id: string, { name, defaults }: TemplateContent): Promise<void> {
  await tx
    .updateTable('subscription_templates')
    .set({ name, defaults: JSON.stringify(defaults) })
    .where('id', '=', id)
    .execute()
}

export async function getTemplate(db: Db, id: string) {
  const row = await db
    .selectFrom('subscription_templates')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw new BusinessError('not_found', 'There is no such template.')
  return row
}

/** By code. */
export async function listTemplates(db: Db) {
  return await db.selectFrom('subscription_templates').selectAll().orderBy('code').execute()
}
export type TemplateRow = Awaited<ReturnType<typeof listTemplates>>[number]
