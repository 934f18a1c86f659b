import assert from 'node:assert/strict'
import test from 'node:test'
import { checkApplication, parseApplication } from '#docker/compose/application.ts'

function file(block: string): { code: string; text: string } {
  return { code: 'shop', text: `services:\n  web: { image: 'web:1' }\nx-clouder: { ${block} }\n` }
}

test('the tags and the disk that an application asks for of its server are read, and left out where it asks for none', () => {
  const { tags, diskMib } = parseApplication(file("tags: [gpu, ssd], disk: '10g'"))
  assert.deepEqual([tags, diskMib], [['gpu', 'ssd'], 10_240])
  const plain = parseApplication(file('title: Shop'))
  assert.deepEqual([plain.tags, plain.diskMib], [undefined, undefined])
})

test('a tag that is no word, one that comes twice, and a size that is none are refused at their place', () => {
  for (const [block, path] of [
    ['tags: [GPU]', ['x-clouder', 'tags', 0]],
    ['tags: [gpu, gpu]', ['x-clouder', 'tags']],
    ['disk: much', ['x-clouder', 'disk']],
  ] as const) {
    const { status, findings } = checkApplication(file(block), [])
    assert.deepEqual([status, findings[0]?.path], ['refused', path], block)
  }
})
