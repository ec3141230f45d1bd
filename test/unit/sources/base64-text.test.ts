// Base64 of gzip or JSON as a text: what is taken for it, and that nothing after padding is lost in silence.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { isBase64, looksLikeBase64Lines, startsLikeBase64 } from '../../../src/sources/base64-text.ts'
import { collect } from '../normalize/options.ts'

const record = (id: number, source = 'xx') =>
  JSON.stringify({ eventTime: '2024-01-01T00:00:00Z', eventSource: source, eventName: 'E', eventID: `id-${id}` })
const zipped = (id: number, source?: string) => gzipSync(record(id, source)).toString('base64')
const ids = (text: string) => collect(Buffer.from(text)).events.map(event => event.eventId)

test('one value a line is every line, padded or not', () => {
  for (const source of ['x', 'xx', 'xxx']) {
    const lines = [1, 2, 3].map(id => zipped(id, source))
    assert.deepEqual(ids(lines.join('\n')), ['id-1', 'id-2', 'id-3'], source)
    assert.deepEqual(ids(`${lines.join('\r\n')}\r\n`), ['id-1', 'id-2', 'id-3'], source)
  }
})

test('JSON lines and base64 lines mix, whichever comes first', () => {
  assert.deepEqual(ids(`${zipped(1)}\n${record(2)}`), ['id-1', 'id-2'])
  assert.deepEqual(ids(`${record(2)}\n${zipped(1)}`), ['id-2', 'id-1'])
})

test('base64 of JSON without gzip, in one piece and wrapped at 76 columns', () => {
  const text = Buffer.from(record(7)).toString('base64')
  assert.deepEqual(ids(text), ['id-7'])
  assert.deepEqual(ids(text.replace(/.{76}/g, '$&\n')), ['id-7'])
  assert.deepEqual(ids(JSON.stringify({ message: text })), ['id-7'])
})

test('padding inside one line is a refusal, not the loss of what follows', () => {
  const { events, rejected } = collect(Buffer.from(`${zipped(1)}${zipped(2)}`))
  assert.deepEqual([events.length, rejected.length], [0, 1])
})

test('words are not base64 of anything that we read', () => {
  assert.equal(startsLikeBase64('just some words'), false)
  assert.equal(startsLikeBase64('AccessDenied'), false)
  assert.equal(looksLikeBase64Lines('H4sIAAAA'), false)
  assert.equal(isBase64('QUJD==QUJD'), false)
  assert.equal(isBase64('QUJD QUI=\n'), true)
})
