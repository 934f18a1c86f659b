import { z } from '@hono/zod-openapi'
import type { PeerRow } from '#db/read/peer.ts'
import { encodeId } from '#domain/identifier.ts'
import { understandingBounds } from '#domain/peer-message.ts'
import { addressField, nameField } from './common.ts'
import { agreedMappingsSchema } from './told-mapping.ts'

/** What a side says that it understands; who says nothing is of version 1. */
export const understandingSchema = z
  .object({
    version: z.number().int().min(1).max(understandingBounds.version),
    kinds: z.array(z.string().regex(understandingBounds.kind)).max(100).readonly(),
  })
  .openapi('PeerUnderstanding')

/** 32 bytes, base64url. */
export const publicKeyField = z.string().regex(/^[\w-]{43}$/)

/** Hashed ids of the sender and of all who bill it, directly or through others. */
export const aboveField = z
  .array(publicKeyField)
  .max(1_000)
  .openapi({ description: 'Hashed ids of who bills and of all above: by these a circle is seen.' })

const currencyField = z.string().regex(/^[A-Z]{3}$/)
const billedField = nameField.max(60).openapi({ description: 'The code of the customer, from who bills it.' })
const roleField = z.enum(['supplier', 'customer'])

const peerKeySchema = z
  .object({
    fingerprint: z.string().openapi({ description: 'SHA-256 of the public key, base64url.' }),
    public_key: publicKeyField,
    side: z.enum(['ours', 'theirs']),
    since: z.string().nullable().openapi({ description: 'Null: it is told, and not taken yet.' }),
    until: z.string().nullable().openapi({ description: 'Another one follows; then it is over.' }),
    revoked_at: z.string().nullable(),
  })
  .openapi('PeerKey')

const peerRefusalSchema = z
  .object({
    code: z.string(),
    day: z.string(),
    count: z.number().int(),
    first_at: z.string(),
    last_at: z.string(),
    detail: z.string().openapi({ description: 'Of the last one.' }),
  })
  .openapi('PeerRefusal')

export const peerSchema = z
  .object({
    id: z.string(),
    other_id: z.string().nullable().openapi({ description: 'By which the other side knows this one.' }),
    role: roleField.openapi({
      description: 'What the other installation is to this one: it bills us, or we bill it.',
    }),
    state: z.enum(['invited', 'accepting', 'active', 'halted', 'closed']),
    halted_reason: z.string().nullable(),
    name: z.string().nullable().openapi({ description: 'As the other one calls itself.' }),
    installation: z.string().nullable(),
    url: z.string().nullable(),
    customer: z.string().nullable().openapi({
      description: 'Who is billed, by the code that it has at who bills; null where that has not said it.',
    }),
    currency: z.string().nullable(),
    own_key: z
      .string()
      .nullable()
      .openapi({ description: 'Fingerprint of the key that signs. People of both sides compare it.' }),
    other_key: z.string().nullable().openapi({ description: 'Of those that hold, the newest.' }),
    keys: z.array(peerKeySchema).openapi({ description: 'All there ever were, the newest first.' }),
    refusals: z.array(peerRefusalSchema).openapi({ description: 'What was refused of it; the newest ten.' }),
    understands: z
      .number()
      .int()
      .openapi({ description: 'The newest version that the other side understands.' }),
    waiting: z.number().int().openapi({ description: 'Messages that it has not taken yet.' }),
    waiting_since: z.string().nullable(),
    waiting_reason: z.string().nullable().openapi({
      description:
        'Why the last try was not taken, or why an invitation that was accepted here has led to nothing yet; null where none was tried yet.',
    }),
    waiting_kinds: z
      .array(z.object({ kind: z.string(), waiting: z.number().int(), is_understood: z.boolean() }))
      .openapi({ description: 'What waits, by kind. What is not understood over there waits until it is.' }),
    delivered: z.number().int().openapi({ description: 'Documents of ours that it has taken.' }),
    received: z.number().int().openapi({ description: 'Documents that came from it.' }),
    untaken: z.number().int().openapi({
      description:
        'Of a closed one: documents of its customer that this installation never took, those since it was closed too. They go over once it is paired with anew.',
    }),
    created_at: z.string(),
    paired_at: z.string().nullable(),
    closed_at: z.string().nullable(),
  })
  .openapi('Peer')

export const peerDetailSchema = peerSchema
  .extend({
    expense_mappings: agreedMappingsSchema.nullable().openapi({
      description:
        'As what who is billed counts the products of who bills, seen from both sides; null where a customer has told nothing.',
    }),
  })
  .openapi('PeerDetail')

export const revokedKeySchema = z
  .strictObject({ fingerprint: publicKeyField.openapi({ description: 'Of the key, all of it.' }) })
  .openapi('RevokedPeerKey')

export const pinnedKeySchema = z
  .strictObject({ public_key: publicKeyField.openapi({ description: '32 bytes, base64url.' }) })
  .openapi('PinnedPeerKey')

export const newInvitationSchema = z
  .strictObject({
    role: roleField,
    customer: addressField.optional().openapi({ description: 'Whom we bill, where the role is customer.' }),
  })
  .openapi('NewPeerInvitation')

export const peerInvitationSchema = z
  .object({
    peer: z.string(),
    invitation: z.string().openapi({ description: 'Hand it to the other operator. It is shown here only.' }),
    expires_at: z.string(),
    command: z.string(),
  })
  .openapi('PeerInvitation')

export const acceptedInvitationSchema = z
  .strictObject({
    invitation: z.string().max(1_000),
    customer: addressField
      .optional()
      .openapi({ description: 'Whom we bill, where the invitation is of one who is to be billed.' }),
  })
  .openapi('AcceptedPeerInvitation')

/** Between installations: what one side says of itself. What it does not know of the other, a reader leaves alone. */
export const peerRedemptionSchema = z
  .object({
    peer: z.string().max(40).openapi({ description: 'Of the invitation.' }),
    own_peer: z.string().max(40).openapi({ description: 'By which the one who asks knows the other.' }),
    code: z.string().max(100),
    installation: z.string().max(40),
    name: nameField,
    url: z.string().max(300),
    public_key: publicKeyField,
    currency: currencyField.nullable(),
    customer: billedField.nullish(),
    understands: understandingSchema.optional(),
    above: aboveField.optional(),
  })
  .openapi('PeerRedemption')

export const peerPairingSchema = z
  .object({
    installation: z.string(),
    name: z.string(),
    public_key: z.string(),
    currency: z.string().nullable(),
    customer: z.string().nullable(),
    understands: understandingSchema,
    above: aboveField,
  })
  .openapi('PeerPairing')

export function toPeerJson(row: PeerRow): z.input<typeof peerSchema> {
  const {
    invitation_expires_at: _expires,
    installation_id: installation,
    other_peer_id: other,
    other_version: understands,
    keys,
    ...rest
  } = row
  return {
    ...rest,
    waiting_kinds: [...row.waiting_kinds],
    id: encodeId('peer', row.id),
    other_id: other === null ? null : encodeId('peer', other),
    installation: installation === null ? null : encodeId('installation', installation),
    understands,
    keys: keys.map(({ key, ...more }) => ({
      ...more,
      public_key: Buffer.from(key, 'base64').toString('base64url'),
    })),
  }
}
