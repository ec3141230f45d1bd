// What a `rate_anomaly` rule compared around an episode: the denials in the sliding window, what the principal's own
// history predicted, and how many denials it would have taken to alert. Pure; the detector itself does the arithmetic.
import { extent } from '../alerts/comparison.ts'
import type { Alert } from '../alerts/alert.ts'
import { RateAnomaly } from '../detect/rate-anomaly.ts'
import { negativeBinomialTail } from '../detect/rate-tail.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { RateAnomalyParameters } from '../rules/rule.ts'
import { thinned } from './count-series.ts'
import type { Step } from './count-series.ts'

/** Predictions of one chart. */
const gridPoints = 96

/** History shown before an episode. */
const beforeMs = 86_400_000

/** Denials kept per episode, for the steps. */
const mostDenials = 20_000

/** Share of windows that the upper edge of the band holds, if the prediction is right. */
export const bandShare = 0.99

/** The prediction for the window that ends at `time`. */
export interface Predicted {
  readonly time: number
  readonly expected: number
  /** The smallest count that at least {@link bandShare} of windows do not exceed. */
  readonly upper: number
  /** The smallest count that alerts, as far as counting goes: its probability is at most alpha, and it is at least min-count. */
  readonly threshold: number
}

/** The surroundings of an episode of a `rate_anomaly` rule. Times are epoch milliseconds. */
export interface RateSeries {
  readonly kind: 'rate'
  readonly from: number
  readonly to: number
  readonly windowMs: number
  /** First event of the principal that the rule looks at: before it there is no prediction. */
  readonly first: number
  readonly predicted: readonly Predicted[]
  /** Denials in the window that ends at each time. */
  readonly steps: readonly Step[]
  /** Denials beyond what is kept. */
  readonly beyond: number
}

/** The smallest whole count whose upper tail is at most `p`, 0 < p < 1, for a negative binomial of this size and mean. */
export function smallestCount(p: number, size: number, mean: number): number {
  let high = 1
  while (negativeBinomialTail(high, size, mean) > p && high < 1e9) high *= 2
  let low = high >> 1
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (negativeBinomialTail(middle, size, mean) > p) low = middle
    else high = middle
  }
  return high
}

interface Display {
  /** A principal first seen shortly before has no day of history to show. */
  readonly from: number
  readonly to: number
  readonly predicted: Predicted[]
  readonly denials: number[]
  beyond: number
}

/**
 * Collects the series of the episodes of one rule, principal and group. Give it every event that feeds the rule, by time,
 * from the first one on: the history before an episode is what it was judged by.
 */
export class RateCollector {
  readonly #rate: RateAnomalyParameters
  readonly #detector: RateAnomaly
  readonly #alerts: readonly Alert[]
  #first: number | null = null
  #displays: readonly Display[] = []
  /** When a prediction is due and for which episode, by time; `#due` is the next one. */
  #schedule: readonly { readonly at: number; readonly display: Display }[] = []
  #due = 0

  constructor(rate: RateAnomalyParameters, latenessMs: number, dedupMs: number, alerts: readonly Alert[]) {
    this.#rate = rate
    this.#detector = new RateAnomaly(rate, { latenessMs, dedupMs })
    this.#alerts = alerts
  }

  add(event: CloudTrailEvent): void {
    const time = event.eventTime
    if (this.#first === null) this.#begin(time)
    this.#predictThrough(time - 1)
    this.#detector.judge(event)
    if (!this.#rate.denied(event)) return
    for (const display of this.#displays) {
      if (time <= display.from - this.#rate.windowMs || time > display.to) continue
      if (display.denials.length < mostDenials) display.denials.push(time)
      else display.beyond++
    }
  }

  /** Plans the displays; before its first event there is no prediction for a principal. */
  #begin(first: number): void {
    const { windowMs } = this.#rate
    this.#first = first
    this.#displays = this.#alerts.map(alert => {
      const { from, to } = extent(alert)
      const left = Math.max(from - beforeMs, first - windowMs / 4)
      const end = Math.max(to, alert.lastSeen)
      const right = end + Math.max(1.2 * windowMs, (end - left) / 12)
      return { from: left, to: right, predicted: [], denials: [], beyond: 0 }
    })
    this.#schedule = this.#displays
      .flatMap(display => {
        const begin = Math.max(display.from, first)
        const step = (display.to - begin) / (gridPoints - 1)
        return Array.from({ length: gridPoints }, (_, i) => ({ at: Math.round(begin + i * step), display }))
      })
      .sort((a, b) => a.at - b.at)
  }

  series(): readonly RateSeries[] {
    this.#predictThrough(Infinity)
    const { windowMs } = this.#rate
    return this.#displays.map(({ from, to, predicted, denials, beyond }) => ({
      kind: 'rate',
      from,
      to,
      windowMs,
      first: this.#first ?? from,
      predicted,
      steps: thinned(countsIn(denials, windowMs, from, to), from, to),
      beyond,
    }))
  }

  /** Takes the predictions that are due through `time`, before the next event, each as of its own time. */
  #predictThrough(time: number): void {
    for (; this.#due < this.#schedule.length; this.#due++) {
      const next = this.#schedule[this.#due]
      if (next === undefined || next.at > time) return
      next.display.predicted.push(this.#predict(next.at))
    }
  }

  #predict(at: number): Predicted {
    const { alpha, minCount } = this.#rate
    this.#detector.advance(at)
    const { expected, dispersion } = this.#detector.compared(at)
    return {
      time: at,
      expected,
      upper: smallestCount(1 - bandShare, dispersion, expected) - 1,
      threshold: Math.max(minCount, smallestCount(alpha, dispersion, expected)),
    }
  }
}

/** How many of the ascending `times` lie in (t - window, t], wherever that changes between `from` and `to`. */
function countsIn(times: readonly number[], windowMs: number, from: number, to: number): Step[] {
  const changes = times.flatMap(time => [
    { time, by: 1 },
    { time: time + windowMs, by: -1 },
  ])
  // At one instant what leaves goes first: the window is open on the left.
  changes.sort((a, b) => a.time - b.time || a.by - b.by)
  const steps: Step[] = [{ time: from, count: 0 }]
  let count = 0
  for (const { time, by } of changes) {
    if (time > to) break
    count += by
    const last = steps.at(-1)
    if (last !== undefined && last.time >= Math.max(from, time)) steps[steps.length - 1] = { time: last.time, count }
    else steps.push({ time, count })
  }
  return steps
}
