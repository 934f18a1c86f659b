import { listNewestEvents, type EventRow } from '#db/read/event.ts'
import {
  listNextDueDocuments,
  listStandIns,
  listUnsettledBuilds,
  readFigures,
  readSubscriptionNames,
  type StandInRow,
} from '#db/read/home.ts'
import { countRefusedUsageEvents } from '#db/read/refused-usage-event.ts'
import { listServers } from '#db/read/server.ts'
import { listSubscriptions } from '#db/read/subscription.ts'
import { listTasks } from '#db/read/task.ts'
import type { Frame } from '../frame.ts'
import { checksOf } from '../routes/health.ts'
import { consolePage, type ConsoleView } from './console-page.tsx'
import { FiguresRow } from './home-figures.tsx'
import { HealthSection } from './home-health.tsx'
import { NeedsSection, BuildsSection } from './home-needs.tsx'
import { DueSection, NewsSection } from './home-news.tsx'

const shownTasks = 20
const shownRows = 8
const mostCounted = 1_000

export function registerHome(frame: Frame): void {
  consolePage(frame, { method: 'get', path: '/', permission: 'signed_in' }, async (view) => ({
    title: 'Home',
    current: 'home',
    liveFilter: '',
    children: <Home view={view} content={await readHome(frame, view)} />,
  }))
}

async function readHome({ deps }: Frame, view: ConsoleView) {
  const { db } = deps
  const everyEvent = { subscriptionId: null, buildOrderId: null }
  const [figures, tasks, refusedUsage, parked, builds, events, documents, servers, standIns, checks] =
    await Promise.all([
      readFigures(db, view),
      listTasks(db, { ...firstPage, isOpen: true }),
      countRefusedUsageEvents(db, mostCounted),
      listSubscriptions(db, { ...firstPage, ...anySubscription, isParked: true }),
      listUnsettledBuilds(db, shownRows),
      listNewestEvents(db, { ...everyEvent, limit: shownRows * 8 }),
      listNextDueDocuments(db, shownRows),
      listServers(db, firstPage),
      listStandIns(db),
      Promise.all(checksOf(deps)),
    ])
  const news = withoutRepeats(events)
  const subjects = news.flatMap((event) => event.subscription_id ?? [])
  const names = await readSubscriptionNames(db, [...new Set(subjects)])
  return {
    figures,
    tasks,
    refusedUsage,
    parked,
    builds,
    news,
    names,
    documents,
    servers,
    standIns,
    checks,
  }
}
type HomeContent = Awaited<ReturnType<typeof readHome>>

const firstPage = { limit: shownTasks, cursor: null, direction: 'after' } as const
const anySubscription = { phase: null, customerId: null, productId: null, kitId: null }

/** Steps are told on the subscription's own page; here the build's beginning and end are enough. */
function withoutRepeats(events: readonly EventRow[]): EventRow[] {
  return events.filter((event) => event.kind !== 'build.step').slice(0, shownRows)
}

function Home({ view, content }: { view: ConsoleView; content: HomeContent }) {
  return (
    <>
      <h1>Home</h1>
      <StandInNotice standIns={content.standIns} />
      <FiguresRow figures={content.figures} />
      <NeedsSection view={view} {...content} />
      <BuildsSection view={view} builds={content.builds} />
      <div class="columns">
        <NewsSection view={view} events={content.news} names={content.names} />
        <div class="stack">
          <DueSection documents={content.documents} />
          <HealthSection view={view} servers={content.servers} checks={content.checks} />
        </div>
      </div>
    </>
  )
}

function StandInNotice({ standIns }: { standIns: readonly StandInRow[] }) {
  if (standIns.length === 0) return null
  return (
    <div class="banner note" role="note">
      <strong>Stand-ins are in use.</strong>
      <ul>
        {standIns.map((standIn) => (
          <li>
            {standIn.title}: {standIn.notice ?? 'made of local parts, not the real application.'}
          </li>
        ))}
      </ul>
    </div>
  )
}
