// The loader: corrections active all the way through kafkajs' own fetch path, and a clear error where they cannot be.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { kafkajs } from '../../../src/kafka/kafkajs.ts'
import { encodedBatch, marker, recordSet } from './encoded-batches.ts'

const require = createRequire(import.meta.url)
const load = <T>(name: string) => require(`kafkajs/src/${name}`) as T
const source = new URL('../../../src/kafka/kafkajs.ts', import.meta.url).href
const root = fileURLToPath(new URL('../../../', import.meta.url))

async function run(script: string): Promise<string> {
  const args = ['--input-type=module', '-e', script]
  return (await promisify(execFile)(process.execPath, args, { cwd: root })).stdout
}

interface FetchedBatch {
  readonly messages: readonly { readonly offset: number; readonly value: Buffer }[]
  isEmptyDueToFiltering(): boolean
  lastOffset(): string
}

/** What kafkajs' consumer makes of the bytes of a Fetch response (version 11) for partition 0 of topic t at `from`. */
async function throughConsumerGroup(set: Buffer, aborted: readonly (readonly [number, number])[], from: number) {
  const Encoder = load<new () => Record<string, (...args: unknown[]) => never> & { buffer: Buffer }>('protocol/encoder')
  const response = new Encoder()
  const put = (method: string, ...args: unknown[]) => (response[method] as (...a: unknown[]) => void)(...args)
  put('writeInt32', 0) // throttle time
  put('writeInt16', 0) // error
  put('writeInt32', 0) // session
  put('writeInt32', 1) // topics
  put('writeString', 't')
  put('writeInt32', 1) // partitions
  put('writeInt32', 0) // partition
  put('writeInt16', 0) // error
  put('writeInt64', 100) // high watermark
  put('writeInt64', 100) // last stable offset
  put('writeInt64', 0) // log start offset
  put('writeInt32', aborted.length)
  for (const pair of aborted) for (const number of pair) put('writeInt64', number)
  put('writeInt32', -1) // preferred replica
  put('writeInt32', set.length)
  put('writeBuffer', set)
  const { decode } = load<{ readonly decode: (bytes: Buffer) => Promise<object> }>(
    'protocol/requests/fetch/v11/response',
  )
  const decoded = await decode(response.buffer)
  const Group = load<new (options: object) => Record<string, unknown>>('consumer/consumerGroup')
  const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error: assert.fail }
  const cluster = {
    async refreshMetadataIfNecessary() {},
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 1 }],
    findBroker: async () => ({ fetch: async () => decoded }),
  }
  const group = new Group({ cluster, logger, topics: ['t'], topicConfigurations: { t: {} }, retry: {} })
  ;(group['subscriptionState'] as { assign(a: object): void }).assign([{ topic: 't', partitions: [0] }])
  group['offsetManager'] = {
    committedOffsets: () => ({ t: { 0: String(from) } }),
    nextOffset: () => from,
    async resolveOffsets() {},
  }
  const [batch] = await (group as unknown as { fetch(node: string): Promise<FetchedBatch[]> }).fetch('1')
  assert.ok(batch)
  return batch
}

test('kafkajs itself no longer leaks an aborted record', async () => {
  const written = (baseOffset: number, producerId: number) => ({
    ...{ baseOffset, producerId, transactional: true },
    records: [{ value: Buffer.from(String(baseOffset)) }],
  })
  const log = [written(10, 1), written(11, 2), marker(12, 2, 'abort'), written(13, 1), marker(14, 1, 'abort')]
  const set = await recordSet([...log, written(15, 3), marker(16, 3, 'commit')])
  const batch = await throughConsumerGroup(
    set,
    [
      [2, 11],
      [1, 10],
    ],
    10,
  )
  assert.deepEqual(
    batch.messages.map(({ offset }) => offset),
    [15],
  )
  assert.equal(batch.lastOffset(), '16')
})

test('kafkajs itself steps over a batch that compaction emptied', async () => {
  const batch = await throughConsumerGroup(
    await encodedBatch({ baseOffset: 5, records: [], lastOffsetDelta: 4 }),
    [],
    5,
  )
  assert.equal(batch.isEmptyDueToFiltering(), true)
  assert.equal(batch.lastOffset(), '9')
})

test('kafkajs itself reads every codec, and an unknown one is TW_CODEC_UNSUPPORTED', async () => {
  for (const compression of [1, 2, 3, 4]) {
    const set = await encodedBatch({ baseOffset: 0, records: [{ value: Buffer.from('packed') }], compression })
    const batch = await throughConsumerGroup(set, [], 0)
    assert.equal(batch.messages[0]?.value.toString(), 'packed', `codec ${compression}`)
  }
  const set = await encodedBatch({ baseOffset: 0, records: [{}] })
  set.writeInt16BE(7, 21)
  await assert.rejects(throughConsumerGroup(set, [], 0), { code: 'TW_CODEC_UNSUPPORTED' })
})

test('importing twice is harmless, and what is exported is kafkajs', () => {
  assert.equal(typeof kafkajs.Kafka, 'function')
  assert.equal(require('kafkajs'), kafkajs)
})

test('where kafkajs was loaded before, the error says so', async () => {
  const out = await run(`
    await import('kafkajs')
    await import(${JSON.stringify(source)}).catch(error => console.log(error.code, error.message, error.hint))`)
  assert.match(out, /^TW_KAFKAJS_UNPATCHED kafkajs was loaded before .*Import trailwarden before/)
})

test('whoever imports kafkajs afterwards gets the corrected one', async () => {
  const out = await run(`
    const { kafkajs } = await import(${JSON.stringify(source)})
    console.log((await import('kafkajs')).default === kafkajs)`)
  assert.equal(out.trim(), 'true')
})

const queueing = `
  process.on('warning', warning => console.log(warning.name))
  const logger = { debug() {}, warn() {} }
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue')
  const queue = new RequestQueue({ requestTimeout: 1000, clientId: 'c', broker: 'b', logger })
  queue.fulfillRequest({ correlationId: 1, size: 0, payload: null })
  setTimeout(() => { console.log('done'); process.exit() }, 50)`

test('no TimeoutNegativeWarning when a response arrives; the original gives one', async () => {
  const start = `import { createRequire } from 'node:module'; await import`
  assert.equal((await run(`${start}(${JSON.stringify(source)}); ${queueing}`)).trim(), 'done')
  assert.match(await run(`${start}('kafkajs'); ${queueing}`), /TimeoutNegativeWarning/)
})
