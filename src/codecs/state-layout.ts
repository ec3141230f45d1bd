// PrincipalStateRecord to and from the shape of topics/cloudtrail.detector-state.v1/value.avsc, field by field. Pure.
// Exact in both directions: a state read back goes on as the one that was written would have (property-tested).
// The plain way; state-writer.ts and state-reader.ts do the same on the bytes of this layout.
import type { Evidence } from '../alerts/alert.ts'
import type { AnnouncementSnapshot } from '../detect/announcement.ts'
import type { CappedListSnapshot } from '../detect/capped-list.ts'
import type { Episode } from '../detect/episodes.ts'
import type { Verdict } from '../detect/detector.ts'
import type { FactsSnapshot } from '../detect/facts.ts'
import type { PrincipalStateRecord } from '../detect/principal-state.ts'
import type { RateAnomalyState } from '../detect/rate-anomaly.ts'
import type { FirstDenialsState } from '../detect/rate-first-denials.ts'
import type { DecayedSumsState } from '../detect/rate-kernel.ts'
import type { Sighting } from '../detect/sightings.ts'
import type { WatchSnapshot } from '../detect/watch.ts'
import type { WindowCountSnapshot } from '../detect/window-count.ts'
import { fromDifferences, fromHashBytes, Strings, StringTable, toDifferences, toHashBytes } from './state-parts.ts'

/** A text as index into `strings`; -1 where there is none. */
type Index = number

interface AvroList {
  readonly items: readonly Index[]
  readonly sketch: readonly number[]
}

interface AvroEvidence {
  readonly eventId: Index
  readonly eventTime: number
  readonly eventName: Index
  readonly eventSource: Index
  readonly awsRegion: Index
  readonly recipientAccountId: Index
  readonly sourceIPAddress: Index
  readonly userAgent: Index
  readonly errorCode: Index
  readonly type: Index
  readonly arn: Index
  readonly accessKeyId: Index
  readonly sessionName: Index
  readonly fields: readonly { readonly field: Index; readonly value: Index }[]
}

interface AvroSighting extends Omit<Sighting, 'value' | 'evidence' | 'secrets'> {
  readonly value: Index
  /** Index into `evidences`. */
  readonly event: Index
  readonly secrets: readonly Index[]
}

interface AvroFacts extends Omit<FactsSnapshot, 'names' | 'samples' | 'dimensions'> {
  readonly names: AvroList
  readonly samples: readonly { readonly value: Index; readonly event: Index }[]
  readonly dimensions: readonly AvroList[]
}

interface AvroAnnouncement extends Omit<AnnouncementSnapshot, 'mergedInto' | 'facts'> {
  readonly mergedInto: Index
  readonly facts: AvroFacts
}

interface AvroFirstDenials extends Omit<FirstDenialsState, 'known'> {
  readonly known: Buffer
}

