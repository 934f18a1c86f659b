import type { z } from '@hono/zod-openapi'
import { BusinessError } from '#domain/errors.ts'
import type { Frame } from '../frame.ts'
import { acceptInvitation, makeInvitation } from '../routes/peer-pairing.ts'
import { acceptedInvitationSchema, newInvitationSchema, type peerInvitationSchema } from '../schemas/peer.ts'
import { parse } from '../validation.ts'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Choice, PostForm, TextField, type RefusedInput } from './form.tsx'
import { ExactMoment, Section } from './parts.tsx'
import { peersPath } from './peer-frame.tsx'
import { refusedInput, registerRowForm, saidOf } from './row-form.ts'
import { readForm, refusedStatus } from './sent-form.ts'

const invitationsPath = `${peersPath}/invitations`
const acceptForm = 'accept'
const inviteForm = 'invite'

/** What the page of peers says beside its rows. */
export interface PeersNews {
  readonly refused?: RefusedInput
  /** Shown once, on this page only. */
  readonly invited?: z.input<typeof peerInvitationSchema>
}

/** Whether what was refused stands at one of the forms by which peers are paired with. */
export function isPairing({ form }: RefusedInput): boolean {
  return form === acceptForm || form === inviteForm
}

export function registerPeerPairingForms(
  frame: Frame,
  showPeers: (view: ConsoleView, news: PeersNews) => Promise<ConsoleBody>,
): void {
  // Not kept with the form, as answers of other forms are: the invitation is shown once.
  consolePage(
    frame,
    { method: 'post', path: invitationsPath, permission: 'peers:write' },
    async (view, ctx) => {
      const { idempotency_key: _key, ...values } = await readForm(ctx)
      const by = { actor: requireOperator(ctx).name, now: view.now }
      try {
        const body = parse(newInvitationSchema, saidOf(values), 'body')
        return await showPeers(view, { invited: await makeInvitation(frame, body, by) })
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error
        const body = await showPeers(view, { refused: refusedInput(inviteForm, values, error) })
        return { ...body, title: `Refused: ${body.title}`, status: refusedStatus(error.code) }
      }
    },
  )
  // Where a page that was answered with an invitation is asked for again, as by its own theme switch.
  consolePage(frame, { method: 'get', path: invitationsPath, permission: 'peers:read' }, async (_view, ctx) =>
    ctx.redirect(peersPath, 303),
  )
  registerRowForm(frame, {
    path: peersPath,
    permission: 'peers:write',
    form: () => acceptForm,
    carryOut: async (tx, { values, actor, now }) => {
      await acceptInvitation(frame, tx, parse(acceptedInvitationSchema, saidOf(values), 'body'), {
        actor,
        now,
      })
      return peersPath
    },
    showAgain: async (view, _id, refused) => await showPeers(view, { refused }),
  })
}

/** Invited here and accepted there, or the other way round: who begins decides nothing. */
export function Pairing({ view, news }: { view: ConsoleView; news: PeersNews }) {
  return (
    <>
      <Section id="invite" title="Invite an installation">
        <Invited view={view} invited={news.invited} />
        <InviteForm view={view} refused={news.refused} />
      </Section>
      <Section id="accept" title="Accept an invitation">
        <AcceptForm view={view} refused={news.refused} />
      </Section>
    </>
  )
}

function Invited({ view, invited }: { view: ConsoleView; invited: PeersNews['invited'] }) {
  if (invited === undefined) return null
  return (
    <div class="banner note" role="status">
      <p>
        <strong>Shown once.</strong> Hand this to the operator over there, who accepts it on this page or by{' '}
        <code>npx clouder peers accept</code>. It holds until{' '}
        <ExactMoment at={invited.expires_at} timeZone={view.timeZone} />, for one installation.
      </p>
      <p>
        <code>{invited.invitation}</code>
      </p>
    </div>
  )
}

function InviteForm({ view, refused }: { view: ConsoleView; refused: RefusedInput | undefined }) {
  const at = { form: inviteForm, refused }
  return (
    <PostForm {...at} view={view} action={invitationsPath}>
      <Choice
        {...at}
        name="role"
        label="Who bills whom"
        value="customer"
        choices={[
          ['customer', 'We bill it'],
          ['supplier', 'It bills us'],
        ]}
      />
      <TextField {...at} name="customer" label="Customer" hint="Where we bill it: its code or id here." />
      <div class="buttons">
        <button type="submit">Invite</button>
      </div>
    </PostForm>
  )
}

function AcceptForm({ view, refused }: { view: ConsoleView; refused: RefusedInput | undefined }) {
  const at = { form: acceptForm, refused }
  return (
    <PostForm {...at} view={view} action={peersPath}>
      <TextField
        {...at}
        name="invitation"
        label="Invitation"
        hint="As the other installation showed it. It holds for ten minutes."
        isRequired
      />
      <TextField
        {...at}
        name="customer"
        label="Customer"
        hint="Only where the invitation asks to be billed by us: its code or id here."
      />
      <div class="buttons">
        <button type="submit">Accept</button>
      </div>
    </PostForm>
  )
}
