// What one episode shows: counts, distinct values, the dimensions of an alert and sample events, all capped.
// Pure accumulation; lists come out in an order that does not depend on the order of arrival.
import type { Alert, DistinctValue, Evidence } from '../alerts/alert.ts'
import { CappedList } from './capped-list.ts'
import type { CappedListSnapshot } from './capped-list.ts'
import { weightOfNumber } from './detector.ts'
import { evidenceText, noSummary } from './evidence.ts'
import type { Sighting } from './sightings.ts'

/** Caps of the lists, and of the evidence. */
export const caps = {
  distinctValues: 64,
  regions: 40,
  accounts: 32,
  sourceIPs: 32,
  userAgents: 20,
  accessKeys: 32,
  sessionNames: 32,
  secrets: 32,
  evidence: 10,
} as const

const dimensions = ['regions', 'accounts', 'sourceIPs', 'userAgents', 'accessKeys', 'sessionNames', 'secrets'] as const
type Dimension = (typeof dimensions)[number]

interface Sample {
  readonly value: string | null
  readonly evidence: Evidence
}

function sampleText({ value, evidence }: Sample): number {
  return evidenceText(evidence) + (value?.length ?? 0)
}

interface ValueFacts {
  first: number
  last: number
  count: number
}

/** Plain form of {@link Facts}. */
export interface FactsSnapshot {
  readonly count: number
  readonly shared: number
  /** Null before anything was taken in. */
  readonly first: number | null
  readonly last: number | null
  readonly names: CappedListSnapshot
  readonly values: readonly Omit<DistinctValue, 'value'>[]
  readonly samples: readonly Sample[]
  readonly dimensions: readonly CappedListSnapshot[]
}

/** The part of an alert that comes from here. */
export type AlertFacts = Pick<Alert, 'count' | 'distinctValues' | Dimension | 'totals' | 'evidence'>

/** Aggregates of the events in the windows of one episode. */
export class Facts {
  count = 0
  /** Events that an earlier episode had counted as well (windows overlap): not counted twice when the two are joined. */
  shared = 0
  /** Times of the earliest and latest event taken in. */
  first = Infinity
  last = -Infinity
  private readonly names: CappedList
  private readonly values: ValueFacts[]
  private readonly samples: Sample[]
  private readonly lists: readonly CappedList[]
  /** UTF-16 units of the samples. */
  private text = 0

  constructor(
    from?: FactsSnapshot,
    lists?: { readonly names: CappedList; readonly dimensions: readonly CappedList[] },
  ) {
    this.names = lists?.names ?? new CappedList(caps.distinctValues, from?.names)
    this.values = from === undefined ? [] : from.values.map(v => ({ first: v.first, last: v.last, count: v.count }))
    this.samples = from === undefined ? [] : [...from.samples]
    this.lists = lists?.dimensions ?? dimensions.map((name, i) => new CappedList(caps[name], from?.dimensions[i]))
    for (const sample of this.samples) this.text += sampleText(sample)
    if (from === undefined) return
    this.count = from.count
    this.shared = from.shared
    this.first = from.first ?? Infinity
    this.last = from.last ?? -Infinity
  }

  /** Takes `count` events of a row in; `first` is the earliest of its times to show. */
  add(row: Sighting, first: number, count: number): void {
    this.count += count
    this.first = Math.min(this.first, first)
    this.last = Math.max(this.last, row.last)
    if (row.value !== null) this.addValue(row.value, first, row.last, count)
    const { evidence } = row
    const [regions, accounts, sourceIPs, userAgents, accessKeys, sessionNames, secrets] = this.lists
    regions?.add(evidence.awsRegion)
    accounts?.add(evidence.recipientAccountId)
    sourceIPs?.add(evidence.sourceIPAddress)
    userAgents?.add(evidence.userAgent)
    accessKeys?.add(evidence.userIdentity.accessKeyId)
    sessionNames?.add(evidence.userIdentity.sessionName)
    for (const secret of row.secrets) secrets?.add(secret)
    this.addSample(row.value, evidence)
  }

  private addValue(value: string, first: number, last: number, count: number): void {
    if (this.names.add(value)) {
      this.values.push({ first, last, count })
      return
    }
    const known = this.values[this.names.items.indexOf(value)]
    if (known === undefined) return
    known.first = Math.min(known.first, first)
    known.last = Math.max(known.last, last)
    known.count += count
  }

