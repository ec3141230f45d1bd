// What a counting rule saw around an episode: every sighting of a value, and how many the sliding window held.
// Pure fold over the events of one rule, principal and group in event-time order; bounded per episode.
import { extent } from '../alerts/comparison.ts'
import type { Alert } from '../alerts/alert.ts'

/** Sightings kept per episode; the first ones, since they are what opened it. */
const mostSightings = 20_000

/** Values that get a row of their own, the first seen first. */
const mostRows = 24

/** Marks of one chart: where there are more, neighbours in time share one. */
const mostMarks = 600

/** Steps of one chart; of a bin with more, the highest is kept. */
const mostSteps = 400

/** Sightings of one value close together, drawn as one mark: `time` is that of the first. */
export interface Mark {
  readonly row: number
  readonly time: number
  readonly count: number
}

/** From `time` on the window that ends there holds `count`. */
export interface Step {
  readonly time: number
  readonly count: number
}

/** The surroundings of an episode of an `event_count` or `value_count` rule. Times are epoch milliseconds. */
export interface CountSeries {
  readonly kind: 'count'
  readonly from: number
  readonly to: number
  readonly timespanMs: number
  /** Rows of the chart, in the order in which the values were seen; empty where events are counted. */
  readonly rows: readonly string[]
  /** Values without a row. */
  readonly moreRows: number
  readonly marks: readonly Mark[]
  readonly steps: readonly Step[]
  /** Sightings beyond what is kept: the chart ends early by so many. */
  readonly beyond: number
}

/** Collects the series of one episode. Give it every event that feeds its rule, principal and group, by time. */
export class CountCollector {
  readonly from: number
  readonly to: number
  readonly #timespanMs: number
  readonly #byValue: boolean
  readonly #times: number[] = []
  readonly #values: (string | null)[] = []
  #beyond = 0

  /** `byValue` is false where events are counted. */
  constructor(alert: Alert, timespanMs: number, byValue: boolean) {
    const { from, to } = extent(alert)
    const margin = Math.max(timespanMs / 8, (to - from) / 20, 15_000)
    this.from = from - margin
    this.to = Math.max(to, alert.lastSeen) + margin
    this.#timespanMs = timespanMs
    this.#byValue = byValue
  }

  /** Takes a sighting in; one outside of what the chart and its windows show is passed over. */
  add(time: number, value: string | null): void {
    if (time <= this.from - this.#timespanMs || time > this.to || (this.#byValue && value === null)) return
    if (this.#times.length >= mostSightings) {
      this.#beyond++
      return
    }
    this.#times.push(time)
    this.#values.push(value)
  }

  series(): CountSeries {
    const rows: string[] = []
    const known = new Map<string, number>()
    const marks: { row: number; time: number; count: number }[] = []
    if (this.#byValue) {
      this.#values.forEach((value, i) => {
        if (value !== null && (this.#times[i] ?? 0) >= this.from && !known.has(value)) known.set(value, known.size)
      })
      rows.push(...[...known.keys()].slice(0, mostRows))
      const width = (this.to - this.from) / Math.max(24, Math.floor(mostMarks / Math.max(6, rows.length)))
      this.#times.forEach((time, i) => {
        const row = known.get(this.#values[i] ?? '') ?? mostRows
        if (time < this.from || row >= mostRows) return
        const mark = marks.findLast(one => one.row === row)
        if (mark !== undefined && time - mark.time < width) mark.count++
        else marks.push({ row, time, count: 1 })
      })
    }
    return {
      kind: 'count',
      from: this.from,
      to: this.to,
      timespanMs: this.#timespanMs,
      rows,
      moreRows: known.size - rows.length,
      marks,
      steps: thinned(this.#steps(), this.from, this.to),
      beyond: this.#beyond,
    }
  }

  /** The content of the half-open window (t - timespan, t] wherever it changes, from the left edge of the chart on. */
  #steps(): Step[] {
    const held = new Map<string | null, number>()
    const steps: Step[] = []
    const count = (): number => (this.#byValue ? held.size : (held.get(null) ?? 0))
    const note = (time: number): void => {
      const last = steps.at(-1)
      if (last !== undefined && last.time >= time) steps[steps.length - 1] = { time: last.time, count: count() }
      else if (last?.count !== count()) steps.push({ time, count: count() })
    }
    const move = (i: number, by: number): void => {
      const value = this.#byValue ? (this.#values[i] ?? null) : null
      const left = (held.get(value) ?? 0) + by
      if (left > 0) held.set(value, left)
      else held.delete(value)
    }
    let oldest = 0
    const expire = (until: number): void => {
      for (; oldest < this.#times.length; oldest++) {
        const gone = (this.#times[oldest] ?? 0) + this.#timespanMs
        if (gone > until) return
        move(oldest, -1)
        note(Math.max(this.from, gone))
      }
    }
    note(this.from)
    for (let i = 0; i < this.#times.length; i++) {
      const time = this.#times[i] ?? 0
      expire(time)
      move(i, 1)
      note(Math.max(this.from, time))
    }
    expire(this.to)
    return steps
  }
}

/** At most {@link mostSteps}: of each bin the highest, so that no crossing of a threshold disappears. */
export function thinned(steps: readonly Step[], from: number, to: number): readonly Step[] {
  if (steps.length <= mostSteps) return steps
  const width = (to - from) / (mostSteps / 2)
  const kept: Step[] = []
  let bin = -1
  for (const step of steps) {
    const own = Math.floor((step.time - from) / width)
    const last = kept.at(-1)
    if (own !== bin || last === undefined) kept.push(step)
    else if (step.count > last.count) kept[kept.length - 1] = step
    bin = own
  }
  return kept
}
