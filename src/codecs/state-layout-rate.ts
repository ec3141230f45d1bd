// The state of a rate_anomaly rule to and from its shape in the state record: a part of state-layout.ts. Pure, exact.
import type { Verdict } from '../detect/detector.ts'
import type { RateAnomalyState } from '../detect/rate-anomaly.ts'
import type { FirstDenialsState } from '../detect/rate-first-denials.ts'
import type { DecayedSumsState } from '../detect/rate-kernel.ts'
import { after, before, fromDifferences, fromHashBytes, plain, toDifferences, toHashBytes } from './state-parts.ts'

interface AvroFirstDenials extends Omit<FirstDenialsState, 'known'> {
  readonly known: Buffer
}

/** The shape of the schema; times are relative to `base`, or to the time beside them. */
export interface AvroRate {
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

/** The Avro form of a state. */
export function rateToAvro({ first, newest, history, denials, success }: RateAnomalyState, base: number): AvroRate {
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

/** The state of an Avro form. Throws RangeError where a length does not fit. */
export function rateFromAvro(rate: AvroRate, base: number): RateAnomalyState {
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
