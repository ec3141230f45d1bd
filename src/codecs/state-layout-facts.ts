// What alerts would show to and from its shape in the state record: a part of state-layout.ts. Texts and events stand once in a
// record and are referred to by index. Pure, exact.
import type { Evidence } from '../alerts/alert.ts'
import type { CappedListSnapshot } from '../detect/capped-list.ts'
import type { FactsSnapshot } from '../detect/facts.ts'
import { after, before } from './state-parts.ts'
import type { Strings, StringTable } from './state-parts.ts'

/** A text as index into `strings`; -1 where there is none. */
export type Index = number

interface AvroList {
  readonly items: readonly Index[]
  readonly sketch: readonly number[]
}

/** An event shown. */
export interface AvroEvidence {
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

/** What one episode shows. */
export interface AvroFacts extends Omit<FactsSnapshot, 'names' | 'samples' | 'dimensions'> {
  readonly names: AvroList
  readonly samples: readonly { readonly value: Index; readonly event: Index }[]
  readonly dimensions: readonly AvroList[]
}

/** A record on its way to Avro. */
export interface Writing {
  readonly base: number
  readonly strings: Strings
  /** Events shown, with their places. The state holds one object per event. */
  readonly evidences: Map<Evidence, Index>
}

/** A record on its way back. */
export interface Reading {
  readonly base: number
  readonly strings: StringTable
  readonly evidences: readonly Evidence[]
}

/** The index of an event, which is given one where it has none. */
export function place({ evidences }: Writing, evidence: Evidence): Index {
  const known = evidences.get(evidence) ?? evidences.size
  evidences.set(evidence, known)
  return known
}

/** The event of an index. Throws RangeError where there is none. */
export function shown({ evidences }: Reading, index: Index): Evidence {
  const evidence = evidences[index]
  if (evidence === undefined) throw new RangeError('evidence index out of range')
  return evidence
}

/** The Avro form of what an episode shows. */
export function factsToAvro(facts: FactsSnapshot, writing: Writing): AvroFacts {
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

/** The inverse of {@link factsToAvro}. */
export function factsFromAvro(facts: AvroFacts, reading: Reading): FactsSnapshot {
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

/** The Avro form of an event. */
export function evidenceToAvro(evidence: Evidence, { base, strings }: Writing): AvroEvidence {
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

/** The inverse of {@link evidenceToAvro}. */
export function evidenceFromAvro(evidence: AvroEvidence, base: number, strings: StringTable): Evidence {
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