  /** Keeps at most ten samples, one per distinct value before a second one of any. */
  addSample(value: string | null, evidence: Evidence): void {
    const { samples } = this
    if (samples.length >= caps.evidence) {
      // a full list changes only for a value it does not show yet, so most events stop here
      if (samples.some(s => s.value === value)) return
      const spare = samples.findLastIndex((s, i) => samples.some((other, j) => j < i && other.value === s.value))
      if (spare < 0) return
      for (const dropped of samples.splice(spare, 1)) this.text -= sampleText(dropped)
    } else if (
      samples.some(s => s.evidence.eventId === evidence.eventId && s.evidence.eventTime === evidence.eventTime)
    ) {
      return
    }
    const sample = { value, evidence }
    samples.push(sample)
    this.text += sampleText(sample)
  }

  /** Takes over an episode that turned out to be part of this one. */
  merge(other: Facts): void {
    this.count += other.count - other.shared
    this.first = Math.min(this.first, other.first)
    this.last = Math.max(this.last, other.last)
    other.names.items.forEach((value, i) => {
      const seen = other.values[i]
      if (seen !== undefined) this.addValue(value, seen.first, seen.last, seen.count)
    })
    this.names.merge(other.names)
    this.lists.forEach((list, i) => list.merge(other.lists[i] as CappedList))
    for (const sample of other.samples) this.addSample(sample.value, sample.evidence)
  }

  distinctTotal(): number {
    return this.names.total()
  }

  /** The lists as an alert carries them. */
  toAlert(): AlertFacts {
    const [regions, accounts, sourceIPs, userAgents, accessKeys, sessionNames, secrets] = this.lists as CappedList[]
    const list = (of: CappedList | undefined): string[] => of?.sorted() ?? []
    const total = (of: CappedList | undefined): number => of?.total() ?? 0
    const distinctValues = this.names.items.map((value, i) => ({
      value,
      ...(this.values[i] as Omit<DistinctValue, 'value'>),
    }))
    return {
      count: this.count,
      distinctValues: distinctValues.sort((a, b) => a.first - b.first || (a.value < b.value ? -1 : 1)),
      regions: list(regions),
      accounts: list(accounts),
      sourceIPs: list(sourceIPs),
      userAgents: list(userAgents),
      accessKeys: list(accessKeys),
      sessionNames: list(sessionNames),
      secrets: list(secrets),
      totals: {
        distinctValues: this.names.total(),
        regions: total(regions),
        accounts: total(accounts),
        sourceIPs: total(sourceIPs),
        userAgents: total(userAgents),
        accessKeys: total(accessKeys),
        sessionNames: total(sessionNames),
        secrets: total(secrets),
      },
      evidence: this.samples
        .map(s => s.evidence)
        .sort((a, b) => a.eventTime - b.eventTime || (a.eventId < b.eventId ? -1 : a.eventId > b.eventId ? 1 : 0)),
    }
  }

  /** Size for the principal's budget: at most some 50,000 by the caps above, 90,000 with summary fields. */
  weight(): number {
    let weight = this.text + this.names.weight() + 3 * weightOfNumber * this.values.length
    for (const list of this.lists) weight += list.weight()
    return weight
  }

  /** Forgets the summary fields of the samples. */
  dropSummaries(): void {
    this.samples.forEach((sample, i) => {
      const plain = { ...sample, evidence: { ...sample.evidence, fields: noSummary } }
      this.samples[i] = plain
      this.text += sampleText(plain) - sampleText(sample)
    })
  }

  clone(): Facts {
    const copy = new Facts(undefined, {
      names: this.names.clone(),
      dimensions: this.lists.map(list => list.clone()),
    })
    copy.count = this.count
    copy.shared = this.shared
    copy.first = this.first
    copy.last = this.last
    copy.text = this.text
    for (const { first, last, count } of this.values) copy.values.push({ first, last, count })
    for (const sample of this.samples) copy.samples.push(sample)
    return copy
  }

  snapshot(): FactsSnapshot {
    return {
      count: this.count,
      shared: this.shared,
      first: this.count === 0 ? null : this.first,
      last: this.count === 0 ? null : this.last,
      names: this.names.snapshot(),
      values: this.values,
      samples: this.samples,
      dimensions: this.lists.map(list => list.snapshot()),
    }
  }
}
