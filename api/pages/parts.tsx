import type { Child } from 'hono/jsx'
import { formatDate, formatDistance, formatInstant } from './format.ts'

/** What a state means to a reader; the sign beside the word says it without colour. */
type Tone = 'good' | 'busy' | 'waiting' | 'warning' | 'bad' | 'over'

const signs: Readonly<Record<Tone, string>> = {
  good: '✓',
  busy: '◌',
  waiting: '…',
  warning: '!',
  bad: '✕',
  over: '–',
}

const tones: Readonly<Record<string, Tone>> = {
  absent: 'bad',
  accepted: 'good',
  accepting: 'busy',
  active: 'good',
  building: 'busy',
  closed: 'over',
  halted: 'bad',
  disputed: 'warning',
  cancelling: 'busy',
  credited: 'good',
  degraded: 'bad',
  destroyed: 'over',
  done: 'good',
  ended: 'over',
  expected: 'waiting',
  failed: 'bad',
  limited: 'warning',
  ordered: 'waiting',
  overdue: 'warning',
  paid: 'good',
  parked: 'bad',
  planned: 'waiting',
  reachable: 'good',
  rejected: 'warning',
  running: 'good',
  starting: 'busy',
  stopped: 'warning',
  suspended: 'warning',
  unbuilding: 'busy',
  undone: 'over',
  unreachable: 'bad',
  used: 'over',
  void: 'over',
  withdrawn: 'over',
}

/** A state in a word, a sign and a colour. A running step is busy, a running instance is well. */
export function State(props: { state: string; isWork?: boolean; children?: Child }) {
  const tone = props.isWork && props.state === 'running' ? 'busy' : (tones[props.state] ?? 'waiting')
  return (
    <span class={`state ${tone}`}>
      <span aria-hidden="true">{signs[tone]}</span> {props.children ?? props.state}
    </span>
  )
}

/** A build's state. One that was undone because it failed waits for a person as much as one that is stuck. */
export function BuildState({ build }: { build: { state: string; failure_code: string | null } }) {
  if (build.state === 'undone' && build.failure_code !== null)
    return <State state="failed">failed, undone</State>
  return (
    <State state={build.state} isWork>
      {build.state === 'planned' ? 'queued' : build.state}
    </State>
  )
}

export function Day({ date }: { date: string }) {
  return <time datetime={date}>{formatDate(date)}</time>
}

/** Relative for the eye, exact in the title and for machines. */
export function Moment(props: { at: string; now: string; timeZone: string }) {
  return (
    <time datetime={props.at} title={formatInstant(props.at, props.timeZone)}>
      {formatDistance(props.at, props.now)}
    </time>
  )
}

export function ExactMoment(props: { at: string; timeZone: string }) {
  return <time datetime={props.at}>{formatInstant(props.at, props.timeZone)}</time>
}

/** A part of a page that live.js fetches again when something happened. */
export function Section(props: {
  id: string
  title: string
  isLive?: boolean
  class?: string
  aside?: Child
  children?: Child
}) {
  return (
    <section
      id={props.id}
      class={props.class}
      aria-labelledby={`${props.id}-title`}
      data-live={props.isLive ? '' : undefined}
    >
      <div class="section-head">
        <h2 id={`${props.id}-title`}>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  )
}

/** Pages that stand beside each other under one head. */
export function Places(props: {
  label: string
  places: readonly { readonly href: string; readonly title: string }[]
  current: string
}) {
  return (
    <nav class="filter" aria-label={props.label}>
      {props.places.map(({ href, title }) => (
        <a href={href} aria-current={href === props.current ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  )
}

/** One of a list of facts: `<dl class="facts wide">`. */
export function Fact(props: { name: string; children?: Child }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  )
}

/** Nothing here yet, and what fills it. */
export function Empty({ children }: { children?: Child }) {
  return <p class="empty">{children}</p>
}

/** A table that scrolls by itself where the screen is narrow; reachable by keyboard for that. */
export function Table(props: { caption: string; head: readonly Column[]; children?: Child; foot?: Child }) {
  return (
    <div class="scroll" tabindex={0} role="group" aria-label={props.caption}>
      <table>
        <caption class="visually-hidden">{props.caption}</caption>
        <thead>
          <tr>
            {props.head.map((column) =>
              typeof column === 'string' ? (
                <th scope="col">{column}</th>
              ) : (
                <th scope="col" class="number">
                  {column.number}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
        {props.foot}
      </table>
    </div>
  )
}

/** A column's title; `{ number }` is set to the right. */
export type Column = string | { readonly number: string }

/** Newer and older rows of a list, as addresses. */
export function Pages(props: { label: string; newer: string | null; older: string | null }) {
  if (props.newer === null && props.older === null) return null
  return (
    <nav class="pages" aria-label={props.label}>
      {props.newer !== null && (
        <a href={props.newer} rel="prev">
          ← Newer
        </a>
      )}
      {props.older !== null && (
        <a href={props.older} rel="next">
          Older →
        </a>
      )}
    </nav>
  )
}
