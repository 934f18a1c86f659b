import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { insertProduct } from '#db/product.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { saveOwnApplication, standInImage } from '#test/support/sold-application.ts'

// What a customer chooses and says when ordering is in the environment of the container.

let installation: TestInstallation
let diary: Diary
let subscription: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  const site = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(site, 'active')
  await sellShop(await standInImage(installation))
  const fields = { name: 'A $hop', password: 'correct horse', SMTP_HOST: 'mail.example' }
  subscription = await diary.order([{ product: 'shop', options: { disk: 50 }, fields }])
  await diary.untilPhase(subscription, 'active')
})
after(async () => await installation.stop())

async function sellShop(image: string): Promise<void> {
  const compose = `
services:
  web:
    image: "${image}"
    user: "1000:1000"
    expose: ["8080"]
    environment: { DISK_GIB: "\${DISK_GIB:-10}", SHOP: "\${SHOP:-none}", ADMIN: "\${ADMIN_PASSWORD:-}", MAIL: "\${SMTP_HOST}", URL: "\${SERVICE_URL_WEB}/shop", HOST: "\${SERVICE_FQDN_WEB}" }
x-clouder:
  title: Shop
  public: { service: web, port: 8080 }
`
  const id = await saveOwnApplication(installation.db, { code: 'shop', compose })
  const product = {
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    currency: 'USD',
    metric: null,
    limitCode: null,
  } as const
  const disk = await insertProduct(installation.db, {
    ...product,
    code: 'shop-disk',
    name: 'Disk',
    unit: 'GiB',
    basePrice: perUnitPrice('0.10'),
    applicationIds: [],
  })
  const unbounded = { least: null, greatest: null, choices: [] }
  await insertProduct(installation.db, {
    ...product,
    code: 'shop',
    name: 'Shop',
    unit: 'month',
    basePrice: perUnitPrice('10'),
    applicationIds: [id],
    options: [
      {
        ...unbounded,
        code: 'disk',
        title: 'Disk',
        kind: 'quantity',
        isRequired: false,
        variable: 'DISK_GIB',
        productId: disk,
      },
    ],
    orderFields: [
      {
        ...unbounded,
        code: 'name',
        title: 'Name',
        kind: 'text',
        isRequired: true,
        variable: 'SHOP',
        pattern: null,
      },
      {
        ...unbounded,
        code: 'password',
        title: 'Password',
        kind: 'secret',
        isRequired: true,
        variable: 'ADMIN_PASSWORD',
        pattern: null,
      },
    ],
  })
}

test('50 GiB of disk are billed beside the product, and DISK_GIB=50 is in the container', async () => {
  const [invoice] = await until('the first invoice', async () => {
    const found = await diary.invoices(subscription)
    return found.length > 0 && found
  })
  const amounts = (invoice?.['lines'] as Json[] | undefined)?.map(
    (line) => (line['amount'] as Json)['amount_minor'],
  )
  assert.deepEqual(amounts, [1000, 500])
  const { docker, containers } = await listObjects(installation.installationId)
  const container = containers.find((found) => found.Labels['io.clouder.subscription'] === subscription)
  const { Config: config } = await docker.getContainer(container?.Id ?? '').inspect()
  const own = config.Env.filter((line) => /^(DISK_GIB|SHOP|ADMIN|MAIL|URL|HOST)=/.test(line))
  const [, url] = /^URL=(.+)\/shop$/.exec(own.find((line) => line.startsWith('URL=')) ?? '') ?? []
  assert.deepEqual(own.toSorted(), [
    'ADMIN=correct horse',
    'DISK_GIB=50',
    'HOST=127.0.0.1',
    'MAIL=mail.example',
    'SHOP=A $hop',
    `URL=${url}/shop`,
  ])
  // It is where the container is reached, and the API says the same.
  const [binding] = container?.Ports.filter(({ PublicPort: port }) => port !== undefined) ?? []
  assert.equal(url, `http://127.0.0.1:${binding?.PublicPort}`)
  assert.equal((await fetch(`${url}/`)).status, 200)
  const [instance] = await diary.list(`/v1/instances?subscription=${subscription}`)
  assert.equal(instance?.['address'], `${url}/`)
})

test('the build plan shows what was ordered, and of a secret only its name', async () => {
  const [build] = await diary.list(`/v1/builds?subscription=${subscription}`)
  const { steps } = await diary.get(`/v1/builds/${String(build?.['id'])}`)
  const container = (steps as Json[]).find(({ kind }) => kind === 'container')
  const { URL: url, ...environment } = (container?.['environment'] ?? {}) as Record<string, string>
  assert.match(url ?? '', /^http:\/\/127\.0\.0\.1:\d+\/shop$/)
  assert.deepEqual(environment, {
    DISK_GIB: '50',
    SHOP: 'A $$hop',
    ADMIN: '${ADMIN_PASSWORD:-}',
    MAIL: 'mail.example',
    HOST: '127.0.0.1',
  })
})
