// `npm run bench:regression [-- --update]`: whether the pure parts have become slower, short enough for every test run.
// Each part stands as a ratio to something of the same run that the parts are not made of (JSON.parse, decoding and
// nothing else), taken turn about, and is compared with bench/baseline.json. Exit 1 beyond the factor; --update writes.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cloudTrailLines } from './data.ts'
import { benchDetector, detectAll, partitionsOf } from './detector.ts'
import { decoding, encoded, eventsOf } from './events.ts'
import { costOf } from './measure.ts'
import { normalizer } from './normalize.ts'
import { benchRules, everyCallRules } from './rules.ts'

const { values } = parseArgs({ options: { update: { type: 'boolean', default: false } } })
const baselineFile = join(import.meta.dirname, 'baseline.json')
const records = 20_000
const rounds = 5
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
  const ratio = await ratioOf(part)
  const before = baseline[part.name]
  found[part.name] = Math.round(ratio * 100) / 100
  if (values.update) console.log(`${part.name}: ${ratio.toFixed(2)} x`)
  else if (before === undefined) throw new Error(`'${part.name}' has no baseline: npm run bench:regression -- --update`)
  else {
    const isSlower = ratio > before * factor
    const bound = `baseline ${before.toFixed(2)} x, at most ${(before * factor).toFixed(2)} x`
    console.log(`${isSlower ? 'SLOWER' : 'ok    '} ${part.name}: ${ratio.toFixed(2)} x, ${bound}`)
    if (isSlower) process.exitCode = 1
  }
}
if (values.update) writeFileSync(baselineFile, `${JSON.stringify(found, null, 2)}\n`)
