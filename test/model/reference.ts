// Runs the Python reference model on streams, where python3 is installed; compares its verdicts with the detector's.
// `node test/model/reference.ts` records test/fixtures/rate/verdicts.json, which the golden test reads where Python is absent.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Random } from '../../bench/samplers.ts'
import { hash53 } from '../../src/detect/hash.ts'
import { RateAnomaly } from '../../src/detect/rate-anomaly.ts'
import type { RateAnomalyParameters } from '../../src/rules/rule.ts'
import type { Call } from './streams.ts'
import { modelArguments, randomStream, secretCall, shippedRate, shippedTiming } from './streams.ts'

/** p-value, anomalous, count, distinct, expected, window end: or null where the model returns none. */
export type ModelVerdict = readonly [number, boolean, number, number, number, number] | null

/** A stream with the parameters it is judged with. */
export interface Case {
  readonly rate: RateAnomalyParameters
  readonly latenessMs: number
  readonly calls: readonly Call[]
}

export function hasPython(): boolean {
  return spawnSync('python3', ['--version']).status === 0
}

/** The verdicts of the Python model per stream and event, or null where there is no python3. */
export function referenceVerdicts(cases: readonly Case[], options: readonly string[] = []): ModelVerdict[][] | null {
  if (!hasPython()) return null
  const input = cases.map(({ rate, latenessMs, calls }) =>
    JSON.stringify({
      parameters: modelArguments(rate, latenessMs),
      events: calls.map(({ time, outcome, secret }) => [time, outcome === 'DENIED', hash53('', secret ?? '')]),
    }),
  )
  const run = spawnSync('python3', [fileURLToPath(new URL('verdicts.py', import.meta.url)), ...options], {
    input: input.join('\n'),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  })
  if (run.status !== 0) throw new Error(`the reference model failed: ${run.stderr}`)
  return run.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as ModelVerdict[])
}

/** Relative difference of two tails; equal when both are beyond what a double can carry. */
export function relative(a: number, b: number): number {
  return a === b || (a < 1e-290 && b < 1e-290) ? 0 : Math.abs(a - b) / Math.max(a, b)
}

/** What a comparison of one stream found: the first disagreement in words, and the largest relative difference of p. */
export interface Comparison {
  readonly disagreement: string | null
  readonly worst: number
  readonly verdicts: number
  readonly anomalous: number
}

/** Feeds the stream to the detector and compares, event by event, with what the model said. */
export function compare({ rate, latenessMs, calls }: Case, expected: readonly ModelVerdict[]): Comparison {
  const detector = new RateAnomaly(rate, { ...shippedTiming, latenessMs })
  let worst = 0
  let verdicts = 0
  let anomalous = 0
  for (const [i, call] of calls.entries()) {
    const judged = detector.judge(secretCall(call))
    const verdict = expected[i] ?? null
    const fail = (what: string): Comparison => ({ disagreement: `event ${i}: ${what}`, worst, verdicts, anomalous })
    if (verdict === null) {
      if (judged.length > 0) return fail(`the model judges nothing, the detector ${judged.length} windows`)
      continue
    }
    const [pValue, isAnomalous, count, distinct, mean, end] = verdict
    // Two windows may have the same tail to the last digit but one; then either may be called the best.
    const same = judged.find(({ time }) => time === end)?.anomaly
    const best = Math.min(...judged.map(({ anomaly }) => anomaly.pValue))
    if (same === undefined) return fail(`the detector did not judge the window ending at ${end}`)
    verdicts++
    if (isAnomalous) anomalous++
    worst = Math.max(worst, relative(same.pValue, pValue), relative(best, pValue), relative(same.expected, mean))
    if (same.count !== count || same.distinct !== distinct) {
      return fail(`count ${same.count}, distinct ${same.distinct}; the model has ${count}, ${distinct}`)
    }
    if (best <= rate.alpha !== isAnomalous) return fail(`anomalous is ${isAnomalous} in the model, p ${pValue}`)
    if (worst > 1e-9)
      return fail(`p ${same.pValue} (best ${best}), expected ${same.expected}; the model ${pValue}, ${mean}`)
  }
  return { disagreement: null, worst, verdicts, anomalous }
}

/** The shipped parameters mostly; every fourth stream with others, so that no constant is taken for granted. */
export function randomCase(random: Random, size: number): Case {
  const calls = randomStream(random, size)
  if (random.integer(4) > 0) return { rate: shippedRate, latenessMs: shippedTiming.latenessMs, calls }
  const minutes = 60_000
  return {
    rate: {
      ...shippedRate,
      windowMs: [5, 10, 60][random.integer(3)]! * minutes,
      tauMs: [1, 3, 14][random.integer(3)]! * 1440 * minutes,
      filters: random.integer(5),
      minCount: 1 + random.integer(8),
      minDistinct: 1 + random.integer(4),
      alpha: [1e-3, 1e-6, 1e-9][random.integer(3)]!,
      priorShape: 0.3 + random.uniform(),
      priorExposureMs: (30 + random.integer(1200)) * minutes,
      dispersion: random.uniform() * 4,
      dispersionBlocks: 1 + random.integer(96),
    },
    latenessMs: [0, 2, 15, 90][random.integer(4)]! * minutes,
    calls,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const random = new Random(20260)
  const streams = (['shared', 'first-denials'] as const).flatMap(model => {
    const calls = Array.from({ length: 8 }, () => randomStream(random, 110))
    const cases = calls.map(stream => ({ rate: shippedRate, latenessMs: shippedTiming.latenessMs, calls: stream }))
    const verdicts = referenceVerdicts(cases, [`--${model}`])
    if (verdicts === null) throw new Error('recording needs python3')
    return calls.map((stream, i) => ({
      model,
      calls: stream.map(({ time, outcome, secret }) => [time, outcome, secret]),
      verdicts: verdicts[i],
    }))
  })
  const file = new URL('../fixtures/rate/verdicts.json', import.meta.url)
  writeFileSync(file, `${JSON.stringify({ recordedBy: 'node test/model/reference.ts', streams })}\n`)
}
