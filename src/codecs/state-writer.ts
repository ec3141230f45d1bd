// PrincipalStateRecord to the bytes of topics/cloudtrail.detector-state.v1/value.avsc in one pass, field by field. Pure.
// The same bytes as avsc makes of state-layout.ts (property-tested), for a twentieth of the time: a detector under attack
// writes a state for every second record.
import type { Anomaly, Evidence } from '../alerts/alert.ts'
import type { AnnouncementSnapshot } from '../detect/announcement.ts'
import type { CappedListSnapshot } from '../detect/capped-list.ts'
import type { FactsSnapshot } from '../detect/facts.ts'
import type { PrincipalStateRecord } from '../detect/principal-state.ts'
import type { RateAnomalyState } from '../detect/rate-anomaly.ts'
import type { DecayedSumsState } from '../detect/rate-kernel.ts'
import type { Sighting } from '../detect/sightings.ts'
import type { WatchSnapshot } from '../detect/watch.ts'
import type { WindowCountSnapshot } from '../detect/window-count.ts'
import { AvroWriter } from './avro-bytes.ts'
import { isWindowCount } from './state-layout.ts'
import { toHashBytes } from './state-parts.ts'
import { StateStrings } from './state-strings.ts'

const mostLookedThrough = 48

/** Writes state records one after the other. */
export class StateWriter {
  readonly #out = new AvroWriter()
  readonly #watches = new AvroWriter()
  readonly #events = new AvroWriter()
  readonly #strings = new StateStrings()
  /** Events shown, in order of first mention. The state holds one object per event, so identity finds them. */
  readonly #evidences: Evidence[] = []
  /** Where each stands, once they are too many to look through. */
  #places: Map<Evidence, number> | null = null
  #base = 0

  /** The Avro binary of a record behind `header` bytes of room; valid until the next call. */
  write(record: PrincipalStateRecord, header: number): Buffer {
    const [out, watches, events, strings] = [this.#out, this.#watches, this.#events, this.#strings]
    const evidences = this.#evidences
    out.position = header
    watches.position = 0
    events.position = 0
    strings.clear()
    evidences.length = 0
    this.#places = null
    this.#base = record.maxTime
    for (const watch of record.watches) this.#watch(watch)
    for (const evidence of evidences) this.#evidence(evidence)

    out.long(record.version)
    out.long(record.maxTime)
    if (strings.all.length > 0) {
      out.long(strings.all.length)
      for (const text of strings.all) out.text(text)
    }
    out.long(0)
    block(out, events, evidences.length)
    out.sized(toHashBytes(record.seen.hashes))
    out.differences(record.seen.times, this.#base)
    block(out, watches, record.watches.length)
    return out.bytes.subarray(0, out.position)
  }

  #index(text: string | null): void {
    this.#watches.long(this.#strings.index(text))
  }

  #indices(texts: readonly string[]): void {
    if (texts.length > 0) {
      this.#watches.long(texts.length)
      for (const text of texts) this.#index(text)
    }
    this.#watches.long(0)
  }

  #shown(evidence: Evidence): void {
    const evidences = this.#evidences
    let at = this.#places?.get(evidence) ?? (this.#places === null ? evidences.lastIndexOf(evidence) : -1)
    if (at < 0) {
      at = evidences.push(evidence) - 1
      if (this.#places !== null) this.#places.set(evidence, at)
      else if (at === mostLookedThrough) this.#places = new Map(evidences.map((known, i) => [known, i]))
    }
    this.#watches.long(at)
  }

  #watch(watch: WatchSnapshot): void {
    const [out, base] = [this.#watches, this.#base]
    const { detector, episodes } = watch
    this.#index(watch.ruleId)
    this.#index(watch.ruleVersion)
    this.#index(watch.parameters)
    this.#indices(watch.group)
    out.long(watch.lastTime - base)
    out.timeOrNull(watch.silentThrough, base)
    const counting = isWindowCount(detector)
    out.long(counting ? 1 : 0)
    if (counting) this.#windowCount(detector)
    const rate = !counting && detector !== null
    out.long(rate ? 1 : 0)
    if (rate) this.#rate(detector as RateAnomalyState)
    out.long(episodes.settled === null ? 0 : 1)
    if (episodes.settled !== null) {
      out.long(episodes.settled.opening - base)
      out.long(episodes.settled.end - episodes.settled.opening)
    }
    out.differences(episodes.open, base)
    if (watch.sightings.length > 0) {
      out.long(watch.sightings.length)
      for (const row of watch.sightings) this.#sighting(row)
    }
    out.long(0)
    if (watch.announcements.length > 0) {
      out.long(watch.announcements.length)
      for (const announcement of watch.announcements) this.#announcement(announcement)
    }
    out.long(0)
  }

  #windowCount({ times, values, nextPrune, pending }: WindowCountSnapshot): void {
    const [out, base] = [this.#watches, this.#base]
    out.differences(times, base)
    this.#indices(values)
    out.long(nextPrune)
    out.differences(pending, base)
  }

