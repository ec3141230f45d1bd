// `npm run simulate`: prints the operating characteristics of the rate model as tables for docs/decisions/0011-rate-model.md.
// Options: --seed N, --principals N, --ramps N, --all-worlds.
import { parseArgs } from 'node:util'
import { shippedRate } from '../test/model/streams.ts'
import type { Characteristics } from './rate-simulation.ts'
import { burstSizes, kinds, simulate, worlds } from './rate-simulation.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '11' },
    principals: { type: 'string', default: '1000' },
    ramps: { type: 'string', default: '100' },
    'all-worlds': { type: 'boolean', default: false },
  },
})

/** One row per figure, one column per model. */
function table(columns: readonly { readonly name: string; readonly result: Characteristics }[]): string {
  const row = (title: string, cell: (result: Characteristics) => string): string =>
    `| ${title.padEnd(58)} | ${columns.map(({ name, result }) => cell(result).padEnd(name.length)).join(' | ')} |`
  const names = columns.map(({ name }) => name)
  return [
    `| ${''.padEnd(58)} | ${names.join(' | ')} |`,
    `|${'-'.repeat(60)}|${names.map(name => `${'-'.repeat(name.length + 1)}:`).join('|')}|`,
    row('false episodes per 1000 principals and day, steady', each => each.steady.toFixed(2)),
    row('false episodes, with benign bursts', each => each.bursty.toFixed(2)),
    row('false episodes, all', each => each.all.toFixed(2)),
    ...burstSizes.map((size, i) =>
      row(`burst of ${size} detected, ${kinds.join(' / ')}`, each =>
        (each.detected[i] ?? []).map(share => share.toFixed(2)).join(' / '),
      ),
    ),
    row('slow ramp detected (0.05/h doubling every 2 days)', each => each.rampDetected.toFixed(2)),
    row('slow ramp, median day', each => each.rampMedianDay.toFixed(1)),
  ].join('\n')
}

const options = {
  seed: Number(values.seed),
  principals: Number(values.principals),
  ramps: Number(values.ramps),
}
const models = [
  { name: 'shared            ', rate: shippedRate },
  { name: 'first-denials     ', rate: { ...shippedRate, model: 'first-denials' as const } },
]
for (const world of values['all-worlds'] ? worlds : worlds.slice(0, 1)) {
  console.log(
    `\nWorld "${world.name}", ${options.principals} principals, ${options.ramps} ramps, seed ${options.seed}\n`,
  )
  console.log(table(models.map(({ name, rate }) => ({ name, result: simulate(rate, world, options) }))))
}
