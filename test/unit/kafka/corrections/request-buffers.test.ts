import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awaitingAnswer, RequestBuffer, returningBuffers } from '../../../../src/kafka/corrections/request-buffers.ts'

const answered = returningBuffers(async () => 'answer')
const failing = returningBuffers(async () => Promise.reject(new Error('timed out')))

test('a buffer is used again once its request has been answered, and not before', async () => {
  const topicData: object[] = []
  const first = new RequestBuffer(10)
  awaitingAnswer(topicData, first)
  const { bytes } = first
  assert.notEqual(new RequestBuffer(10).bytes, bytes)
  assert.equal(await answered.call({}, { topicData }), 'answer')
  assert.equal(new RequestBuffer(10).bytes, bytes)
  await answered.call({}, { topicData })
  assert.notEqual(new RequestBuffer(10).bytes, bytes, 'given back once only')
})

test('what failed, or is never answered, may still be on its way', async () => {
  for (const [produce, acks] of [
    [failing, -1],
    [answered, 0],
  ] as const) {
    const topicData: object[] = []
    const buffer = new RequestBuffer(10)
    awaitingAnswer(topicData, buffer)
    await produce.call({}, { topicData, acks }).catch(() => undefined)
    assert.notEqual(new RequestBuffer(10).bytes, buffer.bytes)
  }
})

test('a buffer that grows keeps what is in it, and one that grew huge is not kept', async () => {
  const topicData: object[] = []
  const buffer = new RequestBuffer(1)
  buffer.position = buffer.bytes.write('kept', 0)
  buffer.reserve(9 << 20)
  assert.equal(buffer.bytes.toString('latin1', 0, 4), 'kept')
  const { bytes } = buffer
  awaitingAnswer(topicData, buffer)
  await answered.call({}, { topicData })
  assert.notEqual(new RequestBuffer(1).bytes, bytes)
})
