// PrincipalStateRecord to and from the shape of topics/cloudtrail.detector-state.v1/value.avsc, field by field. Pure.
// Exact in both directions: a state read back goes on as the one that was written would have (property-tested).
// The plain way; state-writer.ts and state-reader.ts do the same on the bytes of this layout.
import type { AnnouncementSnapshot } from '../detect/announcement.ts'
import type { Episode } from '../detect/episodes.ts'
import type { PrincipalStateRecord } from '../detect/principal-state.ts'
import type { RateAnomalyState } from '../detect/rate-anomaly.ts'
import type { Sighting } from '../detect/sightings.ts'
import type { WatchSnapshot } from '../detect/watch.ts'
import type { WindowCountSnapshot } from '../detect/window-count.ts'
import { evidenceFromAvro, evidenceToAvro, factsFromAvro, factsToAvro, place, shown } from './state-layout-facts.ts'
import type { AvroEvidence, AvroFacts, Index, Reading, Writing } from './state-layout-facts.ts'
import { rateFromAvro, rateToAvro } from './state-layout-rate.ts'
import type { AvroRate } from './state-layout-rate.ts'
import {
  after,
  before,
  fromDifferences,
  fromHashBytes,
  plain,
  Strings,
  StringTable,
  toDifferences,
  toHashBytes,
} from './state-parts.ts'

interface AvroSighting extends Omit<Sighting, 'value' | 'evidence' | 'secrets'> {
  readonly value: Index
  /** Index into `evidences`. */
  readonly event: Index
  readonly secrets: readonly Index[]
}

interface AvroAnnouncement extends Omit<AnnouncementSnapshot, 'mergedInto' | 'facts'> {
  readonly mergedInto: Index
  readonly facts: AvroFacts
}

interface AvroWindowCount extends Omit<WindowCountSnapshot, 'values'> {
  readonly values: readonly Index[]
}

interface AvroWatch {
  readonly ruleId: Index
  readonly ruleVersion: Index
  readonly parameters: Index
  readonly group: readonly Index[]
  readonly lastTime: number
  readonly silentThrough: number | null
  readonly windowCount: AvroWindowCount | null
  readonly rate: AvroRate | null
  readonly settled: Episode | null
  readonly open: readonly number[]
  readonly sightings: readonly AvroSighting[]
  readonly announcements: readonly AvroAnnouncement[]
}

/** The shape of the schema, version 2: times are relative to maxTime, or to the time beside them. */
export interface AvroState {
  readonly version: number
  readonly maxTime: number
  readonly strings: readonly string[]
  readonly evidences: readonly AvroEvidence[]
  readonly seenHashes: Buffer
  readonly seenTimes: readonly number[]
  readonly watches: readonly AvroWatch[]
}

/** The Avro form of a record. */
export function toAvro(record: PrincipalStateRecord): AvroState {
  const base = record.maxTime
  const writing: Writing = { base, strings: new Strings(), evidences: new Map() }
  const watches = record.watches.map(watch => watchToAvro(watch, writing))
  const evidences = [...writing.evidences.keys()].map(evidence => evidenceToAvro(evidence, writing))
  return {
    version: record.version,
    maxTime: base,
    strings: writing.strings.all,
    evidences,
    seenHashes: toHashBytes(record.seen.hashes),
    seenTimes: toDifferences(record.seen.times, base),
    watches,
  }
}

/** The record of an Avro form. Throws RangeError where an index or a length does not fit. */
export function fromAvro(state: AvroState): PrincipalStateRecord {
  const strings = new StringTable(state.strings)
  const base = state.maxTime
  const evidences = state.evidences.map(evidence => evidenceFromAvro(evidence, base, strings))
  return {
    version: state.version,
    maxTime: base,
    seen: { hashes: fromHashBytes(state.seenHashes), times: fromDifferences(state.seenTimes, base) },
    watches: state.watches.map(watch => watchFromAvro(watch, { base, strings, evidences })),
  }
}

function watchToAvro(watch: WatchSnapshot, writing: Writing): AvroWatch {
  const { base, strings } = writing
  const { detector, episodes } = watch
  const counts = isWindowCount(detector)
  return {
    ruleId: strings.index(watch.ruleId),
    ruleVersion: strings.index(watch.ruleVersion),
    parameters: strings.index(watch.parameters),
    group: watch.group.map(value => strings.index(value)),
    lastTime: watch.lastTime - base,
    silentThrough: after(watch.silentThrough, base),
    windowCount: counts
      ? {
          times: toDifferences(detector.times, base),
          values: detector.values.map(value => strings.index(value)),
          nextPrune: detector.nextPrune,
          pending: toDifferences(detector.pending, base),
        }
      : null,
    rate: counts || detector === null ? null : rateToAvro(detector as RateAnomalyState, base),
    settled:
      episodes.settled === null
        ? null
        : { opening: episodes.settled.opening - base, end: episodes.settled.end - episodes.settled.opening },
    open: toDifferences(episodes.open, base),
    sightings: watch.sightings.map(({ value, evidence, secrets, first, last, count, fresh }) => ({
      value: strings.index(value),
      event: place(writing, evidence),
      secrets: secrets.map(secret => strings.index(secret)),
      first: first - base,
      last: last - first,
      count,
      fresh,
    })),
    announcements: watch.announcements.map(a => ({
      ...a,
      opening: a.opening - base,
      earliest: a.earliest - a.opening,
      mergedInto: strings.index(a.mergedInto),
      anomalyTime: after(a.anomalyTime, base),
      facts: factsToAvro(a.facts, writing),
    })),
  }
}

function watchFromAvro(watch: AvroWatch, reading: Reading): WatchSnapshot {
  const { base, strings } = reading
  const { windowCount, rate, settled } = watch
  const detector: unknown =
    windowCount === null
      ? rate === null
        ? null
        : rateFromAvro(rate, base)
      : {
          times: fromDifferences(windowCount.times, base),
          values: strings.texts(windowCount.values),
          nextPrune: windowCount.nextPrune,
          pending: fromDifferences(windowCount.pending, base),
        }
  return {
    ruleId: strings.text(watch.ruleId),
    ruleVersion: strings.text(watch.ruleVersion),
    parameters: strings.text(watch.parameters),
    group: strings.texts(watch.group),
    lastTime: watch.lastTime + base,
    silentThrough: before(watch.silentThrough, base),
    detector,
    episodes: {
      settled: settled === null ? null : { opening: settled.opening + base, end: settled.opening + base + settled.end },
      open: fromDifferences(watch.open, base),
    },
    sightings: watch.sightings.map(({ value, event, secrets, first, last, count, fresh }) => ({
      value: strings.textOrNull(value),
      evidence: shown(reading, event),
      secrets: strings.texts(secrets),
      first: first + base,
      last: first + base + last,
      count,
      fresh,
    })),
    announcements: watch.announcements.map(a => ({
      ...a,
      opening: a.opening + base,
      earliest: a.opening + base + a.earliest,
      mergedInto: strings.textOrNull(a.mergedInto),
      anomaly: a.anomaly === null ? null : plain(a.anomaly),
      anomalyTime: before(a.anomalyTime, base),
      facts: factsFromAvro(a.facts, reading),
    })),
  }
}

/** Tells the state of event_count and value_count from that of rate_anomaly. */
export function isWindowCount(detector: unknown): detector is WindowCountSnapshot {
  return typeof detector === 'object' && detector !== null && 'nextPrune' in detector
}
