import { command } from './command.ts'
import { elasticsearch } from './elasticsearch.ts'
import { engineBlockIo, engineCpu, engineMemory, engineNetwork } from './engine-counters.ts'
import { externalSql } from './external-sql.ts'
import { httpJson, prometheus } from './http.ts'
import { logLines } from './log-lines.ts'
import { prometheusQuery } from './prometheus-query.ts'
import { sqlQuery } from './sql.ts'
import { volumeDisk } from './volume-disk.ts'

/** All adapters. Each is known by its type, as `x-clouder` writes it. */
export const sources = [
  engineNetwork,
  engineCpu,
  engineMemory,
  engineBlockIo,
  volumeDisk,
  command,
  httpJson,
  prometheus,
  prometheusQuery,
  sqlQuery,
  externalSql,
  elasticsearch,
  logLines,
] as const
