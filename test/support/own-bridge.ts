import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
let made = 0

/**
 * A bridge for an engine of a test's own. An engine that is told to have none removes `docker0`, whosever it is: from then on
 * the other engine on the machine can build no image any more.
 */
export async function makeOwnBridge(): Promise<{ name: string; remove: () => Promise<void> }> {
  made += 1
  // At most 15 characters: it is the name of an interface.
  const name = `own${process.pid}-${made}`
  await run('ip', ['link', 'add', name, 'type', 'bridge'])
  return { name, remove: async () => void (await run('ip', ['link', 'delete', name])) }
}
