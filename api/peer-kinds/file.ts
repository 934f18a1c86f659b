import { receiveSupplierFiles } from '#db/supplier-file.ts'
import { assert } from '#domain/assert.ts'
import { largestSentFileBytes } from '#domain/invoice-file.ts'
import { supplierFileSchema } from '../schemas/supplier-invoice.ts'
import { takenTogether, type Taken } from './kind.ts'

/** In base64, with what is said besides. */
const largestMessageBytes = Math.ceil(largestSentFileBytes * 1.4)

/** Files of documents that came before: kept as they are, looked into by nobody, once by document and media type. */
export const fileKind = takenTogether(
  supplierFileSchema,
  async (tx, takings) => {
    const [first] = takings
    assert(first, 'something is taken')
    const { peerId, now } = first
    const files = takings.map(({ content }) => content)
    const receptions = await receiveSupplierFiles(tx, { peerId, files, now })
    return receptions.map((outcome, index): Taken => {
      const reason = `${files[index]?.name} came again with another content`
      return outcome === 'conflict' ? { outcome, reason } : { outcome }
    })
  },
  largestMessageBytes,
)
