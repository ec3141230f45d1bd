// `npm run bench:regression [-- --update]`: whether the pure parts have become slower, short enough for every test run.
// Each part stands as a ratio to something of the same run that the parts are not made of (JSON.parse, decoding and
// nothing else), taken turn about, and is compared with bench/baseline.json. A part beyond the factor is measured again:
// what else ran goes away, a step stays. Exit 1 if it stays; --update writes the file.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cloudTrailLines } from './data.ts'
import { benchDetector, detectAll, partitionsOf } from './detector.ts'
import { decoding, encoded, eventsOf } from './events.ts'
import { costOf } from './measure.ts'
import { normalizer } from './normalize.ts'
import { benchRules, everyCallRules } from './rules.ts'

const { values } = parseArgs({
  options: {
    update: { type: 'boolean', default: false },
    baseline: { type: 'string', default: join(import.meta.dirname, 'baseline.json') },
  },
})
const baselineFile = values.baseline
const records = 20_000
const rounds = 5
const attempts = 3
/** Generous, because ratios move with the processor, its caches and what else runs: this is for the step, not the slope. */
const factor = 1.6

interface Part {
  readonly name: string
  readonly work: () => unknown
  readonly beside: () => unknown
}

function parts(): Part[] {
  const lines = [...cloudTrailLines(records)].map(text => Buffer.from(text))
  const events = eventsOf(lines)
  const decodeAll = decoding(encoded(events), null)
  const normalizeAll = normalizer(true)
  const logs = partitionsOf(events, 6)
  const [two, everyCall] = [benchDetector(benchRules(2)), benchDetector(everyCallRules())]
  return [
    {
      name: 'normalize',
      work: () => normalizeAll(lines),
      beside: () => lines.forEach(line => JSON.parse(line.toString())),
    },
    { name: 'detect, 2 rules', work: () => detectAll(logs, two), beside: decodeAll },
    { name: 'detect, every event changes state', work: () => detectAll(logs, everyCall), beside: decodeAll },
  ]
}

async function micros(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Median of the rounds; the first is to warm up. */
async function ratioOf({ work, beside }: Part): Promise<number> {
  const ratios: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const base = await micros(beside)
    const ratio = (await micros(work)) / base
    if (round > 0) ratios.push(ratio)
  }
  return costOf(ratios).median
}

const baseline = JSON.parse(readFileSync(baselineFile, 'utf8')) as Readonly<Record<string, number>>
const found: Record<string, number> = {}
for (const part of parts()) {
  const before = baseline[part.name]
  let ratio = await ratioOf(part)
  found[part.name] = Math.round(ratio * 100) / 100
  if (values.update) console.log(`${part.name}: ${ratio.toFixed(2)} x`)
  else if (before === undefined) throw new Error(`'${part.name}' has no baseline: npm run bench:regression -- --update`)
  else {
    const bound = before * factor
    for (let more = 1; more < attempts && ratio > bound; more++) ratio = Math.min(ratio, await ratioOf(part))
    const isSlower = ratio > bound
    const told = `${ratio.toFixed(2)} x, baseline ${before.toFixed(2)} x, at most ${bound.toFixed(2)} x`
    console.log(`${isSlower ? 'SLOWER' : 'ok    '} ${part.name}: ${told}`)
    if (isSlower) process.exitCode = 1
  }
}
if (values.update) writeFileSync(baselineFile, `${JSON.stringify(found, null, 2)}\n`)
