import type { Db } from '#db/database.ts'
import { insertCustomer } from '#db/customer.ts'
import { insertKit } from '#db/kit.ts'
import { newId } from '#db/identifier.ts'
import { insertProduct, type NewProduct } from '#db/product.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'

type DemoProduct = Partial<NewProduct> &
  Pick<NewProduct, 'code' | 'name' | 'billingType' | 'unit'> & { readonly unitPrice: string }

/**
 * What the demo sells: Odoo Config 1 (thresholds and metered usage), Odoo Config 2 (one flat fee), both building the
 * same one application, a set-up fee and a plain static site; and who buys it.
 */
export async function seedCatalog(db: Db, choice: { odoo: 'odoo' | 'odoo-stand-in' }): Promise<void> {
  const odoo = await applicationId(db, choice.odoo)
  const site = await applicationId(db, 'static-site')
  const ofOdoo = { applicationIds: [odoo] }
  // The published image has no command that limits anything.
  const held = choice.odoo === 'odoo' ? { terms: { enforcement: 'soft' } as const } : {}
  const users = await addProduct(db, {
    code: 'odoo-user',
    name: 'Odoo User',
    billingType: 'threshold',
    unit: 'user',
    unitPrice: '1',
    limitCode: 'users',
    ...held,
    ...ofOdoo,
  })
  const network = await addProduct(db, {
    code: 'network-usage',
    name: 'Network Usage',
    billingType: 'usage',
    unit: 'GiB',
    unitPrice: '1',
    metric: 'network',
    ...ofOdoo,
  })
  const disk = await addProduct(db, {
    code: 'disk-usage',
    name: 'Disk Usage',
    billingType: 'usage',
    unit: 'GiB',
    unitPrice: '1',
    metric: 'disk',
    ...ofOdoo,
  })
  const email = await addProduct(db, {
    code: 'email',
    name: 'Email',
    billingType: 'threshold',
    unit: 'e-mail account',
    unitPrice: '1',
    limitCode: 'emails',
    ...held,
    ...ofOdoo,
  })
  const flat = await addProduct(db, {
    code: 'flat-odoo',
    name: 'Flat Odoo',
    billingType: 'flat',
    unit: 'month',
    unitPrice: '10',
    ...ofOdoo,
  })
  await addProduct(db, {
    code: 'set-up',
    name: 'Set-up',
    billingType: 'flat',
    unit: 'piece',
    unitPrice: '20',
    recurrence: null,
  })
  await addProduct(db, {
    code: 'static-site',
    name: 'Static site',
    billingType: 'flat',
    unit: 'month',
    unitPrice: '3',
    applicationIds: [site],
  })
  await insertKit(db, {
    code: 'odoo-config-1',
    name: 'Odoo Config 1',
    billOfMaterials: [
      component(users, '5', 10),
      component(network, '1', 20),
      component(disk, '1', 30),
      component(email, '5', 40),
    ],
  })
  await insertKit(db, {
    code: 'odoo-config-2',
    name: 'Odoo Config 2',
    billOfMaterials: [component(flat, '1', 10)],
  })
  await addCustomer(db, 'harbour-bakery', 'Harbour Bakery', 'accounts@harbour-bakery.example')
  await addCustomer(db, 'north-clinic', 'North Clinic', 'office@north-clinic.example')
  await db
    .insertInto('test_clocks')
    .values({ id: newId(), name: 'demo', now_at: new Date().toISOString(), target_at: null })
    .execute()
}

/**
 * WordPress with its database, set up by what the order says in the fields of the application's form: from public images, or from Debian's packages. Its users may be
 * sold beside it: then there are no more of them.
 */
export async function seedWordpress(db: Db, application: 'wordpress' | 'wordpress-debian'): Promise<void> {
  const applicationIds = [await applicationId(db, application)]
  const wordpress = await addProduct(db, {
    code: 'wordpress',
    name: 'WordPress',
    billingType: 'flat',
    unit: 'month',
    unitPrice: '8',
    applicationIds,
  })
  await addProduct(db, {
    code: 'wordpress-user',
    name: 'WordPress User',
    billingType: 'threshold',
    unit: 'user',
    unitPrice: '1',
    limitCode: 'users',
    applicationIds,
    addOnOf: [wordpress],
  })
}

/** An installation of Clouder itself, for who sells in its turn: what it is billed is its supplier invoice by itself. */
export async function seedInstallation(db: Db): Promise<void> {
  const applicationIds = [await applicationId(db, 'clouder')]
  const installation = await addProduct(db, {
    code: 'clouder',
    name: 'Clouder',
    billingType: 'flat',
    unit: 'month',
    unitPrice: '49',
    applicationIds,
  })
  await addProduct(db, {
    code: 'clouder-network',
    name: 'Clouder Network Usage',
    billingType: 'usage',
    unit: 'GiB',
    unitPrice: '1',
    metric: 'network',
    applicationIds,
    addOnOf: [installation],
  })
}

/** A monthly product in USD, paid in advance unless it is metered. */
async function addProduct(db: Db, { unitPrice, ...product }: DemoProduct): Promise<string> {
  return await insertProduct(db, {
    billingTiming: product.billingType === 'usage' ? 'arrears' : 'advance',
    recurrence: { count: 1, unit: 'month' },
    basePrice: perUnitPrice(unitPrice),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
    ...product,
  })
}

function component(productId: string, quantity: string, sequence: number) {
  return { productId, kitId: null, quantity, sequence }
}

async function addCustomer(db: Db, code: string, name: string, email: string): Promise<void> {
  await insertCustomer(db, {
    code,
    name,
    email,
    address: '1 Quay Street, 2000 Demo Harbour',
    currency: 'USD',
    timeZone: 'UTC',
    priceListId: null,
  })
}

async function applicationId(db: Db, code: string): Promise<string> {
  const row = await db
    .selectFrom('applications')
    .select('id')
    .where('code', '=', code)
    .executeTakeFirstOrThrow()
  return row.id
}
