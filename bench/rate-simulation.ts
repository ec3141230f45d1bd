// Operating characteristics of the rate model: how often it is wrong, and what it catches, on a simulated population.
// Synthetic and seeded; what it assumes stands in World. The population is that of `test/model/denied_rate.py oc`.
import { RateAnomaly } from '../src/detect/rate-anomaly.ts'
import type { RateAnomalyParameters } from '../src/rules/rule.ts'
import { day, hour, secretCall, second, shippedTiming } from '../test/model/streams.ts'
import { Random } from './samplers.ts'

/** What is assumed about the secrets that are denied: nothing public says how real ones are spread. */
export interface World {
  readonly name: string
  /** Secrets that a principal's everyday denials fall on, uniformly. */
  readonly usual: number
  /** Which secrets a broken deployment is denied: any usual ones, the same four usual ones, or ten never denied before. */
  readonly benignBursts: 'usual' | 'few' | 'fresh'
  /** Which secrets an enumerator is denied: ones never denied before, or the principal's usual ones. */
  readonly attack: 'fresh' | 'usual'
}

/** The first is the world of the reference model's own simulation. */
export const worlds: readonly World[] = [
  { name: 'reference', usual: 40, benignBursts: 'usual', attack: 'fresh' },
  { name: 'broken deployment on four secrets', usual: 40, benignBursts: 'few', attack: 'fresh' },
  { name: 'broken deployment on ten new secrets', usual: 40, benignBursts: 'fresh', attack: 'fresh' },
  { name: 'attack on secrets denied before', usual: 40, benignBursts: 'usual', attack: 'usual' },
  { name: 'denials spread over 400 secrets', usual: 400, benignBursts: 'usual', attack: 'fresh' },
]

export const kinds = ['quiet', 'moderate', 'noisy'] as const
export const burstSizes = [6, 10, 20, 40] as const

/** False episodes per 1000 principals and day, shares of attacks detected, and days until a slow ramp is. */
export interface Characteristics {
  readonly steady: number
  readonly bursty: number
  readonly all: number
  /** Per burst size, per kind of principal. */
  readonly detected: readonly (readonly number[])[]
  readonly rampDetected: number
  readonly rampMedianDay: number
}

interface Denial {
  readonly time: number
  readonly secret: string
}

interface SimulatedPrincipal {
  readonly kind: number
  readonly isBursty: boolean
  readonly denials: readonly Denial[]
}

/** Learning before verdicts are counted, the day of the attack, and the gap that ends an episode, as in the reference. */
const learning = 21 * day
const attackDay = 30 * day
const episodeGap = 2 * hour

function rounded(time: number): number {
  return Math.round(time / second) * second
}

/** `count` denials at uniform times in [from, from + length). */
function scatter(random: Random, from: number, length: number, count: number, secret: () => string): Denial[] {
  return Array.from({ length: count }, () => ({ time: rounded(from + random.uniform() * length), secret: secret() }))
}

/**
 * 55 % quiet (0.01 denials per hour), 35 % moderate (log-normal about 0.3), 10 % noisy (about 6); half of the latter two
 * with benign bursts: one half hour in 96, negative binomial with mean 6.
 */
function simulatePrincipal(random: Random, days: number, world: World): SimulatedPrincipal {
  const draw = random.uniform()
  const kind = draw < 0.55 ? 0 : draw < 0.9 ? 1 : 2
  const perHour = [() => 0.01, () => random.logNormal(Math.log(0.3), 1), () => random.logNormal(Math.log(6), 0.7)][kind]
  const isBursty = kind > 0 && random.uniform() < 0.5
  const usual = (): string => `usual-${random.integer(world.usual)}`
  const denials = scatter(random, 0, days * day, random.poisson((perHour?.() ?? 0) * days * 24), usual)
  for (let block = 0; isBursty && block < days * 48; block++) {
    if (random.uniform() >= 1 / 96) continue
    const secrets = {
      usual,
      few: () => `usual-${random.integer(4)}`,
      fresh: () => `release-${block}-${random.integer(10)}`,
    }
    const count = random.negativeBinomial(2, 0.25)
    denials.push(...scatter(random, (block * day) / 48, day / 48, count, secrets[world.benignBursts]))
  }
  return { kind, isBursty, denials: denials.sort((a, b) => a.time - b.time) }
}