interface AvroRate {
  readonly first: number | null
  readonly newest: number | null
  readonly baseline: DecayedSumsState
  readonly firstDenials: AvroFirstDenials | null
  readonly denialTimes: readonly number[]
  readonly denialCounts: readonly number[]
  readonly reportedRuns: readonly number[]
  readonly secretHashes: Buffer
  readonly secretTimes: readonly (readonly number[])[]
  readonly successes: readonly number[]
  readonly waiting: readonly Verdict[]
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

interface Writing {
  readonly base: number
  readonly strings: Strings
  /** Events shown, with their places. The state holds one object per event. */
  readonly evidences: Map<Evidence, Index>
}

interface Reading {
  readonly base: number
  readonly strings: StringTable
  readonly evidences: readonly Evidence[]
}

function place({ evidences }: Writing, evidence: Evidence): Index {
  const known = evidences.get(evidence) ?? evidences.size
  evidences.set(evidence, known)
  return known
}

function shown({ evidences }: Reading, index: Index): Evidence {
  const evidence = evidences[index]
  if (evidence === undefined) throw new RangeError('evidence index out of range')
  return evidence
}

function after(time: number | null, base: number): number | null {
  return time === null ? null : time - base
}

function before(time: number | null, base: number): number | null {
  return time === null ? null : time + base
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

/** avsc gives instances of generated classes; the record is plain data all through. */
function plain<T extends object>(instance: T): T {
  return { ...instance }
}

/** Tells the state of event_count and value_count from that of rate_anomaly. */
export function isWindowCount(detector: unknown): detector is WindowCountSnapshot {
  return typeof detector === 'object' && detector !== null && 'nextPrune' in detector
}

function rateToAvro({ first, newest, history, denials, success }: RateAnomalyState, base: number): AvroRate {
  const { baseline, firstDenials } = history
  const sums = (of: DecayedSumsState): DecayedSumsState => ({ newest: after(of.newest, base), moments: of.moments })
  return {
    first: after(first, base),
    newest: after(newest, base),
    baseline: sums(baseline),
    firstDenials:
      firstDenials === null
        ? null
        : {
            firsts: sums(firstDenials.firsts),
            bursts: sums(firstDenials.bursts),
            known: toHashBytes(firstDenials.known),
          },
    denialTimes: denials.gaps.map((gap, i) => (i === 0 ? gap - base : gap)),
    denialCounts: denials.counts,
    reportedRuns: denials.reportedRuns,
    secretHashes: toHashBytes(denials.secrets.map(([hash = 0]) => hash)),
    secretTimes: denials.secrets.map(([, ...times]) => toDifferences(times, base)),
    successes: toDifferences(success.successes, base),
    waiting: success.waiting.map(verdict => ({ ...verdict, time: verdict.time - base })),
  }
}

function rateFromAvro(rate: AvroRate, base: number): RateAnomalyState {
  const { firstDenials } = rate
  const hashes = fromHashBytes(rate.secretHashes)
  if (hashes.length !== rate.secretTimes.length) throw new RangeError('secrets without times')
  const sums = (of: DecayedSumsState): DecayedSumsState => ({ newest: before(of.newest, base), moments: of.moments })
  return {
    first: before(rate.first, base),
    newest: before(rate.newest, base),
    history: {
      baseline: sums(rate.baseline),
      firstDenials:
        firstDenials === null
          ? null
          : {
              firsts: sums(firstDenials.firsts),
              bursts: sums(firstDenials.bursts),
              known: fromHashBytes(firstDenials.known),
            },
    },
    denials: {
      gaps: rate.denialTimes.map((gap, i) => (i === 0 ? gap + base : gap)),
      counts: rate.denialCounts,
      reportedRuns: rate.reportedRuns,
      secrets: hashes.map((hash, i) => [hash, ...fromDifferences(rate.secretTimes[i] ?? [], base)]),
    },
    success: {
      successes: fromDifferences(rate.successes, base),
      waiting: rate.waiting.map(({ time, count, distinct, anomaly }) => ({
        time: time + base,
        count,
        distinct,
        anomaly: anomaly === null ? null : plain(anomaly),
      })),
    },
  }
}

function factsToAvro(facts: FactsSnapshot, writing: Writing): AvroFacts {
  const { base, strings } = writing
  return {
    ...facts,
    first: after(facts.first, base),
    last: after(facts.last, base),
    names: listToAvro(facts.names, strings),
    values: facts.values.map(({ first, last, count }) => ({ first: first - base, last: last - first, count })),
    samples: facts.samples.map(s => ({ value: strings.index(s.value), event: place(writing, s.evidence) })),
    dimensions: facts.dimensions.map(list => listToAvro(list, strings)),
  }
}

function factsFromAvro(facts: AvroFacts, reading: Reading): FactsSnapshot {
  const { base, strings } = reading
  return {
    ...facts,
    first: before(facts.first, base),
    last: before(facts.last, base),
    names: listFromAvro(facts.names, strings),
    values: facts.values.map(({ first, last, count }) => ({
      first: first + base,
      last: first + base + last,
      count,
    })),
    samples: facts.samples.map(s => ({ value: strings.textOrNull(s.value), evidence: shown(reading, s.event) })),
    dimensions: facts.dimensions.map(list => listFromAvro(list, strings)),
  }
}

function listToAvro(list: CappedListSnapshot, strings: Strings): AvroList {
  return { items: list.items.map(item => strings.index(item)), sketch: list.sketch }
}

function listFromAvro(list: AvroList, strings: StringTable): CappedListSnapshot {
  return { items: strings.texts(list.items), sketch: list.sketch }
}

function evidenceToAvro(evidence: Evidence, { base, strings }: Writing): AvroEvidence {
  const { userIdentity } = evidence
  return {
    eventId: strings.index(evidence.eventId),
    eventTime: evidence.eventTime - base,
    eventName: strings.index(evidence.eventName),
    eventSource: strings.index(evidence.eventSource),
    awsRegion: strings.index(evidence.awsRegion),
    recipientAccountId: strings.index(evidence.recipientAccountId),
    sourceIPAddress: strings.index(evidence.sourceIPAddress),
    userAgent: strings.index(evidence.userAgent),
    errorCode: strings.index(evidence.errorCode),
    type: strings.index(userIdentity.type),
    arn: strings.index(userIdentity.arn),
    accessKeyId: strings.index(userIdentity.accessKeyId),
    sessionName: strings.index(userIdentity.sessionName),
    fields: evidence.fields.map(({ field, value }) => ({ field: strings.index(field), value: strings.index(value) })),
  }
}

function evidenceFromAvro(evidence: AvroEvidence, base: number, strings: StringTable): Evidence {
  return {
    eventId: strings.text(evidence.eventId),
    eventTime: evidence.eventTime + base,
    eventName: strings.text(evidence.eventName),
    eventSource: strings.text(evidence.eventSource),
    awsRegion: strings.text(evidence.awsRegion),
    recipientAccountId: strings.text(evidence.recipientAccountId),
    sourceIPAddress: strings.textOrNull(evidence.sourceIPAddress),
    userAgent: strings.textOrNull(evidence.userAgent),
    errorCode: strings.textOrNull(evidence.errorCode),
    userIdentity: {
      type: strings.textOrNull(evidence.type),
      arn: strings.textOrNull(evidence.arn),
      accessKeyId: strings.textOrNull(evidence.accessKeyId),
      sessionName: strings.textOrNull(evidence.sessionName),
    },
    fields: evidence.fields.map(({ field, value }) => ({ field: strings.text(field), value: strings.text(value) })),
  }
}
