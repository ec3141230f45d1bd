import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunkLimitsOf, chunksOf, fileEnvelopeLimits } from '../../../src/sources/file-chunks.ts'
import { defaultEnvelopeLimits } from '../../../src/sources/envelope.ts'

test('chunks never hold more lines than an envelope may hold records', () => {
  assert.equal(chunkLimitsOf({ ...defaultEnvelopeLimits, records: 10 }).chunkLines, 10)
  assert.equal(chunkLimitsOf(defaultEnvelopeLimits).wholeBytes, defaultEnvelopeLimits.inflatedBytes)
})

test('what a file may inflate to is not too large for the envelope', () => {
  const limits = fileEnvelopeLimits(defaultEnvelopeLimits)
  assert.equal(limits.inputBytes, chunkLimitsOf(defaultEnvelopeLimits).wholeBytes)
  assert.equal(limits.records, defaultEnvelopeLimits.records)
})

test('the same bytes give the same lines, however the stream cuts them', async () => {
  const content = Array.from({ length: 30 }, (_, i) => `{"event":${i}}\r\n`).join('\n')
  for (const size of [1, 2, 3, 7, 64, 1000]) {
    async function* stream(): AsyncGenerator<Uint8Array> {
      const bytes = Buffer.from(content)
      for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
    }
    let joined = ''
    for await (const chunk of chunksOf(stream(), { chunkBytes: 50, chunkLines: 4, wholeBytes: 500 })) {
      assert.ok(chunk instanceof Uint8Array)
      joined += Buffer.from(chunk).toString()
    }
    assert.equal(joined, content, `pieces of ${size}`)
  }
})

test('the source may read every piece into the same memory', async () => {
  const content = Array.from({ length: 30 }, (_, i) => `{"event":${i}}\n`).join('')
  for (const size of [1, 7, 64]) {
    const memory = Buffer.alloc(size)
    async function* stream(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < content.length; i += size) yield memory.subarray(0, memory.write(content.slice(i, i + size)))
    }
    let joined = ''
    for await (const chunk of chunksOf(stream(), { chunkBytes: 50, chunkLines: 4, wholeBytes: 500 }))
      joined += Buffer.from(chunk as Uint8Array).toString()
    assert.equal(joined, content, `pieces of ${size}`)
  }
})
