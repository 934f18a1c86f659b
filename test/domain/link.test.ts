import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { LinkOffer, LinkWant } from '#domain/application.ts'
import { linkedVariables, offeredHost, offeredValues, openedValues } from '#domain/link-plan.ts'
import {
  chooseOffer,
  decideLinks,
  orderByLinks,
  type OfferingInstance,
  type WantingInstance,
} from '#domain/link.ts'

const database: LinkOffer = {
  kind: 'database',
  service: 'database',
  port: 5432,
  values: { user: 'customer', password: '${CUSTOMER_PASSWORD}' },
  isShared: false,
  tags: [],
}
const wantsDatabase: LinkWant = {
  kind: 'database',
  name: 'database',
  isRequired: true,
  isAutomatic: true,
  tags: [],
  variables: { DATABASE_HOST: 'host', DATABASE_PASSWORD: 'password' },
  services: ['web'],
}
const place = { subscription: 'sub-1', environment: 'acme', server: 'srv-1' }

function wanting(change: Partial<WantingInstance> = {}): WantingInstance {
  return { ...place, instance: 'shop', name: 'shop', wants: [wantsDatabase], named: {}, ...change }
}

function offering(instance: string, change: Partial<OfferingInstance> = {}): OfferingInstance {
  return { ...place, instance, name: instance, offers: [database], preferredFor: [], ...change }
}

const elsewhere = { subscription: 'sub-9', environment: 'other' }
const shared = [{ ...database, isShared: true, tags: ['postgres', 'ssd'] }]

test('an offer is taken by precedence: named, same subscription, same environment, preferred, shared', () => {
  const candidates = [
    offering('shared', { ...elsewhere, offers: shared }),
    offering('preferred', { ...elsewhere, preferredFor: ['database'] }),
    offering('environment', { subscription: 'sub-9' }),
    offering('subscription'),
    offering('named', elsewhere),
  ]
  const inTurn: (string | undefined)[] = []
  const left = [...candidates]
  const named = { database: 'named' }
  for (const given of [named, {}, {}, {}, {}]) {
    const chosen = chooseOffer(wantsDatabase, wanting({ named: given }), left)
    inTurn.push(`${chosen?.offering.instance}: ${chosen?.reason}`)
    left.splice(
      left.findIndex(({ instance }) => instance === chosen?.offering.instance),
      1,
    )
  }
  assert.deepEqual(inTurn, [
    'named: named',
    'subscription: same_subscription',
    'environment: same_environment',
    'preferred: preferred',
    'shared: shared',
  ])
  assert.equal(chooseOffer(wantsDatabase, wanting(), left), null)
})

test('of several alike the oldest is taken, whatever else is on offer', () => {
  const candidates = ['first', 'second', 'third'].map((name) => offering(name))
  assert.equal(chooseOffer(wantsDatabase, wanting(), candidates)?.offering.instance, 'first')
})

test('a shared offer is taken only with every wanted tag, and what is not shared by nobody outside', () => {
  const tagged = { ...wantsDatabase, tags: ['postgres', 'ssd'] }
  const candidates = [offering('plain', elsewhere), offering('tagged', { ...elsewhere, offers: shared })]
  assert.equal(chooseOffer(tagged, wanting(), candidates)?.offering.instance, 'tagged')
  assert.equal(chooseOffer({ ...tagged, tags: ['mysql'] }, wanting(), candidates), null)
})

test('what is on another server is no offer, and what is not automatic is taken by name alone', () => {
  assert.equal(chooseOffer(wantsDatabase, wanting(), [offering('far', { server: 'srv-2' })]), null)
  const manual = { ...wantsDatabase, isAutomatic: false }
  assert.equal(chooseOffer(manual, wanting(), [offering('near')]), null)
  const named = wanting({ named: { database: 'near' } })
  assert.equal(chooseOffer(manual, named, [offering('near')])?.reason, 'named')
})

test('a required link without an offer is refused, and names the kind', () => {
  assert.throws(() => decideLinks([wanting()], []), {
    code: 'link_missing',
    message: /shop needs a database/,
  })
  const optional = { ...wantsDatabase, isRequired: false, variables: {} }
  assert.equal(decideLinks([wanting({ wants: [optional] })], [])[0]?.chosen, null)
  const named = wanting({ wants: [optional], named: { database: 'gone' } })
  assert.throws(() => decideLinks([named], [offering('near')]), { code: 'link_missing', message: /gone/ })
})

test('an offer without a wanted value is refused before anything is made', () => {
  const wants = [{ ...wantsDatabase, variables: { DATABASE_REGION: 'region' } }]
  assert.throws(() => decideLinks([wanting({ wants })], [offering('near')]), {
    code: 'link_missing',
    message: /region/,
  })
})

test('links that lead back to themselves are refused, and the circle is told', () => {
  const both = { ...wanting(), offers: [database], preferredFor: [] }
  const alone = decideLinks([both], [both])
  assert.throws(() => orderByLinks([both], alone), { code: 'link_cycle', message: /shop -> shop/ })
  const cache: LinkOffer = { ...database, kind: 'cache', values: {} }
  const wantsCache: LinkWant = { ...wantsDatabase, kind: 'cache', name: 'cache', variables: {} }
  const shop = { ...wanting(), offers: [cache], preferredFor: [] }
  const store = {
    ...wanting({ instance: 'store', name: 'store', wants: [wantsCache] }),
    offers: [database],
    preferredFor: [],
  }
  const links = decideLinks([shop, store], [shop, store])
  assert.throws(() => orderByLinks([shop, store], links), {
    code: 'link_cycle',
    message: /shop -> store -> shop/,
  })
})

test('whoever takes an offer is built after who makes it, and else as ordered, whatever the chain', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.func(fc.nat()), (count, pick) => {
      const instances = Array.from({ length: count }, (_, index) => {
        // Each wants of one with a higher number, so that no circle arises and the order must be turned.
        const target = index + 1 < count ? index + 1 + (pick(index) % (count - index - 1)) : null
        const wants = target === null ? [] : [{ ...wantsDatabase, kind: `kind-${target}`, variables: {} }]
        const offers = [{ ...database, kind: `kind-${index}` }]
        return {
          ...wanting({ instance: String(index), name: String(index), wants }),
          offers,
          preferredFor: [],
        }
      })
      const links = decideLinks(instances, instances)
      const order = orderByLinks(instances, links).map(({ instance }) => instance)
      assert.equal(new Set(order).size, count)
      for (const { instance, chosen } of links)
        assert.ok(order.indexOf(chosen?.offering.instance ?? '') < order.indexOf(instance))
    }),
  )
})

test('a secret value of an offer is null in a plan, and told only where it is opened', () => {
  const by = {
    definition: { secrets: [{ name: 'CUSTOMER_PASSWORD', length: 32 }] },
    variables: {},
    host: offeredHost('postgresql-x1', 'data_base'),
  }
  const values = offeredValues(database, by)
  assert.deepEqual(values, {
    host: 'data-base.postgresql-x1',
    port: '5432',
    user: 'customer',
    password: null,
  })
  assert.deepEqual(linkedVariables(wantsDatabase, values), {
    DATABASE_HOST: 'data-base.postgresql-x1',
    DATABASE_PASSWORD: null,
  })
  const opened = openedValues(database, by, { CUSTOMER_PASSWORD: 's3cret' })
  assert.equal(opened['password'], 's3cret')
})
