// The bytes of topics/cloudtrail.detector-state.v1/value.avsc, as this version writes them, to a PrincipalStateRecord. Pure.
// The same record as avsc and state-layout.ts give (property-tested); used where the writer's schema is our own.
import type { Anomaly, Evidence } from '../alerts/alert.ts'
import type { AnnouncementSnapshot } from '../detect/announcement.ts'
import type { CappedListSnapshot } from '../detect/capped-list.ts'
import type { FactsSnapshot } from '../detect/facts.ts'
import type { PrincipalStateRecord } from '../detect/principal-state.ts'
import type { RateAnomalyState } from '../detect/rate-anomaly.ts'
import type { FirstDenialsState } from '../detect/rate-first-denials.ts'
import type { DecayedSumsState } from '../detect/rate-kernel.ts'
import type { Sighting } from '../detect/sightings.ts'
import type { WatchSnapshot } from '../detect/watch.ts'
import type { WindowCountSnapshot } from '../detect/window-count.ts'
import { AvroReader } from './avro-bytes.ts'
import { fromHashBytes, StringTable } from './state-parts.ts'

/** Version and newest event time of a record, which stand first. Throws RangeError on bytes that are too short. */
export function readStateHead(bytes: Buffer, at: number): { readonly version: number; readonly maxTime: number } {
  const reader = new AvroReader(bytes, at)
  return { version: reader.long(), maxTime: reader.long() }
}

/** Reads the record that begins at `at` and fills the rest. Throws RangeError where it does not. */
export function readState(bytes: Buffer, at: number): PrincipalStateRecord {
  const input = new AvroReader(bytes, at)
  const version = input.long()
  const maxTime = input.long()
  const strings = new StringTable(input.array(() => input.text()))
  const reading: Reading = { input, base: maxTime, strings, evidences: [] }
  reading.evidences = input.array(() => evidence(reading))
  const seen = { hashes: fromHashBytes(input.sized()), times: input.differences(maxTime) }
  const watches = input.array(() => watch(reading))
  if (!input.end) throw new RangeError('bytes behind the record')
  return { version, maxTime, seen, watches }
}

interface Reading {
  readonly input: AvroReader
  readonly base: number
  readonly strings: StringTable
  evidences: readonly Evidence[]
}

function text({ input, strings }: Reading): string {
  return strings.text(input.long())
}

function textOrNull({ input, strings }: Reading): string | null {
  return strings.textOrNull(input.long())
}

function texts(reading: Reading): string[] {
  return reading.input.array(() => text(reading))
}

function shown({ input, evidences }: Reading): Evidence {
  const found = evidences[input.long()]
  if (found === undefined) throw new RangeError('evidence index out of range')
  return found
}

function evidence(reading: Reading): Evidence {
  const { input, base } = reading
  return {
    eventId: text(reading),
    eventTime: base + input.long(),
    eventName: text(reading),
    eventSource: text(reading),
    awsRegion: text(reading),
    recipientAccountId: text(reading),
    sourceIPAddress: textOrNull(reading),
    userAgent: textOrNull(reading),
    errorCode: textOrNull(reading),
    userIdentity: {
      type: textOrNull(reading),
      arn: textOrNull(reading),
      accessKeyId: textOrNull(reading),
      sessionName: textOrNull(reading),
    },
    fields: input.array(() => ({ field: text(reading), value: text(reading) })),
  }
}

function watch(reading: Reading): WatchSnapshot {
  const { input, base } = reading
  const ruleId = text(reading)
  const ruleVersion = text(reading)
  const parameters = text(reading)
  const group = texts(reading)
  const lastTime = base + input.long()
  const silentThrough = input.timeOrNull(base)
  const counting = input.present() ? windowCount(reading) : null
  const rating = input.present() ? rate(reading) : null
  let settled = null
  if (input.present()) {
    const opening = base + input.long()
    settled = { opening, end: opening + input.long() }
  }
  const open = input.differences(base)
  return {
    ruleId,
    ruleVersion,
    parameters,
    group,
    lastTime,
    silentThrough,
    detector: counting ?? rating,
    episodes: { settled, open },
    sightings: input.array(() => sighting(reading)),
    announcements: input.array(() => announcement(reading)),
  }
}

function windowCount(reading: Reading): WindowCountSnapshot {
  const { input, base } = reading
  return {
    times: input.differences(base),
    values: texts(reading),
    nextPrune: input.long(),
    pending: input.differences(base),
  }
}

function rate({ input, base }: Reading): RateAnomalyState {
  const first = input.timeOrNull(base)
  const newest = input.timeOrNull(base)
  const history = { baseline: sums(input, base), firstDenials: input.present() ? firstDenials(input, base) : null }
  const gaps = input.longs()
  if (gaps.length > 0) gaps[0] = (gaps[0] as number) + base
  const counts = input.longs()
  const reportedRuns = input.longs()
  const hashes = fromHashBytes(input.sized())
  const times = input.array(() => input.differences(base))
  if (hashes.length !== times.length) throw new RangeError('secrets without times')
  const secrets = hashes.map((hash, i) => [hash, ...(times[i] as number[])])
  const successes = input.differences(base)
  const waiting = input.array(() => ({
    time: base + input.long(),
    count: input.long(),
    distinct: input.long(),
    anomaly: input.present() ? anomaly(input) : null,
  }))
  return { first, newest, history, denials: { gaps, counts, reportedRuns, secrets }, success: { successes, waiting } }
}

function sums(input: AvroReader, base: number): DecayedSumsState {
  return { newest: input.timeOrNull(base), moments: input.array(() => input.double()) }
}

function firstDenials(input: AvroReader, base: number): FirstDenialsState {
  return { firsts: sums(input, base), bursts: sums(input, base), known: fromHashBytes(input.sized()) }
}

function anomaly(input: AvroReader): Anomaly {
  return {
    count: input.double(),
    distinct: input.double(),
    expected: input.double(),
    pValue: input.double(),
    alpha: input.double(),
    exposureMs: input.double(),
    dispersion: input.double(),
  }
}

function sighting(reading: Reading): Sighting {
  const { input, base } = reading
  const value = textOrNull(reading)
  const of = shown(reading)
  const secrets = texts(reading)
  const first = base + input.long()
  return { value, evidence: of, secrets, first, last: first + input.long(), count: input.long(), fresh: input.long() }
}

function announcement(reading: Reading): AnnouncementSnapshot {
  const { input, base } = reading
  const opening = base + input.long()
  return {
    opening,
    earliest: opening + input.long(),
    sequence: input.long(),
    mergedInto: textOrNull(reading),
    raised: input.boolean(),
    anomaly: input.present() ? anomaly(input) : null,
    anomalyTime: input.timeOrNull(base),
    toldCount: input.long(),
    toldDistinct: input.long(),
    facts: facts(reading),
  }
}

function facts(reading: Reading): FactsSnapshot {
  const { input, base } = reading
  return {
    count: input.long(),
    shared: input.long(),
    first: input.timeOrNull(base),
    last: input.timeOrNull(base),
    names: list(reading),
    values: input.array(() => {
      const first = base + input.long()
      return { first, last: first + input.long(), count: input.long() }
    }),
    samples: input.array(() => ({ value: textOrNull(reading), evidence: shown(reading) })),
    dimensions: input.array(() => list(reading)),
  }
}

function list(reading: Reading): CappedListSnapshot {
  return { items: texts(reading), sketch: reading.input.longs() }
}
