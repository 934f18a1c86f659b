import { parentPort } from 'node:worker_threads'
import { checkApplication } from './application.ts'
import type { SentFile } from './bounded-reader.ts'

/** Reads what it is sent, and answers what came of it. Whoever started it ends it when that takes too long. */
parentPort?.on('message', ({ code, compose, files, grants, sharedMetrics = [] }: SentFile) => {
  const textOf = (path: string) => (Object.hasOwn(files, path) ? files[path] : undefined)
  const folder = { folders: {}, textOf }
  parentPort?.postMessage(checkApplication({ code, text: compose, folder, sharedMetrics }, grants))
})
// The first file compiles the schema, which takes longer than to read it.
checkApplication({ code: 'first', text: 'services: { first: { image: first } }' }, [])
parentPort?.postMessage('ready')
