import { Worker } from 'node:worker_threads'
import { BusinessError } from '#domain/errors.ts'
import type { PressAnswer, PressOrder } from './press.ts'
import type { PrintedInvoice } from './printed-invoice.ts'

/** A line takes half a millisecond and 0.1 MB while it is set: beyond this, a document would take the memory of the others. */
export const printableLinesMax = 5_000

/**
 * Sets the document as a PDF. The same document gives the same bytes: its dates are its own, and its id is a digest of its
 * content. A thread of its own does it, one document after the other, so that no answer of the API waits for a long one.
 * @throws `invoice_too_long`
 */
export async function renderInvoicePdf(invoice: PrintedInvoice): Promise<Uint8Array<ArrayBuffer>> {
  if (invoice.lines.length > printableLinesMax) {
    throw new BusinessError(
      'invoice_too_long',
      `${invoice.number} has ${invoice.lines.length} lines; a PDF has at most ${printableLinesMax}.`,
    )
  }
  press ??= startPress()
  return await press.set(invoice)
}

interface Press {
  set(invoice: PrintedInvoice): Promise<Uint8Array<ArrayBuffer>>
}

let press: Press | undefined

/** Started by the first document: it reads 12 MB of fonts. If it dies, who waits is told, and the next document starts another. */
function startPress(): Press {
  const worker = new Worker(new URL('press.ts', import.meta.url))
  const waiting = new Map<number, PromiseWithResolvers<Uint8Array<ArrayBuffer>>>()
  let orders = 0
  const fail = (error: unknown) => {
    press = undefined
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('message', (answer: PressAnswer) => {
    const order = waiting.get(answer.id)
    waiting.delete(answer.id)
    // An idle press keeps no process alive.
    if (waiting.size === 0) worker.unref()
    if ('pdf' in answer) order?.resolve(answer.pdf)
    else order?.reject(answer.error)
  })
  worker.on('error', fail)
  worker.on('exit', (code) => fail(new Error(`The thread that sets documents has ended with ${code}.`)))
  return {
    async set(invoice) {
      orders += 1
      const order = Promise.withResolvers<Uint8Array<ArrayBuffer>>()
      waiting.set(orders, order)
      worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ id: orders, invoice } satisfies PressOrder)
      return await order.promise
    },
  }
}
