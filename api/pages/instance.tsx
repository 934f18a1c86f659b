import type { Db } from '#db/database.ts'
import { findLastRestart } from '#db/instance-command.ts'
import { listBuildsOf, listBuildSteps } from '#db/read/build.ts'
import { listFindingsOf } from '#db/read/finding.ts'
import { listLimitCommands, listMetricStates } from '#db/read/instance.ts'
import { listLinksOfInstances } from '#db/read/link.ts'
import type { Frame } from '../frame.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import {
  BuildStepsSection,
  ContainersSection,
  LinksSection,
  MetricsSection,
  PartsSection,
} from './instance-parts.tsx'
import { readInstanceContent, type InstancePageContent } from './instance-content.ts'
import { instanceBody } from './instance-frame.tsx'
import { ExactMoment, Fact, Moment, Section } from './parts.tsx'
import { LimitsSection, Observed } from './subscription-instances.tsx'

/** What an instance is and how it stands, in one place; what can be done with it is on the parts beside it. */
export function registerInstance(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/instances/:id', permission: 'instances:read' },
    async (view, ctx) => {
      const { db } = frame.deps
      const content = await readInstanceContent(db, ctx.req.param('id') ?? '')
      return overviewBody(view, content, await readOverview(db, content))
    },
  )
}

type InstanceOverview = Awaited<ReturnType<typeof readOverview>>

async function readOverview(db: Db, { id, instance }: InstancePageContent) {
  const [findings, links, commands, metrics, lastRestart, [build]] = await Promise.all([
    listFindingsOf(db, instance.subscription_id),
    listLinksOfInstances(db, [id]),
    listLimitCommands(db, id),
    listMetricStates(db, id),
    findLastRestart(db, id),
    listBuildsOf(db, instance.subscription_id),
  ])
  const steps = build === undefined ? [] : await listBuildSteps(db, build.id)
  return {
    instance: {
      ...instance,
      links,
      commands,
      findings: findings.filter((finding) => finding.instance_id === id),
    },
    metrics,
    lastRestart,
    build: build && { ...build, steps: steps.filter((step) => step.instance_id === id) },
  }
}

function overviewBody(
  view: ConsoleView,
  content: InstancePageContent,
  overview: InstanceOverview,
): ConsoleBody {
  const { instance, metrics, lastRestart, build } = overview
  return instanceBody(view, content, {
    part: '',
    isLive: true,
    children: (
      <>
        <Standing view={view} instance={instance} lastRestart={lastRestart} />
        <div class="columns">
          <div class="stack">
            <ContainersSection view={view} content={content} />
            <MetricsSection view={view} metrics={metrics} />
            <LimitsSection view={view} content={{ instances: [instance] }} />
          </div>
          <div class="stack">
            <PartsSection content={content} />
            <LinksSection links={instance.links} />
            <BuildStepsSection view={view} content={content} build={build} />
          </div>
        </div>
      </>
    ),
  })
}

interface StandingProps {
  readonly view: ConsoleView
  readonly instance: InstanceOverview['instance']
  readonly lastRestart: InstanceOverview['lastRestart']
}

function Standing({ view, instance, lastRestart }: StandingProps) {
  return (
    <Section id="standing" title="Standing" isLive>
      <dl class="facts wide short">
        <Fact name="Seen">
          {instance.observed_at === null ? (
            'Nobody has looked yet.'
          ) : (
            <Observed view={view} instance={instance} />
          )}
        </Fact>
        <Fact name="Server">
          {instance.server_code}
          {instance.host_port !== null && <>, port {instance.host_port}</>}
          {instance.placed_because !== null && (
            <div class="hint">There because {instance.placed_because}.</div>
          )}
        </Fact>
        <Fact name="Last restart">
          {lastRestart?.finished_at == null ? (
            'none that anybody asked for'
          ) : (
            <>
              <Moment at={lastRestart.finished_at} {...view} />
              <div class="hint">by {lastRestart.actor}</div>
            </>
          )}
        </Fact>
        <Fact name="Application">
          {instance.application_code}, version {instance.application_version}
        </Fact>
        <Fact name="Environment">{instance.environment_name}</Fact>
        <Fact name="Name on the server">
          <code>{instance.name}</code>
        </Fact>
        <Fact name="Ordered">
          <ExactMoment at={instance.created_at} timeZone={view.timeZone} />
        </Fact>
        {instance.destroyed_at !== null && (
          <Fact name="Removed">
            <ExactMoment at={instance.destroyed_at} timeZone={view.timeZone} />
          </Fact>
        )}
      </dl>
    </Section>
  )
}
