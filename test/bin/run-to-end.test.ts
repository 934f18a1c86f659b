import assert from 'node:assert/strict'
import test from 'node:test'
import { runToEnd } from '#bin/platform/run-to-end.ts'

const unending = new AbortController().signal

test('a program that fails is told of with its last line', async () => {
  const failing = runToEnd(['sh', '-c', 'echo first; echo last >&2; exit 3'], unending)
  await assert.rejects(failing, /sh ended with exit code 3: last/)
})

test('a program that is not there fails, and one that ends well does not', async () => {
  await assert.rejects(runToEnd(['/nonexistent/program'], unending), /ENOENT/)
  await runToEnd(['true'], unending)
})

test("with its caller's signal a program ends, and with it what it started", async () => {
  const ending = new AbortController()
  const running = runToEnd(['sh', '-c', 'sleep 60 & wait'], ending.signal)
  setTimeout(() => ending.abort(new Error('given up')), 100)
  const beganAt = performance.now()
  // The pipe of the sleeper is closed only when it is gone.
  await assert.rejects(running, /given up/)
  assert.ok(performance.now() - beganAt < 10_000)
})
