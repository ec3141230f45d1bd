// Backtests for tests of the report: rules and events through the real engine, folded as `replay` folds them; and the
// markup of a page reduced to its skeleton.
import type { Alert } from '../../../src/alerts/alert.ts'
import { EpisodeList } from '../../../src/commands/replay-episodes.ts'
import { ruleSweeps } from '../../../src/commands/replay-sweeps.ts'
import { Engine } from '../../../src/detect/engine.ts'
import type { EngineOptions } from '../../../src/detect/engine.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import type { Backtest, BacktestInput } from '../../../src/report/backtest.ts'
import { reportHtml } from '../../../src/report/report.ts'
import { reportSeries } from '../../../src/report/series.ts'
import type { ReportSeries } from '../../../src/report/series.ts'
import type { RuleSet } from '../../../src/rules/rule.ts'
import { at, awsRegion, call, day, hour, minute, plainProse, rateRule, rule, ruleSet } from '../../harness/detection.ts'

export interface Made {
  readonly result: Backtest
  readonly series: ReportSeries
  readonly page: string
}

/** Runs the rules over events that are in order and distinct. `more` replaces parts of the result. */
export function backtestOf(
  rules: RuleSet,
  events: readonly CloudTrailEvent[],
  more: Partial<Omit<Backtest, 'input'>> & { readonly input?: Partial<BacktestInput> } = {},
  options: EngineOptions = plainProse,
): Made {
  const episodes = new EpisodeList()
  const sweeps = ruleSweeps(rules, options)
  for (const event of events) for (const sweep of sweeps) sweep.consider(event)
  const takers = [
    { rules, engine: options, take: (alert: Alert) => episodes.take(alert) },
    ...sweeps.flatMap(({ contenders }) => contenders),
  ]
  for (const { rules: own, engine: ownOptions, take } of takers) {
    const engine = new Engine(own, ownOptions)
    const transaction = engine.begin()
    for (const event of events) transaction.process(event, null, null)
    for (const alert of transaction.alerts) take(alert)
  }
  const { input, ...parts } = more
  const result: Backtest = {
    input: {
      sources: ['trail/'],
      kind: 'files',
      files: 1,
      events: events.length,
      inRange: events.length,
      matched: events.length,
      duplicates: 0,
      late: null,
      skewed: 0,
      skipped: {},
      rejected: {},
      from: null,
      to: null,
      first: events[0]?.eventTime ?? null,
      last: events.at(-1)?.eventTime ?? null,
      partial: false,
      ...input,
    },
    rules: rules.rules,
    changed: [],
    episodes: episodes.episodes,
    sweeps: sweeps.map(({ sweep }) => sweep),
    comparison: null,
    ...parts,
  }
  const fold = reportSeries(result, rules)
  for (const event of events) fold.add(event)
  const series = fold.series()
  return { result, series, page: reportHtml(result, series) }
}

/** The two rules of the mission over calls of batches (predicate 0) and single reads (predicate 1). */
export const missionRules: RuleSet = ruleSet(
  [
    rule('secretsmanager-multi-region', {
      kind: 'value_count',
      timespanMs: 10 * minute,
      condition: { gte: 5 },
      field: awsRegion,
    }),
    rateRule('secretsmanager-denied-rate', { feeds: [1] }),
    rule('secretsmanager-batch-retrieval', { kind: 'event_count', timespanMs: day, condition: { gte: 5 } }),
  ],
  [event => event.eventName === 'BatchGetSecretValue', event => event.eventName === 'GetSecretValue'],
)

/** A denied read of the n-th secret. */
export function denied(time: number, n: number, more: Partial<CloudTrailEvent> = {}): CloudTrailEvent {
  return call(time, {
    eventName: 'GetSecretValue',
    outcome: 'DENIED',
    errorCode: 'AccessDenied',
    secrets: [`111122223333:us-east-1:prod/db-${n}`],
    principal: { key: '111122223333/user/AIDAEXAMPLE', kind: 'USER', name: 'bob' },
    ...more,
  })
}

const regions = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-south-1']

/** Five weeks of a principal that is denied now and then, its enumeration at the end, and a walk through seven regions. */
export function missionEvents(more: Partial<CloudTrailEvent> = {}): CloudTrailEvent[] {
  const events: CloudTrailEvent[] = []
  // A small fixed sequence in place of randomness: denials some hours apart, and a burst of four each Monday.
  for (let i = 0; i < 160; i++) events.push(denied(at('9:00') + i * 5.2 * hour + (i % 7) * 11 * minute, i % 3, more))
  for (let week = 0; week < 5; week++)
    for (let i = 0; i < 4; i++) events.push(denied(at('9:30') + week * 7 * day + i * minute, i % 3, more))
  const strike = at('10:20') + 35 * day
  for (let i = 0; i < 40; i++) events.push(denied(strike + i * 20_000, 100 + i, more))
  regions.forEach((region, i) => events.push(call(strike + hour + i * 40_000, { ...more, awsRegion: region })))
  regions.forEach((region, i) => events.push(call(strike + hour + i * 40_000 + 1000, { ...more, awsRegion: region })))
  return events.sort((a, b) => a.eventTime - b.eventTime)
}

/** Names of elements and attributes of a page, in order, without what is inside style and script. */
export function skeleton(page: string): string[] {
  const found: string[] = []
  const attribute = /\s+([a-zA-Z-]+)(?:="[^"]*")?/g
  const bare = page.replace(/(<(style|script)>)[^]*?<\/\2>/g, '$1</$2>')
  for (const [, name, attributes] of bare.matchAll(/<(\/?[a-z!][a-z0-9-]*)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*\/?>/g))
    found.push([name, ...Array.from((attributes ?? '').matchAll(attribute), ([, own]) => own)].join(' '))
  return found
}
