// Records that no detector can read, one maker per kind: what ends up on an events topic that others write to as well.
// A function of its arguments. Each kind names the reason that its dead letter must carry.
import { gzipSync } from 'node:zlib'
import type { RejectReason } from '../../src/rejected.ts'
import type { Random } from '../harness/simulator.ts'

/** What poison is made from: a good record, and schema ids of the same registry. */
export interface PoisonParts {
  readonly key: string
  readonly framed: Buffer
  /** An id that the registry does not know. */
  readonly strayId: number
  /** Ids of schemas that are registered and that an event cannot be read from. */
  readonly foreignIds: { readonly alert: number; readonly withoutTimeAndName: number; readonly textTime: number }
}

interface Poison {
  readonly key: string | null
  readonly value: Buffer | null
}

/** What an events topic needs to take the largest of them. */
export const topicConfigForPoison = { 'max.message.bytes': '11534336' }

/** Name of a kind, the reason it is refused with, and its maker. The size of `10 MB` needs a topic that takes it. */
export const poisonKinds: readonly (readonly [
  kind: string,
  reason: RejectReason,
  make: (parts: PoisonParts, random: Random) => Poison,
])[] = [
  ['null key', 'null-key', ({ framed }) => ({ key: null, value: framed })],
  ['null value', 'null-value', ({ key }) => ({ key, value: null })],
  ['empty value', 'bad-magic-byte', ({ key }) => ({ key, value: Buffer.alloc(0) })],
  ['JSON text', 'bad-magic-byte', ({ key }) => ({ key, value: Buffer.from('{"eventName":"GetSecretValue"}') })],
  ['text that is no JSON', 'bad-magic-byte', ({ key }) => ({ key, value: Buffer.from('{"eventName":') })],
  ['truncated gzip', 'bad-magic-byte', ({ key, framed }) => ({ key, value: gzipSync(framed).subarray(0, -12) })],
  ['binary noise', 'bad-magic-byte', ({ key }, random) => ({ key, value: noise(random, 200) })],
  ['10 MB', 'bad-magic-byte', ({ key }) => ({ key, value: Buffer.alloc(10_000_000, 0x41) })],
  ['wrong magic byte', 'bad-magic-byte', ({ key, framed }) => ({ key, value: patched(framed, 0, 1) })],
  ['schema id cut off', 'bad-magic-byte', ({ key, framed }) => ({ key, value: framed.subarray(0, 3) })],
  ['unknown schema id', 'unknown-schema-id', ({ key, framed, strayId }) => ({ key, value: withId(framed, strayId) })],
  [
    "another topic's schema",
    'unknown-schema-id',
    ({ key, framed, foreignIds }) => ({ key, value: withId(framed, foreignIds.alert) }),
  ],
  [
    'schema without eventTime and eventName',
    'unknown-schema-id',
    ({ key, framed, foreignIds }) => ({ key, value: withId(framed, foreignIds.withoutTimeAndName) }),
  ],
  [
    'schema with another type of eventTime',
    'unknown-schema-id',
    ({ key, framed, foreignIds }) => ({ key, value: withId(framed, foreignIds.textTime) }),
  ],
  ['truncated Avro', 'bad-avro', ({ key, framed }) => ({ key, value: framed.subarray(0, framed.length >> 1) })],
  ['nothing behind the id', 'bad-avro', ({ key, framed }) => ({ key, value: framed.subarray(0, 5) })],
  [
    'noise behind the id',
    'bad-avro',
    // A negative length at once, then noise: bytes that happen to decode would be an event and no poison.
    ({ key, framed }, random) => ({
      key,
      value: Buffer.concat([framed.subarray(0, 5), Buffer.from([0x01]), noise(random, 40)]),
    }),
  ],
  ['bytes behind the record', 'bad-avro', ({ key, framed }) => ({ key, value: Buffer.concat([framed, framed]) })],
  ["somebody else's key", 'key-mismatch', ({ key, framed }) => ({ key: `${key}/other`, value: framed })],
]

/** First byte 0xff, so that it is never taken for the wire format. */
function noise(random: Random, length: number): Buffer {
  return Buffer.from([0xff, ...Array.from({ length: length - 1 }, () => random.int(0, 255))])
}

function patched(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}

function withId(framed: Buffer, id: number): Buffer {
  const copy = Buffer.from(framed)
  copy.writeUInt32BE(id, 1)
  return copy
}
