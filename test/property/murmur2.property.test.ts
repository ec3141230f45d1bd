// Partitioning equal to kafkajs' own DefaultPartitioner for any key and any number of partitions: that client is what
// the rest of the kafkajs world produces with, so equality means co-partitioned topics.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { partitionFor } from '../../src/log/murmur2.ts'

const kafkajsPartition = Partitioners.DefaultPartitioner()

function metadata(count: number) {
  return Array.from({ length: count }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }))
}

function assertSame(key: Buffer, count: number): void {
  const theirs = kafkajsPartition({ topic: 't', partitionMetadata: metadata(count), message: { key, value: null } })
  assert.equal(partitionFor(key, count), theirs)
}

test('the partition of any bytes equals that of the kafkajs DefaultPartitioner', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.integer({ min: 1, max: 97 }), (bytes, count) => {
      assertSame(Buffer.from(bytes), count)
    }),
    { numRuns: 1500 },
  )
})

test('the partition of any text equals that of the kafkajs DefaultPartitioner', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 1, max: 97 }), (text, count) => {
      assertSame(Buffer.from(text), count)
    }),
    { numRuns: 500 },
  )
})
