import type { BillOfMaterialsItem, Catalog, CatalogKit, CatalogProduct } from '#domain/order.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'

/** A flat product of 10.00 USD a month, paid in advance, that builds nothing. */
export function catalogProduct(id: string, overrides: Partial<CatalogProduct> = {}): CatalogProduct {
  return {
    id,
    version: 1,
    code: id,
    name: id,
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    basePrice: perUnitPrice('10'),
    terms: {},
    category: null,
    attributes: {},
    variantOf: null,
    taxCategory: 'standard',
    currency: 'USD',
    metric: null,
    limitCode: null,
    quantityAttribute: null,
    isArchived: false,
    isHidden: false,
    addOnOf: [],
    options: [],
    orderFields: [],
    applicationIds: [],
    ...overrides,
  }
}

type Component = ['product' | 'kit', id: string, quantity: string, sequence?: number]

/** A kit whose components follow each other in steps of ten, unless they name their sequence. */
export function catalogKit(id: string, components: readonly Component[], isArchived = false): CatalogKit {
  return {
    id,
    version: 1,
    code: id,
    name: id,
    priceProductId: null,
    isArchived,
    isHidden: false,
    billOfMaterials: components.map(
      ([kind, componentId, quantity, sequence], position): BillOfMaterialsItem => ({
        productId: kind === 'product' ? componentId : null,
        kitId: kind === 'kit' ? componentId : null,
        quantity,
        sequence: sequence ?? (position + 1) * 10,
      }),
    ),
  }
}

export function catalogOf(products: readonly CatalogProduct[], kits: readonly CatalogKit[] = []): Catalog {
  return {
    products: new Map(products.map((product) => [product.id, product])),
    kits: new Map(kits.map((kit) => [kit.id, kit])),
  }
}

/** What the demo sells: Config 1 with five users, metered network and disk and five accounts; a fee; a site. */
export const demoCatalog = catalogOf(
  [
    catalogProduct('user', {
      billingType: 'threshold',
      unit: 'user',
      basePrice: perUnitPrice('1'),
      limitCode: 'users',
      applicationIds: ['odoo'],
    }),
    catalogProduct('network', {
      billingType: 'usage',
      billingTiming: 'arrears',
      unit: 'GiB',
      basePrice: perUnitPrice('1'),
      metric: 'network',
      applicationIds: ['odoo'],
    }),
    catalogProduct('email', {
      billingType: 'threshold',
      unit: 'e-mail account',
      basePrice: perUnitPrice('1'),
    }),
    catalogProduct('flat', { applicationIds: ['odoo'] }),
    catalogProduct('set-up', { recurrence: null, unit: 'piece', basePrice: perUnitPrice('20') }),
    catalogProduct('site', { basePrice: perUnitPrice('3'), applicationIds: ['static-site'] }),
  ],
  [
    catalogKit('config-1', [
      ['product', 'user', '5'],
      ['product', 'network', '1'],
      ['product', 'email', '5'],
    ]),
    catalogKit('config-2', [['product', 'flat', '1']]),
  ],
)
