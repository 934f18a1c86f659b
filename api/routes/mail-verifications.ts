import { randomBytes } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import { insertMailVerification, verifyMail } from '#db/mail-verification.ts'
import { getCustomer } from '#db/read/customer.ts'
import { resolveAddress } from '../addressing.ts'
import { hashSecret } from '../api-key.ts'
import type { Frame } from '../frame.ts'
import { dispatchOutbox } from '../relay.ts'
import { addressParams } from '../schemas/common.ts'
import { customerSchema, toCustomerJson } from '../schemas/customer.ts'
import { nothingSchema } from '../schemas/subscription.ts'

const tokenBytes = 32

const mailVerificationSchema = z
  .object({
    email: z.string(),
    token: z.string().openapi({ description: 'Shown once: whoever has it has read the mail.' }),
    expires_at: z.string(),
  })
  .openapi('MailVerification')

const verificationTokenSchema = z
  .strictObject({ token: z.string().regex(/^[0-9a-f]{64}$/, 'A token has 64 characters') })
  .openapi('VerificationToken')

/** That a mail address is the customer's own. No mail is sent yet: who asks for the token hands it over. */
export function registerMailVerifications(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/customers/{id}/mail-verification',
      permission: 'customers:write',
      tag: 'Customers',
      summary: 'Issue a token that verifies the mail address of a customer',
      description: 'No mail is sent: the token is in this answer only, for you to send to the address.',
      params: addressParams,
      body: nothingSchema,
      result: mailVerificationSchema,
      status: 201,
    },
    async ({ db, transaction, params, now }) => {
      const customerId = await resolveAddress(db, 'customer', params.id)
      const token = randomBytes(tokenBytes).toString('hex')
      const verification = { customerId, tokenSha256: hashSecret(token), now }
      const { email, expiresAt } = await insertMailVerification(transaction(), verification)
      return { email, token, expires_at: expiresAt }
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/mail-verifications',
      permission: 'customers:write',
      tag: 'Customers',
      summary: 'Verify a mail address with the token that was sent to it',
      description: 'Orders of the customer that wait for it do so no more.',
      body: verificationTokenSchema,
      result: customerSchema,
      refusals: ['verification_invalid'],
    },
    async ({ db, transaction, body, principal, now, afterCommit }) => {
      const verified = { tokenSha256: hashSecret(body.token), actor: principal.name, now }
      const { customerId } = await verifyMail(transaction(), verified)
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return toCustomerJson(await getCustomer(db, customerId))
    },
  )
}
