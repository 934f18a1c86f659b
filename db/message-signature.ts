import { httpbis } from 'http-message-signatures'

/** What is signed of a message, and by what; as its sender says, whom nobody has believed yet. */
export interface MessageSignature {
  readonly fields: ReadonlySet<string>
  /** Numbers are instants in seconds. */
  readonly params: ReadonlyMap<string, string | number>
}

export interface SignedMessage {
  readonly method: string
  readonly url: string
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * RFC 9421 allows more: several signatures, parts of fields, fields of the request that a response answers. We read one signature over
 * whole fields, each named once, written without a space that need not be. All else is not read at all.
 */
const inputForm =
  /^(?<label>[a-z][\w.*-]*)=\((?<fields>"[a-z@-]+"(?: "[a-z@-]+")*)\)(?<params>(?:;[a-z]+=(?:"[\w./+=-]*"|\d{1,15}))+)$/
const signatureForm = /^(?<label>[a-z][\w.*-]*)=:(?<bytes>[\w+/]+={0,2}):$/
const parameterForm = /;(?<name>[a-z]+)=(?:"(?<text>[^"]*)"|(?<number>\d+))/g

/** The one signature of a message; undefined where there is none, more than one, or one in another form. */
export function readSignature(headers: SignedMessage['headers']): MessageSignature | undefined {
  const input = inputForm.exec(headers['signature-input'] ?? '')?.groups
  const signature = signatureForm.exec(headers['signature'] ?? '')?.groups
  if (input === undefined || signature === undefined || input['label'] !== signature['label'])
    return undefined
  const fields = (input['fields'] ?? '').split(' ').map((field) => field.slice(1, -1))
  const params = [...(input['params'] ?? '').matchAll(parameterForm)].map(({ groups = {} }) => {
    const { name = '', text, number } = groups
    return [name, text ?? Number(number)] as const
  })
  const found = { fields: new Set(fields), params: new Map(params) }
  const isNamedOnce = found.fields.size === fields.length && found.params.size === params.length
  return isNamedOnce ? found : undefined
}

/** Times are compared afterwards, by who knows what time it is. */
const forEver = 1e15

/** Whether the signature that `readSignature` has read is of this key, over what the message is. */
export async function isSignedBy(
  message: SignedMessage,
  key: { readonly verify: (data: Buffer, signature: Buffer) => boolean },
): Promise<boolean> {
  const keyLookup = async () => ({
    verify: async (data: Buffer, signature: Buffer) => key.verify(data, signature),
  })
  try {
    const { method, url, headers } = message
    return (
      (await httpbis.verifyMessage(
        { keyLookup, tolerance: forEver },
        { method, url, headers: { ...headers } },
      )) === true
    )
  } catch {
    // A field that is signed and not there, or a signature that is no base64.
    return false
  }
}
