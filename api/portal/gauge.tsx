import type { Gauge } from './usage.ts'

const width = 400
const height = 14

/** What is used, as a bar, with the bound and where it ends at this pace; the sentence below says the same. */
export function UsageGauge({ gauge }: { gauge: Gauge }) {
  return (
    <figure class={gauge.isReached ? 'gauge reached' : 'gauge'}>
      <figcaption>
        <strong>{gauge.title}</strong>
        <span>{gauge.says}</span>
      </figcaption>
      {gauge.share !== null && <Bar {...gauge} share={gauge.share} />}
    </figure>
  )
}

function Bar({ share, boundAt, projectedAt, isReached }: Gauge & { share: number }) {
  const used = round(Math.min(1, share) * width)
  const beyond = boundAt < 1
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      class={isReached || share > boundAt ? 'full' : undefined}
    >
      <rect class="whole" x="0" y="0" width={String(width)} height={String(height)} rx="7" />
      {projectedAt !== null && (
        <rect
          class="projected"
          x="0"
          y="0"
          width={round(Math.min(1, projectedAt) * width)}
          height={String(height)}
          rx="7"
        />
      )}
      {share > 0 && <rect class="used" x="0" y="0" width={used} height={String(height)} rx="7" />}
      {beyond && (
        <line
          class="bound"
          x1={round(boundAt * width)}
          x2={round(boundAt * width)}
          y1="0"
          y2={String(height)}
        />
      )}
    </svg>
  )
}

function round(value: number): string {
  return value.toFixed(1)
}
