// `trailwarden replay`: the detector's engine over files or a topic, ordered by event time, without producing anything.
// A backtest: what-if values of rule parameters, a comparison with other rules, and a report of one file.
import { constants } from 'node:fs'
import { access, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Alert } from '../alerts/alert.ts'
import { twError } from '../errors.ts'
import { parseTime } from '../normalize/event-time.ts'
import type { Backtest, Sweep } from '../report/backtest.ts'
import { reportHtml } from '../report/report.ts'
import { reportSeries } from '../report/series.ts'
import type { RuleSet } from '../rules/rule.ts'
import type { Command, CommandContext } from './command.ts'
import { textOption } from './command.ts'
import { alertSorter } from './replay-alerts.ts'
import { compareEpisodes, tellsMore } from './replay-comparison.ts'
import { EpisodeList } from './replay-episodes.ts'
import { printMatches } from './replay-matches.ts'
import { AlertPrinter, comparisonCounts, printComparison } from './replay-output.ts'
import { ProgressLine, readingProgress } from './replay-progress.ts'
import { distinctEvents, evaluate, readInOrder, remembering, within } from './replay-run.ts'
import type { Contender, Evaluated, OrderedInput, Range } from './replay-run.ts'
import { ruleSweeps } from './replay-sweeps.ts'
import { detectionFrom } from './rule-set.ts'
import type { Detection } from './rule-set.ts'

export const replay: Command = {
  name: 'replay',
  usage: '<paths…|topic>',
  summary: 'Run the rules over files or a topic and show the alerts, producing nothing.',
  details:
    'Input is ordered by event time first, in bounded memory, so the result does not depend on the order of delivery.\n' +
    'A single argument that is no path is the name of an events topic. The alerts are those the live detector gives.\n' +
    'Ctrl-C ends the reading and gives the result of what was read, exit 130; a second one leaves at once.\n' +
    '--set takes the names of the rule file: level, dedup, max-episode, lateness, and for correlations timespan, the bound\n' +
    'of the condition (gte, …) and everything under rate-anomaly. --compare finds an alert again by rule, principal and\n' +
    'overlapping time; with it, --fail-on-alert is exit 1 only when the new rules tell of something the old ones did not.',
  examples: [
    'trailwarden replay trail/',
    'aws s3 cp s3://bucket/trail.json.gz - | trailwarden replay -',
    'trailwarden replay --from 2026-01-15T00:00:00Z --to 2026-01-16T00:00:00Z cloudtrail.events.v1',
    'trailwarden replay --json trail/ | jq .explanation',
    'trailwarden replay --set secretsmanager-denied-rate.alpha=1e-5 --compare unchanged trail/',
    'trailwarden replay --rules new-rules/ --compare old-rules/ --fail-on-alert trail/',
    'trailwarden replay --report report.html trail/',
    'trailwarden replay --matches trail/',
  ],
  options: {
    json: { type: 'boolean', doc: 'Alerts (with --compare: differences) as JSON lines.' },
    from: { type: 'string', value: '<time>', doc: 'Leave out events before this time (RFC 3339).' },
    to: { type: 'string', value: '<time>', doc: 'Leave out events at or after this time.' },
    set: { type: 'string', value: '<rule>.<parameter>=<value>', multiple: true, doc: 'What if; may be repeated.' },
    compare: {
      type: 'string',
      value: '<rules>',
      doc: 'Show how the alerts differ from those of other rules; `unchanged` means the same rules without --set.',
    },
    report: { type: 'string', value: '<file>', doc: 'Also write a report, one HTML file that needs no network.' },
    matches: { type: 'boolean', doc: 'Print every match of a detection rule (ruleId, eventId) instead of alerts.' },
    'fail-on-alert': { type: 'boolean', doc: 'Exit 1 when there is an alert that is not suppressed.' },
    quiet: { type: 'boolean', doc: 'No progress, notes and summary on stderr.' },
  },
  settings: ['RULES', 'SUPPRESSIONS', 'SOURCE_IDENTITY', 'KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL'],
  async run(given) {
    const range = rangeOf(given)
    checkUsage(given)
    const { config, options, stop } = given
    const detection = await detectionFrom(config, changesOf(given))
    const against = textOption(given, 'compare')
    const other = against === undefined ? config.RULES : against === 'unchanged' ? config.RULES : against
    const old = against === undefined ? null : await detectionFrom({ ...config, RULES: other })
    const progress = new ProgressLine(given.err, options['quiet'] === true)
    const err = options['quiet'] === true ? { ...given.err, write: () => undefined } : progress.around(given.err)
    const context = { ...given, out: progress.around(given.out), err }
    const summary = async (text: string) =>
      context.err.write(stop.aborted ? `Interrupted: this is about a part of the input.\n${text}\n` : `${text}\n`)
    let findings = false
    if (options['matches'] === true) {
      const reading = { from: range.from, ...readingProgress(progress, () => null) }
      const line = await printMatches(context, detection.rules, ({ eventTime }) => within(range, eventTime), reading)
      progress.clear()
      await summary(line)
    } else findings = await backtest(context, range, detection, old, progress, summary)
    // 128 + signal number, as shells report it: a part of the result must not pass for all of it.
    if (stop.aborted) return stop.reason === 'SIGTERM' ? 143 : 130
    return options['fail-on-alert'] === true && findings ? 1 : 0
  },
}

