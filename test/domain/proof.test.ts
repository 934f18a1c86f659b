import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { byMonth, compareDocuments, differingMonths, digestText, type KnownDocument } from '#domain/proof.ts'

const known = (document: string, different: Partial<KnownDocument> = {}): KnownDocument => ({
  document,
  number: `UP-${document}`,
  issuedOn: '2026-03-01',
  sha256: 'aa',
  isWaiting: false,
  ...different,
})

test('documents are told apart by where they are missing and by what they say', () => {
  const ours = [
    known('1'),
    known('2', { isWaiting: true }),
    known('3'),
    known('4', { issuedOn: '2026-02-28' }),
  ]
  const theirs = [known('1'), known('3', { sha256: 'bb' }), known('5')]
  assert.deepEqual(
    compareDocuments(ours, theirs).map(({ document, difference, isWaiting }) => [
      document,
      difference,
      isWaiting,
    ]),
    [
      ['4', 'missing_there', false],
      ['2', 'missing_there', true],
      ['3', 'other_content', false],
      ['5', 'missing_here', false],
    ],
  )
})

test('a document that each side has in another month is one with another content, not two that are missing', () => {
  const found = compareDocuments(
    [known('1', { sha256: 'aa', issuedOn: '2026-02-28' })],
    [known('1', { sha256: 'bb', issuedOn: '2026-03-01' })],
  )
  assert.deepEqual(
    found.map(({ difference }) => difference),
    ['other_content'],
  )
})

test('the text of documents is the same in whatever order they came, and differs where one of them does', () => {
  const documents = fc.uniqueArray(
    fc.record({ document: fc.stringMatching(/^[0-9a-z]{1,6}$/), sha256: fc.stringMatching(/^[0-9a-f]{4}$/) }),
    { selector: ({ document }) => document, minLength: 1, maxLength: 20 },
  )
  fc.assert(
    fc.property(documents, fc.nat(), (all, seed) => {
      const turned = all.map((_, index) => all[(index + seed) % all.length] ?? assert.fail())
      assert.equal(digestText(turned), digestText(all))
      const [first, ...rest] = all
      assert.ok(first)
      assert.notEqual(digestText(rest), digestText(all))
      assert.notEqual(digestText([{ ...first, sha256: `${first.sha256}0` }, ...rest]), digestText(all))
    }),
  )
})

test('months differ by number, by content, or because only one side has them', () => {
  const digest = (month: string, documents: number, root: string) => ({ month, documents, root })
  const ours = [digest('2026-01', 1, 'a'), digest('2026-02', 1, 'b'), digest('2026-03', 2, 'c')]
  const theirs = [digest('2026-01', 1, 'a'), digest('2026-02', 2, 'b'), digest('2026-04', 1, 'd')]
  assert.deepEqual(differingMonths(ours, theirs), ['2026-02', '2026-03', '2026-04'])
  assert.deepEqual(
    [...byMonth([known('1'), known('2', { issuedOn: '2026-01-31' })]).keys()],
    ['2026-01', '2026-03'],
  )
})
