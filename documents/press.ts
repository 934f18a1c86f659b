import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parentPort } from 'node:worker_threads'
import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler'
import type { PrintedInvoice } from './printed-invoice.ts'

/** What the thread is asked, and what it answers. */
export interface PressOrder {
  readonly id: number
  readonly invoice: PrintedInvoice
}
export type PressAnswer = { readonly id: number } & (
  { readonly pdf: Uint8Array<ArrayBuffer> } | { readonly error: unknown }
)

/** They have Latin, Greek, Cyrillic, Arabic and Japanese, and are embedded: a document looks the same wherever it is opened. */
const fonts = [
  import.meta.resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf'),
  import.meta.resolve('@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf'),
  import.meta.resolve('@expo-google-fonts/vazirmatn/400Regular/Vazirmatn_400Regular.ttf'),
  import.meta.resolve('@expo-google-fonts/vazirmatn/700Bold/Vazirmatn_700Bold.ttf'),
  import.meta.resolve('@expo-google-fonts/noto-sans-jp/400Regular/NotoSansJP_400Regular.ttf'),
  import.meta.resolve('@expo-google-fonts/noto-sans-jp/700Bold/NotoSansJP_700Bold.ttf'),
]

/**
 * Tags tell a screen reader what is a heading and what a table. They make up nine tenths of a long document, in which
 * nobody is read to from page to page.
 */
const taggedLinesMax = 200

/** What was set is kept for the next document to use, and forgotten when ten documents had no use for it. */
const documentsRemembered = 10

const template = readFileSync(new URL('invoice.typ', import.meta.url), 'utf8')
const compiler = NodeCompiler.create({
  workspace: import.meta.dirname,
  fontArgs: [{ fontBlobs: fonts.map((font) => readFileSync(fileURLToPath(font))) }],
})

function setInvoice(invoice: PrintedInvoice): Uint8Array<ArrayBuffer> {
  try {
    const pdf = compiler.pdf(
      { mainFileContent: template, inputs: { document: JSON.stringify(invoice) } },
      {
        creationTimestamp: Date.parse(invoice.issuedOn) / 1000,
        pdfTags: invoice.lines.length <= taggedLinesMax,
      },
    )
    return new Uint8Array(pdf)
  } finally {
    compiler.evictCache(documentsRemembered)
  }
}

parentPort?.on('message', ({ id, invoice }: PressOrder) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(answer(id, invoice))
})

function answer(id: number, invoice: PrintedInvoice): PressAnswer {
  try {
    return { id, pdf: setInvoice(invoice) }
  } catch (error) {
    return {
      id,
      error: error instanceof Error ? error : new Error(`Typst refused the document: ${String(error)}`),
    }
  }
}
