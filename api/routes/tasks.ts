import { z } from '@hono/zod-openapi'
import { listTasks } from '#db/read/task.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { taskSchema, toTaskJson } from '../schemas/task.ts'

export function registerTasks(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/tasks',
      permission: 'tasks:read',
      tag: 'Tasks',
      summary: 'List tasks: what waits for an operator',
      query: z.strictObject({ ...pageQuery, open: z.stringbool().optional().openapi({ type: 'boolean' }) }),
      result: pageOf(taskSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listTasks(db, { ...page, isOpen: query.open ?? null }), page, toTaskJson)
    },
  )
}
