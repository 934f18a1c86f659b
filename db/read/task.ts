import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export type TaskRow = Awaited<ReturnType<typeof listTasks>>[number]

export async function listTasks(db: Db, page: PageRequest & { isOpen: boolean | null }) {
  const query = onPage(db.selectFrom('tasks as task').selectAll('task'), page, 'task.id')
  if (page.isOpen === null) return await query.execute()
  return await query.where('task.closed_at', page.isOpen ? 'is' : 'is not', null).execute()
}
