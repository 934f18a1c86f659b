import { execFile } from 'node:child_process'
import type { RunOnHost } from '#docker/host-rules.ts'

const deadlineMs = 10_000

/** Carries out one command on this host, and tells how it ended, however that was. */
export const runOnHost: RunOnHost = async ([command = '', ...args], input) =>
  await new Promise((resolve) => {
    const child = execFile(command, args, { timeout: deadlineMs }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? 'ended'), stdout, stderr })
    })
    // One that ended before it read is told of by its code.
    child.stdin?.on('error', () => undefined).end(input)
  })
