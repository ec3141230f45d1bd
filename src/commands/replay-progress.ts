// How far a replay is, on one line of a terminal that is redrawn in place; nothing at all where stderr is no terminal.
// Shell: reads the monotonic clock. What else is written meanwhile goes through `around`, which clears the line first.
import { performance } from 'node:perf_hooks'
import { rfc3339 } from '../rfc3339.ts'
import type { Output } from './command.ts'
import type { EventsReading } from './event-input.ts'

/** Redrawn at most so often: faster cannot be read, and the terminal may be slow. */
const redrawMs = 200

const clearLine = '\r\u001b[2K'

/** What there is to tell; the units are those of what is read. */
export interface Progress {
  readonly phase: 'reading' | 'detecting'
  readonly done: number
  readonly total: number | null
  readonly unit: 'bytes' | 'records' | 'events'
  readonly events: number
  /** Event time reached, epoch milliseconds; null before the first event. */
  readonly reached: number | null
  readonly alerts: number | null
}

/** The line. `now` is milliseconds of any monotonic clock. */
export class ProgressLine {
  readonly #err: Output
  readonly #shown: boolean
  readonly #now: () => number
  #drawn = false
  #last = -Infinity
  #phase: Progress['phase'] | null = null
  #since = 0

  constructor(err: Output, quiet: boolean, now: () => number = () => performance.now()) {
    this.#err = err
    this.#shown = err.isTerminal && !quiet
    this.#now = now
  }

  /** False where nothing is drawn. */
  get shown(): boolean {
    return this.#shown
  }

  /** Draws, unless it was drawn just now. */
  tell(progress: Progress): void {
    if (!this.#shown) return
    const now = this.#now()
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase
      this.#since = now
    } else if (now - this.#last < redrawMs) return
    this.#last = now
    this.#drawn = true
    // The last column stays free: a terminal may wrap when it is filled.
    void this.#err.write(`${clearLine}${progressText(progress, now - this.#since).slice(0, this.#err.columns - 1)}`)
  }

  clear(): void {
    if (!this.#drawn) return
    this.#drawn = false
    this.#last = -Infinity
    void this.#err.write(clearLine)
  }

  /** The same output, which makes room before it writes. */
  around(output: Output): Output {
    if (!this.#shown || !output.isTerminal) return output
    return {
      isTerminal: true,
      columns: output.columns,
      write: text => {
        this.clear()
        return output.write(text)
      },
    }
  }
}

/** What a reading tells the line; `reached` is the newest event time so far. Nothing is measured where nothing is drawn. */
export function readingProgress(
  line: ProgressLine,
  reached: () => number | null,
): Pick<EventsReading, 'after' | 'total'> {
  if (!line.shown) return {}
  let total: number | null = null
  return {
    total: amount => void (total = amount),
    after: ({ done, unit, events }) =>
      line.tell({ phase: 'reading', done, total, unit, events, reached: reached(), alerts: null }),
  }
}

/** `reading 1.2 of 3.4 GB (35 %), 81,024 events/s, at 2026-01-15T09:30:00Z, 2 alerts` after `elapsedMs` of this phase. */
export function progressText(progress: Progress, elapsedMs: number): string {
  const { phase, done, total, unit, events, reached, alerts } = progress
  const share = total === null || total <= 0 ? '' : ` (${Math.min(100, Math.floor((100 * done) / total))} %)`
  return [
    `${phase} ${amounts(done, total, unit)}${share}`,
    // The first moments of a phase say nothing about its pace.
    ...(elapsedMs < 500 ? [] : [`${grouped((1000 * events) / elapsedMs)} events/s`]),
    ...(reached === null ? [] : [`at ${rfc3339(reached).slice(0, 19)}Z`]),
    ...(alerts === null ? [] : [`${grouped(alerts)} ${alerts === 1 ? 'alert' : 'alerts'}`]),
  ].join(', ')
}

const scales = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const

function amounts(done: number, total: number | null, unit: Progress['unit']): string {
  const [scale, name] =
    unit === 'bytes' ? (scales.find(([size]) => (total ?? done) >= size) ?? [1, 'B']) : ([1, unit] as const)
  const shown = (amount: number) => (scale === 1 ? grouped(amount) : (amount / scale).toFixed(1))
  return `${shown(done)}${total === null ? '' : ` of ${shown(Math.max(done, total))}`} ${name}`
}

function grouped(amount: number): string {
  return Math.round(amount).toLocaleString('en')
}
