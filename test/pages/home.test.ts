import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestConsole, type TestConsole } from './console.ts'
import { activate, build, failure, seedStory, sell } from './story.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
before(async () => {
  console = await createTestConsole()
})
after(async () => console.close())

test('somebody who is not signed in gets a page that says how, with the headers of every page', async () => {
  const response = await console.request('/', { headers: { accept: 'text/html' } })
  assert.equal(response.status, 401)
  assert.match(textOf(await response.text()), /prints a fresh login link/)
  assert.match(response.headers.get('content-security-policy') ?? '', /script-src 'self'/)
})

test('a key is refused: pages are for people', async () => {
  const reply = await console.request('/subscriptions', {
    headers: { accept: 'text/html', authorization: `Bearer ${console.key}` },
  })
  assert.equal(reply.status, 401)
})

test('an empty installation says the next step in every section', async () => {
  const { status, html } = await console.get('/')
  assert.equal(status, 200)
  assert.match(html, /^<!doctype html>/)
  assert.match(sectionText(html, 'needs'), /Nothing waits for you/)
  assert.match(sectionText(html, 'builds'), /npx clouder order/)
  assert.match(sectionText(html, 'news'), /Nothing has happened yet/)
  assert.match(sectionText(html, 'due'), /No invoice is due/)
  assert.match(textOf((await console.get('/subscriptions')).html), /Place the first order/)
  assert.match(textOf((await console.get('/invoices')).html), /No invoice yet/)
})

test('a dry run cannot be overlooked on any page, and is gone with a real engine', async () => {
  await seedStory(console.db, 'dry-run')
  for (const path of ['/', '/subscriptions', '/invoices']) {
    assert.match(
      textOf((await console.get(path)).html),
      /Dry run: nothing really runs\. Server local has no Docker/,
    )
  }
  await seedStoryServer('docker')
  assert.doesNotMatch(textOf((await console.get('/')).html), /Dry run/)
})

async function seedStoryServer(runner: 'docker' | 'dry-run'): Promise<void> {
  await console.db.updateTable('servers').set({ runner }).execute()
}

test('stand-ins are named as such', async () => {
  assert.match(textOf((await console.get('/')).html), /Odoo \(stand-in\): This is not Odoo/)
})

test('a build that failed for good is a task with its cause, its remedy and the way to retry', async () => {
  const failed = await sell(console.db, { kit: 'odoo-config-1' })
  await build(console.db, failed, { failedStep: 2 })
  const { html } = await console.get('/')
  const needs = sectionText(html, 'needs')
  assert.match(needs, /Needs you 1 /)
  assert.ok(needs.includes(failure.detail))
  assert.match(needs, /Make the registry reachable/)
  assert.ok(html.includes(`/subscriptions/${failed.publicId}#build`))
  assert.match(sectionText(html, 'builds'), /Odoo Config 1 .* build ✕ failed, undone/)
})

test('the figures count what is real and name what is on a test clock', async () => {
  const now = new Date().toISOString()
  for (const isOnClock of [false, true]) {
    const sold = await sell(console.db, { product: 'static-site' }, { isOnClock })
    await build(console.db, sold, 'done')
    await activate(console.db, sold, now)
  }
  const { html } = await console.get('/')
  const figures = sectionText(html, 'figures')
  assert.match(figures, /Active subscriptions 1 and 1 on test clocks/)
  assert.match(figures, /Builds today 3 2 done, 1 failed/)
  assert.match(figures, /Invoiced this month 3\.00 USD/)
  assert.match(sectionText(html, 'due'), /Harbour Bakery/)
  assert.match(sectionText(html, 'news'), /Invoice INV-00001: 3\.00 USD Static site for Harbour Bakery/)
})

test('Temporal being down is said, and the page is there all the same', async () => {
  console.temporal.behaviour.onPing = async () => Promise.reject(new Error('no connection'))
  const { status, html } = await console.get('/')
  console.temporal.behaviour.onPing = async () => Promise.resolve()
  assert.equal(status, 200)
  assert.match(sectionText(html, 'health'), /✕ temporal no connection/)
})

test('the list of subscriptions is filtered by its address and goes on by cursor', async () => {
  const parked = sectionText((await console.get('/subscriptions?phase=parked')).html, 'list')
  assert.match(parked, /Odoo Config 1/)
  assert.doesNotMatch(parked, /Static site/)
  const first = await console.get('/subscriptions?phase=active&limit=1')
  const [, older = ''] = /<a href="([^"]+)" rel="next">/.exec(first.html) ?? []
  assert.match(older, /phase=active/)
  assert.doesNotMatch(first.html, /rel="prev"/)
  const second = await console.get(`${older.replaceAll('&amp;', '&')}&limit=1`)
  assert.match(second.html, /rel="prev"/)
  assert.notEqual(sectionText(first.html, 'list'), sectionText(second.html, 'list'))
  assert.equal((await console.get('/subscriptions?phase=asleep')).status, 422)
})

test('the chosen colours stay, and the way back never leaves the site', async () => {
  const there = await console.submit('/invoices', '/theme', { theme: 'dark' })
  assert.equal(there.status, 303)
  assert.equal(there.headers.get('location'), '/invoices')
  assert.match(there.headers.get('set-cookie') ?? '', /clouder_theme=dark/)
  for (const back of ['//elsewhere.example', 'https://elsewhere.example', '/\\elsewhere.example']) {
    const answer = await console.submit('/', '/theme', { theme: 'light', back })
    assert.equal(answer.headers.get('location'), '/', back)
  }
})

test('style and script are served with their hash in the address, and no page has any inline', async () => {
  const { html } = await console.get('/')
  const [, css = ''] = /<link rel="stylesheet" href="([^"]+)"/.exec(html) ?? []
  const response = await console.request(css)
  assert.equal(response.headers.get('content-type'), 'text/css; charset=utf-8')
  assert.match(response.headers.get('cache-control') ?? '', /immutable/)
  assert.doesNotMatch(html, /<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/)
})
