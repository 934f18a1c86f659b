import { isAccepted } from '#db/refused-document.ts'
import { receiveSupplierFiles } from '#db/supplier-file.ts'
import type { Tx } from '#db/database.ts'
import { decodeId } from '#domain/identifier.ts'
import { largestSentFileBytes, type SupplierFile } from '#domain/invoice-file.ts'
import { supplierFileSchema } from '../schemas/supplier-invoice.ts'
import { takenTogether, type Taken, type Taking } from './kind.ts'

/** In base64, with what is said besides. */
const largestMessageBytes = Math.ceil(largestSentFileBytes * 1.4)

/** Files of documents that came before: kept as they are, looked into by nobody, once by document and media type. */
export const fileKind = takenTogether(supplierFileSchema, take, largestMessageBytes)

type FileTaking = Taking & { readonly content: SupplierFile }

async function take(tx: Tx, takings: readonly FileTaking[]): Promise<readonly Taken[]> {
  const [first] = takings
  if (first === undefined) return []
  const { peerId, now } = first
  const files = takings.map(({ content }) => content)
  const receptions = await receiveSupplierFiles(tx, { peerId, files, now })
  const results = receptions.flatMap((outcome): Taken[] => (outcome === 'conflict' ? [] : [{ outcome }]))
  // It is the last that was looked at.
  const refused = takings[results.length]
  if (refused === undefined) return results
  const taken = await leaveOrRefuse(tx, refused)
  const rest = taken.outcome === 'conflict' ? [] : takings.slice(results.length + 1)
  return [...results, taken, ...(await take(tx, rest))]
}

/** Who was restored from an older backup makes its files once more. What came first stays; once people have seen it, that halts nothing. */
async function leaveOrRefuse(tx: Tx, { content, ...taking }: FileTaking): Promise<Taken> {
  const { document, name } = content
  if (await isAccepted(tx, { ...taking, id: decodeId('invoice', document), number: name }))
    return { outcome: 'exists' }
  const reason = `${name} came again with another content; who resumes the peer leaves it at what came first`
  return { outcome: 'conflict', reason }
}
