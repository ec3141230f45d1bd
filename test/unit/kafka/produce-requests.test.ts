// How a send is cut into produce requests: no batch over the limit, no record lost, order kept within a partition.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { firstPartition, halves, placesOf, produceRequests, sizeOf } from '../../../src/kafka/produce-requests.ts'
import type { TopicMessages } from '../../../src/kafka/produce-requests.ts'
import type { OutRecord, TopicRecords } from '../../../src/log/log-client.ts'

const record = fc.record(
  {
    key: fc.option(
      fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.uint8Array({ maxLength: 8 }).map(bytes => Buffer.from(bytes)),
      ),
    ),
    value: fc.option(fc.nat({ max: 400 }).map(size => Buffer.alloc(size))),
    partition: fc.nat({ max: 3 }),
    headers: fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), { maxKeys: 2 }),
  },
  { requiredKeys: ['key', 'value'] },
)
const batch = fc.array(fc.record({ topic: fc.constantFrom('a', 'b'), records: fc.array(record, { maxLength: 30 }) }), {
  maxLength: 4,
})

const flat = (request: readonly TopicMessages[]) =>
  request.flatMap(({ topic, messages }) => messages.map(message => ({ topic, ...message })))

function cut(sent: readonly TopicRecords[], maxBytes: number) {
  let spread = 0
  return produceRequests(
    sent,
    () => 4,
    () => spread++,
    maxBytes,
  )
}

test('every record is sent once, batches keep the limit, partitions keep their order', () => {
  fc.assert(
    fc.property(batch, fc.integer({ min: 50, max: 2_000 }), (sent, maxBytes) => {
      const requests = cut(sent, maxBytes)
      const order = new Map<string, OutRecord[]>()
      for (const request of requests) {
        const sizes = new Map<string, number[]>()
        for (const { topic, partition, source } of flat(request)) {
          const place = `${topic}/${partition}`
          order.set(place, [...(order.get(place) ?? []), source])
          sizes.set(place, [...(sizes.get(place) ?? []), sizeOf(source)])
        }
        for (const batchSizes of sizes.values()) {
          const total = batchSizes.reduce((a, b) => a + b, 0)
          assert.ok(total <= maxBytes || batchSizes.length === 1, `${total} > ${maxBytes}`)
        }
      }
      const all = sent.flatMap(({ records }) => records)
      const arrived = [...order.values()].flat()
      assert.equal(arrived.length, all.length)
      assert.equal(new Set(arrived).size, all.length)
      const places = new Map(all.map((source, index) => [source as OutRecord, index]))
      for (const [place, sources] of order) {
        const indices = sources.map(source => places.get(source) ?? -1)
        assert.deepEqual(
          indices,
          [...indices].sort((a, b) => a - b),
          `order in ${place}`,
        )
      }
    }),
  )
})

test('partition: the chosen one, else that of the key, else in turn', () => {
  const records = [
    { key: 'foobar', value: null, partition: 3 },
    { key: 'foobar', value: null },
    { key: null, value: null },
    { key: null, value: null },
  ]
  const [request] = cut([{ topic: 'a', records }], 1_000)
  // murmur2('foobar') is -790332482 in Java's own test; masked to 31 bits and modulo 4 that is 2.
  assert.deepEqual(
    flat(request ?? []).map(({ partition }) => partition),
    [3, 2, 0, 1],
  )
})

test('the places of requests are where their records go, each once', () => {
  fc.assert(
    fc.property(batch, fc.integer({ min: 1, max: 2000 }), (sent, maxBytes) => {
      const requests = cut(sent, maxBytes)
      const expected = Map.groupBy(requests.flatMap(flat), ({ topic, partition }) => `${topic}/${partition}`)
      const places = placesOf(requests)
      assert.equal(places.length, expected.size)
      for (const { topic, partition, records } of places)
        assert.equal(records, expected.get(`${topic}/${partition}`)?.length)
    }),
  )
})

test('halving and peeling lose nothing', () => {
  const records = Array.from({ length: 5 }, (_, i) => ({ key: null, value: null, partition: i % 2 }))
  const request =
    cut(
      [
        { topic: 'a', records },
        { topic: 'b', records },
      ],
      10_000,
    )[0] ?? []
  const [first, second] = halves(request) ?? []
  assert.deepEqual([...flat(first ?? []), ...flat(second ?? [])], flat(request))
  const [peeled, rest] = firstPartition(request)
  assert.equal(flat(peeled).length, 3)
  assert.ok(flat(peeled).every(({ topic, partition }) => topic === 'a' && partition === 0))
  assert.equal(flat(rest).length, 7)
  assert.equal(halves(firstPartition(cut([{ topic: 'a', records: records.slice(0, 1) }], 99)[0] ?? [])[0]), null)
})
