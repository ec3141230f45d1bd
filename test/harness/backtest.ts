// The same CloudTrail through `replay` and through the pipeline, and how far the two agree. For the integration test and for
// `npm run bench:backtest -- --kafka`.
import type { Alert } from '../../src/alerts/alert.ts'
import { compareEpisodes } from '../../src/commands/replay-comparison.ts'
import { EpisodeList } from '../../src/commands/replay-episodes.ts'
import type { OutRecord } from '../../src/log/log-client.ts'
import type { Episode } from '../../src/report/backtest.ts'
import { alertsOf, eventually, workedOff } from './line.ts'
import type { Line } from './line.ts'

/** Records in one envelope; five hundred envelopes are one request of some 12 MB. */
const perEnvelope = 20

/**
 * Sends records (JSON texts) to the raw topic in their order, through normalize and detect, and returns the alerts as they
 * stand on the topic. One raw partition: between several of them, the order of arrival would be the luck of fetching.
 */
export async function throughPipeline(line: Line, records: Iterable<string>, timeoutMs: number): Promise<Alert[]> {
  const processes = [line.start(['normalize']), line.start(['detect'])]
  let envelopes: OutRecord[] = []
  let held: string[] = []
  const seal = () => {
    envelopes.push({ key: null, value: Buffer.from(`{"Records":[${held.join(',')}]}`), partition: 0 })
    held = []
  }
  for (const record of records) {
    if (held.push(record) === perEnvelope) seal()
    if (envelopes.length < 500) continue
    await line.produceRaw(envelopes)
    envelopes = []
  }
  if (held.length > 0) seal()
  await line.produceRaw(envelopes)
  for (const [group, topic] of [
    ['NORMALIZE_GROUP', line.topics.raw],
    ['DETECT_GROUP', line.topics.events],
  ] as const)
    await eventually(
      () => workedOff(line.log, line.env[group]!, topic),
      async () =>
        `${group}: ${JSON.stringify([await line.log.offsets(topic), await line.log.committed(line.env[group]!, topic)])}\n` +
        processes.map(process => process.seen().slice(-2000)).join('\n'),
      timeoutMs,
    )
  for (const { child } of processes) child.kill('SIGTERM')
  await Promise.all(processes.map(({ finished }) => finished))
  return (await alertsOf(line)).map(({ alert }) => alert)
}

/** Alerts as `replay --json` prints them, with the times of the episode as numbers again. */
export function alertsFromJson(lines: Iterable<string>): Alert[] {
  const alerts: Alert[] = []
  for (const text of lines) {
    const alert = JSON.parse(text) as Alert & Record<'firstSeen' | 'lastSeen', string>
    alerts.push({ ...alert, firstSeen: Date.parse(alert.firstSeen), lastSeen: Date.parse(alert.lastSeen) })
  }
  return alerts
}

/** How two lists of alerts agree. */
export interface Agreement {
  /** Episodes that both have, one for one. */
  readonly episodes: number
  /** Of these, with the same dedup key. */
  readonly sameKey: number
  /** Everything else, in words. */
  readonly differences: readonly string[]
}

/**
 * Compares the episodes of a replay with those of the pipeline. Suppressed alerts are not produced, and an episode that
 * turned out to be part of an earlier one is not one of its own. Within lateness, arrival may move the time at which an
 * episode is first announced, hence its key, and what the announcements say of it, but not which episodes there are.
 */
export function agreementOf(replayed: readonly Alert[], produced: readonly Alert[]): Agreement {
  const [ours, theirs] = [replayed, produced].map(episodesOf) as [Episode[], Episode[]]
  const { changes, unchanged } = compareEpisodes(ours, theirs, 'replay')
  const keys = new Set(ours.map(({ dedupKey }) => dedupKey))
  const paired = changes.filter(({ before, after }) => before.length === 1 && after.length === 1)
  return {
    episodes: unchanged + paired.length,
    sameKey: theirs.filter(({ dedupKey }) => keys.has(dedupKey)).length,
    differences: changes
      .filter(change => !paired.includes(change))
      .map(({ before, after }) => `replay ${shown(before)}; pipeline ${shown(after)}`),
  }
}

function episodesOf(alerts: readonly Alert[]): Episode[] {
  const list = new EpisodeList()
  for (const alert of alerts) if (alert.suppressed === null) list.take(alert)
  return list.episodes.filter(({ alert }) => alert?.mergedInto == null)
}

function shown(episodes: readonly Episode[]): string {
  return episodes.length === 0 ? 'nothing' : episodes.map(({ dedupKey }) => dedupKey).join(', ')
}
