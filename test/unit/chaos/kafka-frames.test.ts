// The proxy's view of the wire: frames however they are cut, and addresses that lead back to the proxy.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiKeys, correlationIdOf, Frames, isCommit, requestHead, withAddresses } from '../../chaos/kafka-frames.ts'

const int16 = (value: number) => Buffer.from([(value >> 8) & 0xff, value & 0xff])
const int32 = (value: number) => Buffer.concat([int16(value >>> 16), int16(value & 0xffff)])
const text = (value: string | null) =>
  value === null ? int16(-1) : Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
function frame(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length), body])
}

const correlationId = 77
const replace = ({ host, port }: { host: string; port: number }) =>
  port === 9092 ? { host: '127.0.0.1', port: 20_001 } : { host, port }

test('frames come out whole, however the stream is cut', () => {
  const all = [frame(Buffer.from('one')), frame(), frame(Buffer.alloc(300, 7))]
  const stream = Buffer.concat(all)
  for (let size = 1; size <= stream.length; size += 13) {
    const frames = new Frames()
    const out: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) out.push(...frames.push(stream.subarray(at, at + size)))
    assert.deepEqual(out, all, `chunks of ${size}`)
  }
})

test('a request says what it is, and an EndTxn whether it commits', () => {
  const endTxn = (committed: number) =>
    frame(int16(26), int16(1), int32(5), text('client'), text('id'), Buffer.alloc(10), Buffer.from([committed]))
  assert.deepEqual(requestHead(endTxn(1)), { apiKey: apiKeys.endTxn, version: 1, correlationId: 5 })
  assert.equal(isCommit(endTxn(1)), true)
  assert.equal(isCommit(endTxn(0)), false)
})

for (const version of [0, 1, 3, 5]) {
  test(`Metadata version ${version} names the proxy instead of the broker, and everything else as it was`, () => {
    const answer = (first: string, port: number) => {
      const rack = (name: string | null) => (version >= 1 ? [text(name)] : [])
      const throttle = version >= 3 ? [int32(0)] : []
      const brokers = [
        int32(1),
        text(first),
        int32(port),
        ...rack('rack-1'),
        int32(2),
        text('other'),
        int32(9),
        ...rack(null),
      ]
      return frame(int32(correlationId), ...throttle, int32(2), ...brokers, Buffer.from('cluster and topics'))
    }
    const head = { apiKey: apiKeys.metadata, version, correlationId }
    const rewritten = withAddresses(answer('kafka.example', 9092), head, replace)
    assert.deepEqual(rewritten, answer('127.0.0.1', 20_001))
    assert.equal(correlationIdOf(rewritten), correlationId)
  })
}

for (const version of [0, 1, 2]) {
  test(`FindCoordinator version ${version} names the proxy instead of the broker`, () => {
    const answer = (host: string, port: number) => {
      const head = version >= 1 ? [int32(0), int16(0), text(null)] : [int16(0)]
      return frame(int32(correlationId), ...head, int32(1), text(host), int32(port))
    }
    const head = { apiKey: apiKeys.findCoordinator, version, correlationId }
    assert.deepEqual(withAddresses(answer('kafka.example', 9092), head, replace), answer('127.0.0.1', 20_001))
  })
}

test('a version whose layout is not known is refused, not passed on: the client would go around the proxy', () => {
  const answer = frame(int32(correlationId), Buffer.alloc(40))
  for (const [apiKey, version] of [
    [apiKeys.metadata, 9],
    [apiKeys.findCoordinator, 3],
  ] as const)
    assert.throws(() => withAddresses(answer, { apiKey, version, correlationId }, replace), /not known to the proxy/)
})
