// The row memory: what `detect` has resident at most while it works off a topic with a million principals of which one
// in twenty has state, and `normalize` over the raw topic. That it stays flat over an hour is what `npm run soak` shows.
import { cloudTrailLines } from '../data.ts'
import { say } from '../report.ts'
import { atMost } from '../verdicts.ts'
import type { BenchCluster, Line } from './cluster.ts'
import { ours } from './line.ts'
import { costOfWork } from './process-cost.ts'

const fullSize = 1_000_000

/** Runs both once; `principals` is a million for the target to count. */
export async function benchMemory(
  cluster: BenchCluster,
  input: Line,
  principals: number,
  partitions: number,
): Promise<void> {
  const withState = Math.ceil(principals / 20)
  const line = await cluster.line({ raw: input.topics.raw }, partitions)
  // Enough records that every principal comes, those with state more than once.
  await cluster.fillEvents(line, cloudTrailLines(Math.ceil(principals * 1.2), false, { principals, withState }))
  const detect = await costOfWork(cluster.log, ours(cluster, 'detect', line))
  const normalize = await costOfWork(
    cluster.log,
    ours(cluster, 'normalize', await cluster.line({ raw: input.topics.raw }, partitions)),
  )
  const counted = `${principals.toLocaleString('en')} principals, ${withState.toLocaleString('en')} with state`
  say(
    `\nmemory: detect ${Math.round(detect.memory)} MiB with ${counted}; normalize ${Math.round(normalize.memory)} MiB`,
  )
  const note = principals < fullSize ? 'the target is about 1,000,000 principals' : ''
  // The targets are in MB.
  const mb = (mebibytes: number) => (mebibytes * 2 ** 20) / 1e6
  const what = 'resident at most'
  atMost(400, { row: 'memory', what: `detect, ${counted}`, value: mb(detect.memory), unit: ' MB', note })
  atMost(350, { row: 'memory', what: `normalize, ${what}`, value: mb(normalize.memory), unit: ' MB' })
}