function deny(detector: RateAnomaly, { time, secret }: Denial): boolean {
  return detector.observe(secretCall({ time, outcome: 'DENIED', secret })).length > 0
}

/** A detector for a principal that was seen, without denial, at time 0. */
function newcomer(rate: RateAnomalyParameters): RateAnomaly {
  const detector = new RateAnomaly(rate, shippedTiming)
  detector.observe(secretCall({ time: 0, outcome: 'NOT_FOUND', secret: null }))
  return detector
}

/** Episodes after the learning time, and for each burst size whether a burst on the attack day is reported. */
function judgePrincipal(random: Random, { denials }: SimulatedPrincipal, rate: RateAnomalyParameters, world: World) {
  const detector = newcomer(rate)
  let attacked: RateAnomaly | null = null
  let episodes = 0
  let last = -Infinity
  for (const denial of denials) {
    if (denial.time > attackDay) attacked ??= detector.clone()
    if (!deny(detector, denial) || denial.time <= learning) continue
    if (denial.time - last > episodeGap) episodes++
    last = denial.time
  }
  const detected = burstSizes.map(size => {
    const target = (attacked ?? detector).clone()
    return Array.from({ length: size }, (_, i) => {
      const secret = world.attack === 'fresh' ? `target-${i}` : `usual-${random.integer(world.usual)}`
      return deny(target, { time: attackDay + i * 20 * second, secret })
    }).some(reported => reported)
  })
  return { episodes, detected }
}

/** Days until a ramp on a quiet principal (0.05 denials per hour, doubling every two days for 16) is reported, or null. */
function rampDay(random: Random, rate: RateAnomalyParameters, world: World): number | null {
  const begin = 20 * day
  const usual = (): string => `usual-${random.integer(world.usual)}`
  const denials = scatter(random, 0, begin, random.poisson(0.01 * 20 * 24), usual)
  for (let block = 0; block < 16 * 48; block++) {
    const count = random.poisson(0.05 * 2 ** (block / 96) * 0.5)
    denials.push(...scatter(random, begin + (block * day) / 48, day / 48, count, usual))
  }
  const detector = newcomer(rate)
  for (const denial of denials.sort((a, b) => a.time - b.time)) {
    if (deny(detector, denial) && denial.time > begin) return (denial.time - begin) / day
  }
  return null
}

/** Simulates `principals` for 42 days and `ramps` slow ramps. The same seed gives every model the same population. */
export function simulate(
  rate: RateAnomalyParameters,
  world: World,
  { seed, principals, ramps }: { readonly seed: number; readonly principals: number; readonly ramps: number },
): Characteristics {
  const days = 42
  const random = new Random(seed)
  const judged = Array.from({ length: principals }, () => {
    const principal = simulatePrincipal(random, days, world)
    return { ...principal, ...judgePrincipal(random, principal, rate, world) }
  })
  const perDay = (some: typeof judged): number =>
    (1000 * some.reduce((sum, { episodes }) => sum + episodes, 0)) / Math.max(1, some.length) / (days - learning / day)
  const share = (some: boolean[]): number => some.filter(hit => hit).length / Math.max(1, some.length)
  const rampDays = Array.from({ length: ramps }, () => rampDay(random, rate, world))
  const found = rampDays.filter(each => each !== null).sort((a, b) => a - b)
  const middle = found.length >> 1
  return {
    steady: perDay(judged.filter(({ isBursty }) => !isBursty)),
    bursty: perDay(judged.filter(({ isBursty }) => isBursty)),
    all: perDay(judged),
    detected: burstSizes.map((_, i) =>
      kinds.map((_, kind) => share(judged.filter(each => each.kind === kind).map(each => each.detected[i] ?? false))),
    ),
    rampDetected: found.length / Math.max(1, ramps),
    rampMedianDay: ((found[middle] ?? NaN) + (found[found.length - 1 - middle] ?? NaN)) / 2,
  }
}
