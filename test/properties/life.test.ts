import test, { after } from 'node:test'
import { assertInvariants } from '#test/support/invariants.ts'
import { holds } from '#test/support/property.ts'
import type { Seller } from '#test/support/seller.ts'
import { createStorySeller } from './story-catalog.ts'
import { anyStory } from './story-generator.ts'
import { beginLife, billAgain, endLife, tell } from './story-player.ts'

const storiesPerSeller = 20

/** Queries over all books take longer with each story, so that every few of them begin new ones; after one that failed as well. */
function createSellers() {
  let current: Promise<Seller> | undefined
  let told = 0
  let way = 0
  return {
    async next(): Promise<Seller> {
      if (told % storiesPerSeller === 0) await this.close()
      told += 1
      current ??= createStorySeller((way += 1))
      return await current
    },
    async close(): Promise<void> {
      await (await current)?.drop()
      current = undefined
      told = 0
    },
  }
}

const sellers = createSellers()
after(async () => sellers.close())

test('whatever customers do, each invoice is what was foreseen, billed again it is the same, and nothing is found that must never be', async (t) => {
  await holds(t, 16, [anyStory], async (story) => {
    const seller = await sellers.next()
    try {
      const life = await beginLife(seller, story.startsAfter)
      await tell(life, story)
      await endLife(life)
      await billAgain(life)
      await assertInvariants(seller.db)
    } catch (error) {
      await sellers.close()
      throw error
    }
  })
})
