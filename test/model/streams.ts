// Random streams for the rate model: disorder within lateness, late events, bursts, equal times, silence of months,
// successes among the population. One generator feeds the TypeScript detector and the Python reference.
import type { Random } from '../../bench/samplers.ts'
import type { CloudTrailEvent, Outcome } from '../../src/normalize/event.ts'
import type { RateAnomalyParameters } from '../../src/rules/rule.ts'

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

/** One event of a stream: epoch milliseconds, how it ended, the secret it names. */
export interface Call {
  readonly time: number
  readonly outcome: Outcome
  readonly secret: string | null
}

/** Parameters of the shipped rule, the defaults of the reference model. */
export const shippedRate: RateAnomalyParameters = {
  denied: event => event.outcome === 'DENIED',
  distinct: { name: 'secrets', read: event => event.secrets[0] ?? null },
  windowMs: 30 * minute,
  tauMs: 7 * day,
  filters: 3,
  alpha: 1e-6,
  minCount: 5,
  minDistinct: 3,
  priorShape: 0.5,
  priorExposureMs: 10 * hour,
  dispersion: 2,
  dispersionBlocks: 48,
  successWithinMs: hour,
}

export const shippedTiming = { latenessMs: 15 * minute, dedupMs: 10 * minute }

/** The same parameters as keyword arguments of the reference model, in milliseconds. */
export function modelArguments(rate: RateAnomalyParameters, latenessMs: number): Record<string, number> {
  return {
    window: rate.windowMs,
    lateness: latenessMs,
    m: rate.filters,
    tau: rate.tauMs,
    a0: rate.priorShape,
    b0: rate.priorExposureMs,
    alpha: rate.alpha,
    min_count: rate.minCount,
    min_distinct: rate.minDistinct,
    phi0: rate.dispersion,
    phi_blocks: rate.dispersionBlocks,
  }
}

/** A GetSecretValue call as the detector sees it. */
export function secretCall({ time, outcome, secret }: Call): CloudTrailEvent {
  const absent = null
  return {
    eventTime: time,
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: 'GetSecretValue',
    awsRegion: 'eu-central-1',
    outcome,
    principal: { key: '111122223333/user/AIDAEXAMPLE', kind: 'USER', name: 'example' },
    recipientAccountId: '111122223333',
    eventId: '',
    sharedEventId: absent,
    eventVersion: absent,
    eventType: absent,
    eventCategory: absent,
    sourceIPAddress: absent,
    userAgent: absent,
    errorCode: outcome === 'DENIED' ? 'AccessDenied' : absent,
    errorMessage: absent,
    readOnly: true,
    managementEvent: true,
    vpcEndpointId: absent,
    requestId: absent,
    userIdentity: {
      type: 'IAMUser',
      principalId: absent,
      arn: absent,
      accountId: absent,
      accessKeyId: absent,
      userName: absent,
      invokedBy: absent,
      sourceIdentity: absent,
      sessionIssuer: absent,
      sessionName: absent,
      mfaAuthenticated: absent,
      sessionCreated: absent,
    },
    requestParameters: absent,
    responseElements: absent,
    additionalEventData: absent,
    secrets: secret === null ? [] : [secret],
    sourceKind: 'RECORD',
  }
}

const secretNames = Array.from({ length: 150 }, (_, i) => `111122223333:eu-central-1:secret-${i}`)

/** One stream of at most about `size` events, in order of arrival. */
export function randomStream(random: Random, size: number): Call[] {
  const start = 1_700_000_000_000 + random.integer(400) * day + random.integer(86_400) * second
  const vocabulary = 1 + random.integer(secretNames.length)
  const deniedShare = [0.1, 0.5, 0.9, 1][random.integer(4)] ?? 1
  const gapMs = [20 * second, 10 * minute, 2 * hour, 12 * hour][random.integer(4)] ?? hour
  const calls: Call[] = []
  let time = start
  const call = (at: number, denied: boolean): void => {
    const other: Outcome = random.uniform() < 0.7 ? 'SUCCESS' : 'NOT_FOUND'
    const secret = random.uniform() < 0.05 ? null : (secretNames[random.integer(vocabulary)] ?? null)
    calls.push({ time: at, outcome: denied ? 'DENIED' : other, secret })
  }
  while (calls.length < size) {
    const kind = random.uniform()
    if (kind < 0.02) time += random.integer(300) * day
    else if (kind < 0.12) {
      const spacing = [0, 1, 20, 120][random.integer(4)] ?? 1
      for (let i = 2 + random.integer(25); i > 0; i--) call((time += random.integer(spacing + 1) * second), true)
    } else {
      time += Math.round((-Math.log(1 - random.uniform()) * gapMs) / second) * second
      call(time, random.uniform() < deniedShare)
    }
  }
  return disordered(random, calls, [0, 5 * minute, 14 * minute, 40 * minute][random.integer(4)] ?? 0)
}

/** Delays each arrival by up to `delayMs` of event time: events overtake each other, beyond the lateness they come late. */
export function disordered(random: Random, calls: readonly Call[], delayMs: number): Call[] {
  return calls
    .map(call => ({ call, arrival: call.time + random.uniform() * delayMs }))
    .sort((a, b) => a.arrival - b.arrival)
    .map(({ call }) => call)
}
