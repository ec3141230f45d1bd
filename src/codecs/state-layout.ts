// PrincipalStateRecord to and from the shape of topics/cloudtrail.detector-state.v1/value.avsc, field by field. Pure.
// Exact in both directions: a state read back goes on as the one that was written would have (property-tested).
import type { Evidence } from '../alerts/alert.ts'
import type { AnnouncementSnapshot } from '../detect/announcement.ts'
import type { CappedListSnapshot } from '../detect/capped-list.ts'
import type { Episode } from '../detect/episodes.ts'
import type { FactsSnapshot } from '../detect/facts.ts'
import type { PrincipalStateRecord } from '../detect/principal-state.ts'
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
  readonly evidence: AvroEvidence
  readonly secrets: readonly Index[]
}

interface AvroFacts extends Omit<FactsSnapshot, 'names' | 'samples' | 'dimensions'> {
  readonly names: AvroList
  readonly samples: readonly { readonly value: Index; readonly evidence: AvroEvidence }[]
  readonly dimensions: readonly AvroList[]
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
  readonly rateAnomaly: string | null
  readonly settled: Episode | null
  readonly open: readonly number[]
  readonly sightings: readonly AvroSighting[]
  readonly announcements: readonly AvroAnnouncement[]
}

/** The shape of the schema, version 1. */
export interface AvroState {
  readonly version: number
  readonly maxTime: number
  readonly strings: readonly string[]
  readonly seenHashes: Buffer
  readonly seenTimes: readonly number[]
  readonly watches: readonly AvroWatch[]
}

/** The Avro form of a record. */
export function toAvro(record: PrincipalStateRecord): AvroState {
  const strings = new Strings()
  const base = record.maxTime
  const watches = record.watches.map(watch => watchToAvro(watch, base, strings))
  return {
    version: record.version,
    maxTime: base,
    strings: strings.all,
    seenHashes: toHashBytes(record.seen.hashes),
    seenTimes: toDifferences(record.seen.times, base),
    watches,
  }
}

/** The record of an Avro form. Throws RangeError where an index or a length does not fit. */
export function fromAvro(state: AvroState): PrincipalStateRecord {
  const strings = new StringTable(state.strings)
  const base = state.maxTime
  return {
    version: state.version,
    maxTime: base,
    seen: { hashes: fromHashBytes(state.seenHashes), times: fromDifferences(state.seenTimes, base) },
    watches: state.watches.map(watch => watchFromAvro(watch, base, strings)),
  }
}

function watchToAvro(watch: WatchSnapshot, base: number, strings: Strings): AvroWatch {
  const { detector } = watch
  const counts = isWindowCount(detector)
  return {
    ruleId: strings.index(watch.ruleId),
    ruleVersion: strings.index(watch.ruleVersion),
    parameters: strings.index(watch.parameters),
    group: watch.group.map(value => strings.index(value)),
    lastTime: watch.lastTime,
    silentThrough: watch.silentThrough,
    windowCount: counts
      ? {
          times: toDifferences(detector.times, base),
          values: detector.values.map(value => strings.index(value)),
          nextPrune: detector.nextPrune,
          pending: toDifferences(detector.pending, base),
        }
      : null,
    rateAnomaly: counts || detector === null ? null : JSON.stringify(detector),
    settled: watch.episodes.settled,
    open: toDifferences(watch.episodes.open, base),
    sightings: watch.sightings.map(row => ({
      ...row,
      value: strings.index(row.value),
      evidence: evidenceToAvro(row.evidence, strings),
      secrets: row.secrets.map(secret => strings.index(secret)),
    })),
    announcements: watch.announcements.map(a => ({
      ...a,
      mergedInto: strings.index(a.mergedInto),
      facts: factsToAvro(a.facts, strings),
    })),
  }
}

function watchFromAvro(watch: AvroWatch, base: number, strings: StringTable): WatchSnapshot {
  const { windowCount, rateAnomaly } = watch
  const detector: unknown =
    windowCount === null
      ? rateAnomaly === null
        ? null
        : JSON.parse(rateAnomaly)
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
    lastTime: watch.lastTime,
    silentThrough: watch.silentThrough,
    detector,
    episodes: {
      settled: watch.settled === null ? null : plain(watch.settled),
      open: fromDifferences(watch.open, base),
    },
    sightings: watch.sightings.map(row => ({
      ...row,
      value: strings.textOrNull(row.value),
      evidence: evidenceFromAvro(row.evidence, strings),
      secrets: strings.texts(row.secrets),
    })),
    announcements: watch.announcements.map(a => ({
      ...a,
      mergedInto: strings.textOrNull(a.mergedInto),
      anomaly: a.anomaly === null ? null : plain(a.anomaly),
      facts: factsFromAvro(a.facts, strings),
    })),
  }
}

/** avsc gives instances of generated classes; the record is plain data all through. */
function plain<T extends object>(instance: T): T {
  return { ...instance }
}

function isWindowCount(detector: unknown): detector is WindowCountSnapshot {
  return typeof detector === 'object' && detector !== null && 'nextPrune' in detector
}

function factsToAvro(facts: FactsSnapshot, strings: Strings): AvroFacts {
  return {
    ...facts,
    names: listToAvro(facts.names, strings),
    samples: facts.samples.map(s => ({ value: strings.index(s.value), evidence: evidenceToAvro(s.evidence, strings) })),
    dimensions: facts.dimensions.map(list => listToAvro(list, strings)),
  }
}

function factsFromAvro(facts: AvroFacts, strings: StringTable): FactsSnapshot {
  return {
    ...facts,
    values: facts.values.map(plain),
    names: listFromAvro(facts.names, strings),
    samples: facts.samples.map(s => ({
      value: strings.textOrNull(s.value),
      evidence: evidenceFromAvro(s.evidence, strings),
    })),
    dimensions: facts.dimensions.map(list => listFromAvro(list, strings)),
  }
}

function listToAvro(list: CappedListSnapshot, strings: Strings): AvroList {
  return { items: list.items.map(item => strings.index(item)), sketch: list.sketch }
}

function listFromAvro(list: AvroList, strings: StringTable): CappedListSnapshot {
  return { items: strings.texts(list.items), sketch: list.sketch }
}

function evidenceToAvro(evidence: Evidence, strings: Strings): AvroEvidence {
  const { userIdentity } = evidence
  return {
    eventId: strings.index(evidence.eventId),
    eventTime: evidence.eventTime,
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

function evidenceFromAvro(evidence: AvroEvidence, strings: StringTable): Evidence {
  return {
    eventId: strings.text(evidence.eventId),
    eventTime: evidence.eventTime,
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
