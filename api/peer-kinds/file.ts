import { receiveSupplierFile } from '#db/supplier-file.ts'
import { largestSentFileBytes } from '#domain/invoice-file.ts'
import { supplierFileSchema } from '../schemas/supplier-invoice.ts'
import { takenBy } from './kind.ts'

/** In base64, with what is said besides. */
const largestMessageBytes = Math.ceil(largestSentFileBytes * 1.4)

/** A file of a document that came before: kept as it is, looked into by nobody, once by document and media type. */
export const fileKind = takenBy(
  supplierFileSchema,
  async (tx, file, { peerId, now }) => {
    const outcome = await receiveSupplierFile(tx, { peerId, file, now })
    return outcome === 'conflict'
      ? { outcome, reason: `${file.name} came again with another content` }
      : { outcome }
  },
  largestMessageBytes,
)
