// A rule as the engine runs it: how to make its detector, what its events are called, and a hash of what its state means.
// The only place that knows all kinds of rule bodies.
import { createHash } from 'node:crypto'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { FieldReader, Rule } from '../rules/rule.ts'
import { monotone, saturation } from './condition.ts'
import type { Detector } from './detector.ts'
import { createRateAnomaly, restoreRateAnomaly } from './rate-anomaly.ts'
import { rowCap } from './sightings.ts'
import { Single } from './single.ts'
import { WindowCount } from './window-count.ts'
import type { WindowCountSnapshot } from './window-count.ts'

/** A rule with everything derived from it once. */
export interface CompiledRule {
  readonly rule: Rule
  /** Position in the rule set. */
  readonly index: number
  /** Length of the half-open window, at least 1 ms: `single` looks at one instant. */
  readonly windowMs: number
  /** The length that an alert shows. */
  readonly shownWindowMs: number
  readonly rowCap: number
  /** True when a verdict can come from the clock alone, so every move of it must be told. */
  readonly decidedByClock: boolean
  /** How long after its newest event a watch can still matter, milliseconds; null for rules that keep a baseline. */
  readonly keepMs: number | null
  /** Hash of the parameters that give the state its meaning: 16 hex digits. */
  readonly parameters: string
  /** Which of the rule's events an alert counts and shows. */
  readonly counts: (event: CloudTrailEvent) => boolean
  /** Reader of the counted field, null where events are counted. */
  readonly value: FieldReader | null
  /** A detector: a new one, or (with its own snapshot) the one it was. */
  readonly detector: (snapshot: unknown) => Detector
}

/** Compiles one rule for a lateness in milliseconds. */
export function compileRule(rule: Rule, index: number, latenessMs: number): CompiledRule {
  const { body, dedupMs, maxEpisodeMs } = rule
  const groupBy = rule.groupBy.map(field => field.name)
  const keepMs = (windowMs: number): number => latenessMs + Math.max(windowMs, dedupMs)
  const base = { rule, index, counts: () => true, value: null, decidedByClock: false }
  const parameters = (window: object): string =>
    createHash('sha256')
      .update(JSON.stringify({ kind: body.kind, ...window, groupBy, dedupMs, maxEpisodeMs, latenessMs }))
      .digest('hex')
      .slice(0, 16)
  switch (body.kind) {
    case 'single': {
      const single = new Single()
      return {
        ...base,
        windowMs: 1,
        keepMs: keepMs(1),
        shownWindowMs: 0,
        rowCap: rowCap(1),
        parameters: parameters({}),
        detector: () => single,
      }
    }
    case 'event_count':
    case 'value_count': {
      const { timespanMs, condition } = body
      const field = body.kind === 'value_count' ? body.field : null
      const counting = { timespanMs, latenessMs, condition, field: field?.read ?? null }
      return {
        ...base,
        windowMs: timespanMs,
        keepMs: keepMs(timespanMs),
        decidedByClock: !monotone(condition),
        shownWindowMs: timespanMs,
        rowCap: rowCap(saturation(condition)),
        parameters: parameters({ timespanMs, condition, field: field?.name ?? null }),
        value: counting.field,
        detector: snapshot => new WindowCount(counting, (snapshot ?? undefined) as WindowCountSnapshot | undefined),
      }
    }
    case 'rate_anomaly': {
      const { denied, distinct, ...numbers } = body.rate
      const timing = { latenessMs, dedupMs }
      return {
        ...base,
        windowMs: numbers.windowMs,
        keepMs: null,
        shownWindowMs: numbers.windowMs,
        rowCap: rowCap(numbers.minCount),
        parameters: parameters({ ...numbers, distinct: distinct.name }),
        counts: denied,
        value: distinct.read,
        detector: snapshot =>
          snapshot == null ? createRateAnomaly(body.rate, timing) : restoreRateAnomaly(body.rate, timing, snapshot),
      }
    }
  }
}
