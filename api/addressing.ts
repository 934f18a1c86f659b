import type { Db } from '#db/database.ts'
import {
  findIdByExternalId,
  findIdsByExternalIds,
  isExternalKind,
  type ExternalKind,
} from '#db/external-id.ts'
import { findIdByCode, isCodedKind, isKnownId, type AddressedKind } from '#db/read/address.ts'
import { BusinessError, fieldError, type ErrorCode } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'

/** An id has a kind, an underscore and 26 characters; a code has no underscore, and no colon. */
const idPattern = /^[a-z]+_[0-9a-z]{26}$/
/** What another system calls it: `ext:` and the external id, in addresses and bodies alike. */
const externalPattern = /^ext:(.+)$/

/**
 * The UUID behind an id, code or external id in an address.
 * @throws `not_found`, `id_kind_mismatch`
 */
export async function resolveAddress(db: Db, kind: AddressedKind, text: string): Promise<string> {
  const id = await find(db, kind, text)
  if (id === undefined) throw new BusinessError('not_found', `There is no ${words(kind)} ${text}.`)
  return id
}

/**
 * What is read of a thing by its id or code in an address. Only where an id leads to nothing is it asked whether there is
 * such a thing: what was read tells that there is.
 * @throws `not_found`, `id_kind_mismatch`, and what the reading throws
 */
export async function readAddressed<T>(
  db: Db,
  { kind, text }: { readonly kind: AddressedKind; readonly text: string },
  read: (id: string) => Promise<T | null>,
): Promise<T | null> {
  const id = idPattern.test(text) ? decodeKnown(kind, text) : undefined
  const found = id === undefined ? null : await read(id)
  if (found !== null) return found
  const known = await resolveAddress(db, kind, text)
  return known === id ? null : await read(known)
}

/**
 * The UUID behind an id, code or external id in a body.
 * @throws the given code, or `id_kind_mismatch`, both with the field's pointer
 */
export async function resolveField(
  db: Db,
  field: { kind: AddressedKind; text: string; pointer: string; unknown: ErrorCode },
): Promise<string> {
  const id = await find(db, field.kind, field.text).catch((error: unknown) => {
    throw error instanceof BusinessError ? fieldError(field.pointer, error.code, error.message) : error
  })
  if (id !== undefined) return id
  throw fieldError(field.pointer, field.unknown, `There is no ${words(field.kind)} ${field.text}.`)
}

export interface FieldOfMany {
  readonly kind: ExternalKind
  readonly pointer: string
  readonly unknown: ErrorCode
}

/**
 * The UUIDs behind any number of ids and external ids of one field. Whether an id stands for something, whoever reads what is
 * behind it finds out, and refuses it with `unknownField` where it does not.
 * @returns by text; a refusal where it cannot stand for anything
 */
export async function readFields(
  db: Db,
  field: FieldOfMany,
  texts: ReadonlySet<string>,
): Promise<Map<string, string | BusinessError>> {
  const found = new Map<string, string | BusinessError>()
  const externalIds: string[] = []
  for (const text of texts) {
    const [, externalId] = externalPattern.exec(text) ?? []
    if (externalId === undefined) found.set(text, decodeField(field, text) ?? unknownField(field, text))
    else externalIds.push(externalId)
  }
  const byExternalId = await findIdsByExternalIds(db, field.kind, externalIds)
  for (const externalId of externalIds) {
    const text = `ext:${externalId}`
    found.set(text, byExternalId.get(externalId) ?? unknownField(field, text))
  }
  return found
}

export function unknownField({ kind, pointer, unknown }: FieldOfMany, text: string): BusinessError {
  return fieldError(pointer, unknown, `There is no ${words(kind)} ${text}.`)
}

function decodeField({ kind, pointer }: FieldOfMany, text: string): string | BusinessError | undefined {
  if (!idPattern.test(text)) return undefined
  try {
    return decodeKnown(kind, text)
  } catch (error) {
    if (error instanceof BusinessError) return fieldError(pointer, error.code, error.message)
    throw error
  }
}

async function find(db: Db, kind: AddressedKind, text: string): Promise<string | undefined> {
  const [, externalId] = externalPattern.exec(text) ?? []
  if (externalId !== undefined)
    return isExternalKind(kind) ? await findIdByExternalId(db, kind, externalId) : undefined
  if (!idPattern.test(text)) return isCodedKind(kind) ? await findIdByCode(db, kind, text) : undefined
  const id = decodeKnown(kind, text)
  return id !== undefined && (await isKnownId(db, kind, id)) ? id : undefined
}

/** A well-formed id that stands for nothing is unknown; one of another kind is a mistake to be told of. */
function decodeKnown(kind: AddressedKind, text: string): string | undefined {
  try {
    return decodeId(kind, text)
  } catch (error) {
    if (error instanceof BusinessError && error.code === 'not_found') return undefined
    throw error
  }
}

/** `priceList` as people write it: price list. */
function words(kind: string): string {
  return kind.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