function rangeOf(context: CommandContext): Range {
  const bound = (name: string): number | null => {
    const given = textOption(context, name)
    if (given === undefined) return null
    const time = parseTime(given)
    if (time === null) throw twError('TW_USAGE', `--${name} ${given} is not a time; write 2026-01-15T09:00:00Z.`)
    return time
  }
  const range = { from: bound('from'), to: bound('to') }
  if (range.from !== null && range.to !== null && range.from > range.to)
    throw twError(
      'TW_USAGE',
      `--from ${textOption(context, 'from') ?? ''} is later than --to ${textOption(context, 'to') ?? ''}.`,
    )
  return range
}

function checkUsage({ positionals, options }: CommandContext): void {
  if (positionals.length === 0) throw twError('TW_USAGE', 'replay needs files, folders, `-`, or a topic.')
  const beside = ['compare', 'report', 'set', 'fail-on-alert'].filter(name => options[name] !== undefined)
  if (options['matches'] === true && beside.length > 0)
    throw twError('TW_USAGE', `--matches looks at single events; --${beside[0] ?? ''} is about alerts.`)
}

function changesOf({ options }: CommandContext): readonly string[] {
  const given = options['set']
  return Array.isArray(given) ? (given as readonly string[]) : []
}

/** Runs it and shows the result; true when there is something that `--fail-on-alert` fails on. */
async function backtest(
  context: CommandContext,
  range: Range,
  detection: Detection,
  old: Detection | null,
  progress: ProgressLine,
  summary: (text: string) => Promise<void>,
): Promise<boolean> {
  const { out } = context
  const report = textOption(context, 'report')
  if (report !== undefined) await checkWritable(report)
  const rules = remembering(detection.rules)
  const json = context.options['json'] === true
  const alerts = alertSorter()
  // Episodes are kept only for those who look at all of them at the end.
  const [now, before] = [new EpisodeList(), new EpisodeList()]
  const keep = old !== null || report !== undefined
  const counts = { alerts: 0, told: 0 }
  const take = (alert: Alert) => {
    counts.alerts++
    if (alert.suppressed === null) counts.told++
    alerts.add(alert)
  }
  const contenders: Contender[] = [{ rules, engine: detection.engine, take }]
  if (old !== null) contenders.push({ ...old, take: alert => before.take(alert) })
  const sets = [rules, ...(old === null ? [] : [old.rules])]
  const input = await readInOrder(context, range, sets, progress)
  try {
    const raised = () => counts.alerts
    const evaluated = await evaluate(input, contenders, context, progress, raised)
    progress.clear()
    const printer = old === null ? new AlertPrinter(out, json) : null
    for (const alert of alerts.drain()) {
      if (keep) now.take(alert)
      await printer?.print(alert)
    }
    const comparison =
      old === null ? null : compareEpisodes(before.episodes, now.episodes, textOption(context, 'compare') ?? '')
    if (comparison !== null) await printComparison(comparison, out, json)
    if (report !== undefined) {
      const sweeps = await sweepsOf(context, rules, detection, input, evaluated, progress)
      const result: Backtest = {
        input: inputOf(context, range, input, evaluated),
        rules: detection.rules.rules,
        changed: changesOf(context),
        episodes: now.episodes,
        sweeps,
        comparison,
      }
      const series = reportSeries(result, detection.rules)
      for (const event of distinctEvents(input)) if (rules.match(event).length > 0) series.add(event)
      await writeFile(report, reportHtml(result, series.series()))
    }
    await summary(
      `${input.read.line}; ${evaluated.duplicates} duplicates${arrivalNote(input)}; ${counts.alerts} alerts` +
        (counts.alerts > counts.told ? ` (${counts.alerts - counts.told} suppressed)` : '') +
        (comparison === null ? '' : `; ${comparisonCounts(comparison)}`),
    )
    return comparison === null ? counts.told > 0 : comparison.changes.some(tellsMore)
  } finally {
    input.sorter.close()
    alerts.close()
  }
}

/** How the number of alerts follows the thresholds; nothing where it was interrupted, because half a sweep misleads. */
async function sweepsOf(
  context: CommandContext,
  rules: RuleSet,
  { engine }: Detection,
  input: OrderedInput,
  { events }: Evaluated,
  progress: ProgressLine,
): Promise<readonly Sweep[]> {
  if (events < input.kept) return []
  const sweeps = ruleSweeps(rules, engine)
  for (const event of distinctEvents(input)) for (const sweep of sweeps) sweep.consider(event)
  const variants = sweeps.flatMap(sweep => sweep.contenders)
  const swept = await evaluate(input, variants, context, progress, () => null)
  progress.clear()
  return swept.events < input.kept ? [] : sweeps.map(({ sweep }) => sweep)
}

/** Of a topic, what the live detector would have left out: here every event is in its place. */
function arrivalNote({ arrival }: OrderedInput): string {
  return arrival === null ? '' : `, ${arrival.late} too late for the live detector`
}

function inputOf(context: CommandContext, range: Range, input: OrderedInput, evaluated: Evaluated): Backtest['input'] {
  const { read, arrival, inRange, first, last } = input
  return {
    sources: context.positionals,
    kind: read.kind,
    files: read.files,
    events: read.events,
    inRange,
    matched: evaluated.matched,
    duplicates: evaluated.duplicates,
    late: arrival === null ? null : arrival.late,
    skewed: arrival === null ? 0 : arrival.skewed,
    skipped: read.skipped,
    rejected: read.rejected,
    from: range.from,
    to: range.to,
    first,
    last,
    partial: evaluated.stopped || context.stop.aborted,
  }
}

/** Hours of replay should not end in a folder that is not there. */
async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK)
  } catch (error) {
    throw twError('TW_USAGE', `The report cannot be written to ${path}.`, error)
  }
}
