import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { partSequence, planParts } from '#domain/part.ts'

type Children = Readonly<Record<string, readonly (readonly [id: string, sequence: number])[]>>

const plan = (sold: readonly string[], children: Children) =>
  planParts(sold, (id) => (children[id] ?? []).map(([child, sequence]) => ({ id: child, sequence })))

const cases: readonly {
  readonly name: string
  readonly sold: readonly string[]
  readonly children: Children
  readonly ids: readonly string[]
  readonly turns: Readonly<Record<string, number>>
}[] = [
  { name: 'what brings nothing', sold: ['shop'], children: {}, ids: ['shop'], turns: {} },
  {
    name: 'children by their sequence, whatever their order in the file',
    sold: ['shop'],
    children: {
      shop: [
        ['files', 20],
        ['data', 10],
      ],
    },
    ids: ['data', 'files', 'shop'],
    turns: { data: 2, files: 1 },
  },
  {
    name: 'children of one sequence side by side',
    sold: ['shop'],
    children: {
      shop: [
        ['data', 10],
        ['files', 10],
      ],
    },
    ids: ['data', 'files', 'shop'],
    turns: { data: 1, files: 1 },
  },
  {
    name: 'children of children before them, and after what comes first',
    sold: ['shop'],
    children: {
      shop: [
        ['data', 10],
        ['files', 20],
      ],
      files: [['cache', 5]],
    },
    ids: ['data', 'cache', 'files', 'shop'],
    turns: { data: 3, cache: 2, files: 1 },
  },
  {
    name: 'what is sold beside its parent as its part',
    sold: ['data', 'shop'],
    children: { shop: [['data', 10]] },
    ids: ['data', 'shop'],
    turns: { data: 1 },
  },
]

for (const { name, sold, children, ids, turns } of cases) {
  test(`parts are built: ${name}`, () => {
    const planned = plan(sold, children)
    assert.deepEqual(planned.ids, ids)
    assert.deepEqual(Object.fromEntries(planned.turns), turns)
  })
}

test('a child of two parents is a part of the first', () => {
  const { parents, ids } = plan(['blog', 'shop'], { blog: [['data', 10]], shop: [['data', 10]] })
  assert.deepEqual([ids, parents.get('data')], [['data', 'blog', 'shop'], 'blog'])
})

test('a part has its turn before its topmost parent, wherever that is built', () => {
  const parts = plan(['shop'], { shop: [['files', 20]], files: [['cache', 5]] })
  const at = (id: string) => partSequence(parts, new Map([['shop', 7]]), id)
  assert.deepEqual(['cache', 'files', 'shop'].map(at), [5, 6, 7])
})

for (const children of [
  { shop: [['shop', 1]] },
  { shop: [['data', 1]], data: [['shop', 1]] },
] as Children[]) {
  test(`what leads back to itself is refused: ${JSON.stringify(children)}`, () => {
    assert.throws(() => plan(['shop'], children), { code: 'dependency_cycle' })
    assert.throws(() => plan(Object.keys(children), children), { code: 'dependency_cycle' })
  })
}

test('whatever brings what, a part is built before its parent and each application once', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  // Only later letters are brought, so that there is no circle.
  const children = fc.record(
    Object.fromEntries(
      names.map((name, index) => [
        name,
        fc.array(fc.tuple(fc.constantFrom('z', ...names.slice(index + 1)), fc.integer({ min: 0, max: 3 })), {
          maxLength: 3,
        }),
      ]),
    ),
  )
  fc.assert(
    fc.property(children, fc.subarray(names, { minLength: 1 }), (brought, sold) => {
      const parts = plan(sold, brought)
      const sequence = new Map(sold.map((id, index) => [id, index * 10]))
      assert.equal(new Set(parts.ids).size, parts.ids.length)
      assert.ok(sold.every((id) => parts.ids.includes(id)))
      for (const [child, parent] of parts.parents) {
        assert.ok(parts.ids.indexOf(child) < parts.ids.indexOf(parent))
        assert.ok(partSequence(parts, sequence, child) < partSequence(parts, sequence, parent))
      }
    }),
  )
})
