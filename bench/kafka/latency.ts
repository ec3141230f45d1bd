// Alert latency on an idle system: from the acknowledgement of the event that completes an attack to the moment a
// read_committed consumer holds the alert. One principal per measurement, its first four regions sent beforehand.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventEncoder } from '../../src/codecs/cloudtrail-event.ts'
import { schemaRegistry } from '../../src/kafka/registry.ts'
import type { OutRecord } from '../../src/log/log-client.ts'
import { startWatchdog } from '../../test/harness/watchdog.ts'
import { eventsOf, schema } from '../events.ts'
import { say } from '../report.ts'
import { atMost } from '../verdicts.ts'
import type { BenchCluster } from './cluster.ts'
import { program } from './program.ts'

const regions = ['us-east-1', 'us-west-2', 'eu-west-1', 'ap-south-1', 'sa-east-1']
const warmUp = 10

/** The nearest-rank percentile. */
function percentile(values: readonly number[], rank: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((sorted.length * rank) / 100) - 1)] ?? Number.NaN
}

/** Prints and judges the row. */
export async function benchLatency(cluster: BenchCluster, count: number): Promise<void> {
  const found = await latencies(cluster, count)
  const [p50, p90, p99] = [50, 90, 99].map(rank => percentile(found, rank)) as [number, number, number]
  const times = `p50 ${p50.toFixed(1)} ms, p90 ${p90.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`
  say(`\nalert latency on an idle system, acknowledged to visible, ${count} alerts: ${times}`)
  const what = 'produce acknowledged to visible read_committed'
  atMost(35, { row: 'latency', what: `p50, ${what}`, value: p50, unit: ' ms' })
  atMost(110, { row: 'latency', what: `p99, ${what}`, value: p99, unit: ' ms' })
}

/** Milliseconds of `count` alerts, after ten to warm up. */
async function latencies(cluster: BenchCluster, count: number): Promise<number[]> {
  const line = await cluster.line({}, 6)
  const id = await schemaRegistry({ url: cluster.kafka.registryUrl }).idOf(`${line.topics.events}-value`, schema)
  const encoder = eventEncoder(schema)
  const call = (who: string, region: string): OutRecord => {
    const [event] = eventsOf([
      JSON.stringify({
        eventTime: `${new Date().toISOString().slice(0, 19)}Z`,
        eventSource: 'secretsmanager.amazonaws.com',
        eventName: 'BatchGetSecretValue',
        awsRegion: region,
        eventID: randomBytes(16).toString('hex'),
        recipientAccountId: '111122223333',
        userIdentity: { type: 'IAMUser', accountId: '111122223333', principalId: who, userName: who },
      }),
    ])
    return { key: event!.principal.key, value: Buffer.from(encoder.encode(event!, id)) }
  }

  const watchdog = startWatchdog()
  const child = spawn(process.execPath, [program, 'detect'], {
    env: { ...process.env, ...line.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  watchdog.pid(child.pid!)
  let seen = ''
  child.stderr.on('data', (chunk: Buffer) => (seen += String(chunk)))
  const exited = new Promise(resolve => child.once('exit', resolve))
  const arrived = new Map<string, number>()
  const consumer = cluster.log.consumer({ group: `${line.groups.detect}-reader`, topic: line.topics.alerts })
  const producer = await cluster.log.producer()
  try {
    await consumer.start({
      assigned: partitions => {
        for (const partition of partitions) consumer.resume(partition, null)
      },
      async batch({ records, nextOffset }, control) {
        const now = performance.now()
        for (const { key } of records)
          if (key !== null && !arrived.has(key.toString())) arrived.set(key.toString(), now)
        control.resolve(nextOffset)
      },
      crashed: error => {
        throw error
      },
    })
    const people = Array.from({ length: count + warmUp }, (_, index) => `AIDA${randomBytes(4).toString('hex')}${index}`)
    const before = people.flatMap(who => regions.slice(0, 4).map(region => call(who, region)))
    await producer.send([{ topic: line.topics.events, records: before }])
    for (let waited = 0; ; waited += 100) {
      const ends = await cluster.log.offsets(line.topics.events)
      const done = await cluster.log.committed(line.groups.detect, line.topics.events)
      if (ends.every(({ end }, partition) => end === 0 || (done[partition] ?? 0) >= end)) break
      if (waited > 60_000) throw new Error(`The detector does not work the beginning off:\n${seen.slice(-2_000)}`)
      await sleep(100)
    }
    const found: number[] = []
    for (const [index, who] of people.entries()) {
      // Idle means idle: the detector waits in a fetch, at any point of it.
      await sleep(150 + Math.random() * 300)
      const record = call(who, regions[4]!)
      await producer.send([{ topic: line.topics.events, records: [record] }])
      const acknowledged = performance.now()
      const key = String(record.key)
      while (!arrived.has(key)) {
        if (performance.now() - acknowledged > 20_000) throw new Error(`No alert for ${index}:\n${seen.slice(-2_000)}`)
        await sleep(1)
      }
      if (index >= warmUp) found.push(arrived.get(key)! - acknowledged)
    }
    return found
  } finally {
    child.kill('SIGKILL')
    await exited
    watchdog.done()
    await consumer.stop()
    await producer.close()
  }
}