  #rate({ first, newest, history, denials, success }: RateAnomalyState): void {
    const [out, base] = [this.#watches, this.#base]
    out.timeOrNull(first, base)
    out.timeOrNull(newest, base)
    this.#sums(history.baseline)
    out.long(history.firstDenials === null ? 0 : 1)
    if (history.firstDenials !== null) {
      this.#sums(history.firstDenials.firsts)
      this.#sums(history.firstDenials.bursts)
      out.sized(toHashBytes(history.firstDenials.known))
    }
    const { gaps } = denials
    if (gaps.length > 0) {
      out.long(gaps.length)
      for (let i = 0; i < gaps.length; i++) out.long((gaps[i] as number) - (i === 0 ? base : 0))
    }
    out.long(0)
    out.longs(denials.counts)
    out.longs(denials.reportedRuns)
    const { secrets } = denials
    out.sized(toHashBytes(secrets.map(([hash = 0]) => hash)))
    if (secrets.length > 0) {
      out.long(secrets.length)
      for (const [, ...times] of secrets) out.differences(times, base)
    }
    out.long(0)
    out.differences(success.successes, base)
    if (success.waiting.length > 0) {
      out.long(success.waiting.length)
      for (const { time, count, distinct, anomaly } of success.waiting) {
        out.long(time - base)
        out.long(count)
        out.long(distinct)
        this.#anomaly(anomaly)
      }
    }
    out.long(0)
  }

  #sums({ newest, moments }: DecayedSumsState): void {
    const out = this.#watches
    out.timeOrNull(newest, this.#base)
    if (moments.length > 0) {
      out.long(moments.length)
      for (const moment of moments) out.double(moment)
    }
    out.long(0)
  }

  #anomaly(anomaly: Anomaly | null): void {
    const out = this.#watches
    out.long(anomaly === null ? 0 : 1)
    if (anomaly === null) return
    out.double(anomaly.count)
    out.double(anomaly.distinct)
    out.double(anomaly.expected)
    out.double(anomaly.pValue)
    out.double(anomaly.alpha)
    out.double(anomaly.exposureMs)
    out.double(anomaly.dispersion)
  }

  #sighting(row: Sighting): void {
    const out = this.#watches
    this.#index(row.value)
    this.#shown(row.evidence)
    this.#indices(row.secrets)
    out.long(row.first - this.#base)
    out.long(row.last - row.first)
    out.long(row.count)
    out.long(row.fresh)
  }

  #announcement(a: AnnouncementSnapshot): void {
    const [out, base] = [this.#watches, this.#base]
    out.long(a.opening - base)
    out.long(a.earliest - a.opening)
    out.long(a.sequence)
    this.#index(a.mergedInto)
    out.boolean(a.raised)
    this.#anomaly(a.anomaly)
    out.timeOrNull(a.anomalyTime, base)
    out.long(a.toldCount)
    out.long(a.toldDistinct)
    this.#facts(a.facts)
  }

  #facts(facts: FactsSnapshot): void {
    const [out, base] = [this.#watches, this.#base]
    out.long(facts.count)
    out.long(facts.shared)
    out.timeOrNull(facts.first, base)
    out.timeOrNull(facts.last, base)
    this.#list(facts.names)
    if (facts.values.length > 0) {
      out.long(facts.values.length)
      for (const { first, last, count } of facts.values) {
        out.long(first - base)
        out.long(last - first)
        out.long(count)
      }
    }
    out.long(0)
    if (facts.samples.length > 0) {
      out.long(facts.samples.length)
      for (const { value, evidence } of facts.samples) {
        this.#index(value)
        this.#shown(evidence)
      }
    }
    out.long(0)
    out.long(facts.dimensions.length)
    for (const list of facts.dimensions) this.#list(list)
    out.long(0)
  }

  #list({ items, sketch }: CappedListSnapshot): void {
    this.#indices(items)
    this.#watches.longs(sketch)
  }

  #evidence(evidence: Evidence): void {
    const [out, strings] = [this.#events, this.#strings]
    const { userIdentity } = evidence
    out.long(strings.index(evidence.eventId))
    out.long(evidence.eventTime - this.#base)
    out.long(strings.index(evidence.eventName))
    out.long(strings.index(evidence.eventSource))
    out.long(strings.index(evidence.awsRegion))
    out.long(strings.index(evidence.recipientAccountId))
    out.long(strings.index(evidence.sourceIPAddress))
    out.long(strings.index(evidence.userAgent))
    out.long(strings.index(evidence.errorCode))
    out.long(strings.index(userIdentity.type))
    out.long(strings.index(userIdentity.arn))
    out.long(strings.index(userIdentity.accessKeyId))
    out.long(strings.index(userIdentity.sessionName))
    if (evidence.fields.length > 0) {
      out.long(evidence.fields.length)
      for (const { field, value } of evidence.fields) {
        out.long(strings.index(field))
        out.long(strings.index(value))
      }
    }
    out.long(0)
  }
}

/** An array whose items are written already. */
function block(out: AvroWriter, items: AvroWriter, count: number): void {
  if (count > 0) {
    out.long(count)
    out.raw(items.bytes, items.position)
  }
  out.long(0)
}
