import { z } from '@hono/zod-openapi'
import { getBackup, listBackups } from '#db/read/backup.ts'
import { getRestore, listRestores } from '#db/read/restore.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { backupSchema, restoreSchema, toBackupJson, toRestoreJson } from '../schemas/backup.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { findSubscriptionFilter } from './builds.ts'

export function registerBackups(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/backups',
      permission: 'instances:read',
      tag: 'Backups',
      summary: 'List backups: what instances held before they were removed',
      query: z.strictObject({ ...pageQuery, subscription: addressField.optional() }),
      result: pageOf(backupSchema),
      refusals: ['subscription_unknown', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const subscriptionId = await findSubscriptionFilter(db, query.subscription)
      return toPage(await listBackups(db, { ...page, subscriptionId }), page, toBackupJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/backups/{id}',
      permission: 'instances:read',
      tag: 'Backups',
      summary: 'Read a backup',
      params: idParams,
      result: backupSchema,
    },
    async ({ db, params }) =>
      toBackupJson(await getBackup(db, await resolveAddress(db, 'backup', params.id))),
  )
  registerRestores(frame)
}

function registerRestores(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/restores',
      permission: 'instances:read',
      tag: 'Backups',
      summary: 'List restores in place, with what was saved before each',
      query: z.strictObject({ ...pageQuery, subscription: addressField.optional() }),
      result: pageOf(restoreSchema),
      refusals: ['subscription_unknown', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const subscriptionId = await findSubscriptionFilter(db, query.subscription)
      return toPage(await listRestores(db, { ...page, subscriptionId }), page, toRestoreJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/restores/{id}',
      permission: 'instances:read',
      tag: 'Backups',
      summary: 'Read a restore in place',
      params: idParams,
      result: restoreSchema,
    },
    async ({ db, params }) =>
      toRestoreJson(await getRestore(db, await resolveAddress(db, 'restore', params.id))),
  )
}
