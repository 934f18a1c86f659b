// Keeps the marked sections of a page as the server has them now. Without it the page is the same, after a reload.
// It decides nothing: when something happened, it fetches the page again and puts the sections that differ in place.

const { liveStream, liveKinds = '' } = document.body.dataset
const state = document.getElementById('live-state')
const news = document.getElementById('live-news')
const busyPollMs = 2_000
const gatherMs = 120
// However much happens, a page is not fetched more often than this.
const restMs = 400

let source
let lastEventId
let timer
let dueAtMs = 0
let fetchedAtMs = 0
let isFetching = false
let isStale = false

function connect() {
  if (source || document.hidden) return
  const address = new URL(liveStream, location.href)
  if (lastEventId) address.searchParams.set('after', lastEventId)
  source = new EventSource(address)
  source.onopen = () => say('Live')
  source.onerror = () => {
    say('Not connected. Trying again; reload to see changes.')
    // The browser tries again by itself, except after a refusal: then the session is over, and a reload says so.
    if (source?.readyState === EventSource.CLOSED) source = undefined
  }
  for (const kind of liveKinds.split(' ')) source.addEventListener(kind, onEvent)
}

function disconnect() {
  source?.close()
  source = undefined
}

function onEvent(event) {
  lastEventId = event.lastEventId
  refreshSoon(gatherMs)
}

/** What is due earlier stays due: a stream of events never puts the refresh off. */
function refreshSoon(delayMs) {
  const nowMs = Date.now()
  const atMs = Math.max(nowMs + delayMs, fetchedAtMs + restMs)
  if (timer !== undefined && dueAtMs <= atMs) return
  clearTimeout(timer)
  dueAtMs = atMs
  timer = setTimeout(refresh, atMs - nowMs)
}

async function refresh() {
  timer = undefined
  if (isFetching) {
    isStale = true
    return
  }
  isFetching = true
  isStale = false
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } })
    if (answer.ok) replaceSections(new DOMParser().parseFromString(await answer.text(), 'text/html'))
  } catch {
    say('Not connected. Trying again; reload to see changes.')
  } finally {
    isFetching = false
    fetchedAtMs = Date.now()
  }
  // The progress of a long step is no event: while something runs, the page is asked for it.
  const isBusy = document.querySelector('[data-busy]') !== null
  if (isStale) refreshSoon(gatherMs)
  else if (isBusy && !document.hidden) refreshSoon(busyPollMs)
}

function replaceSections(page) {
  const newestBefore = document.querySelector('[role=log] li')?.firstChild?.textContent?.trim()
  for (const fresh of page.querySelectorAll('[data-live][id]')) {
    const old = document.getElementById(fresh.id)
    if (old && textOf(old) !== textOf(fresh)) replaceSection(old, fresh)
  }
  const newest = document.querySelector('[role=log] li')?.firstChild?.textContent?.trim()
  if (news && newest && newest !== newestBefore) news.textContent = newest
}

/** Without the keys of forms, which are fresh in every answer, and without what the reader has opened. */
function textOf(section) {
  return section.outerHTML.replaceAll(/value="[0-9a-f-]{36}"| open(="")?/g, '')
}

/** What the reader was doing goes on: the focus, what was typed, and what was unfolded. */
function replaceSection(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null
  const path = focused && !focused.id ? indexOf(old, focused) : -1
  for (const details of old.querySelectorAll('details[open][id]')) {
    const same = fresh.querySelector(`#${CSS.escape(details.id)}`)
    if (same) same.open = true
  }
  for (const input of old.querySelectorAll('input[id]')) {
    const same = fresh.querySelector(`#${CSS.escape(input.id)}`)
    if (same && input.value !== input.defaultValue) same.value = input.value
  }
  old.replaceWith(fresh)
  if (!focused) return
  const target = focused.id ? document.getElementById(focused.id) : focusable(fresh)[path]
  target?.focus({ preventScroll: true })
}

function focusable(section) {
  return [...section.querySelectorAll('a[href], button, input:not([type=hidden]), summary, [tabindex]')]
}

function indexOf(section, element) {
  return focusable(section).indexOf(element)
}

function say(text) {
  if (state) state.textContent = text
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) disconnect()
  else {
    connect()
    refreshSoon(0)
  }
})
addEventListener('pagehide', disconnect)
addEventListener('pageshow', connect)
// A page that came back with a refused form is left as it is until its reader has dealt with it.
if (liveStream && !document.getElementById('refusal')) {
  connect()
  if (document.querySelector('[data-busy]')) refreshSoon(busyPollMs)
}
