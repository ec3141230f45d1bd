// The Confluent wire format: framing, slabs, writer schemas that are learnt and forgotten, and bytes that are not as they say.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decoder, Encoder, canRead, schemaIdOf } from '../../../src/codecs/confluent.ts'

interface Note {
  readonly id: string
  readonly tags: readonly string[]
}

const schema = {
  type: 'record',
  name: 'Note',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
}

function decoder(): Decoder<Note> {
  const made = new Decoder<Note>(schema)
  assert.equal(made.learn(7, schema), null)
  return made
}

/** Framed bytes: magic 0, schema id, body. */
const framed = (id: number, ...body: number[]) => Buffer.from([0, 0, 0, 0, id, ...body])

test('a record is a zero byte, the schema id in four bytes and the Avro value', () => {
  const bytes = new Encoder<Note>(schema).encode({ id: 'ab', tags: ['c'] }, 0x01020304)
  assert.deepEqual([...bytes], [0, 1, 2, 3, 4, 4, 0x61, 0x62, 2, 2, 0x63, 0])
  assert.equal(schemaIdOf(bytes), 0x01020304)
})

test('a schema id uses all of its 32 bits', () => {
  const bytes = new Encoder<Note>(schema).encode({ id: '', tags: [] }, 0xfffffffe)
  assert.equal(schemaIdOf(bytes), 0xfffffffe)
})

test('values that do not fit into what is left of the slab, or into any slab, come out whole', () => {
  const encoder = new Encoder<Note>(schema, 64)
  const values = [0, 1, 30, 48, 49, 55, 56, 57, 63, 64, 65, 200, 5000, 3].map(size => ({
    id: 'x'.repeat(size),
    tags: [String(size)],
  }))
  const written = values.map(value => encoder.encode(value, 7))
  const reader = decoder()
  assert.deepEqual(
    written.map(bytes => plain(reader.decode(bytes))),
    values,
  )
})

test('records cut from one slab stay as they are while the next ones are written', () => {
  const encoder = new Encoder<Note>(schema, 256)
  const written = Array.from({ length: 1000 }, (_, index) => encoder.encode({ id: `note-${index}`, tags: [] }, 7))
  const copies = written.map(bytes => Buffer.from(bytes))
  const reader = decoder()
  for (const [index, bytes] of written.entries()) {
    assert.deepEqual(bytes, copies[index])
    assert.equal((reader.decode(bytes) as Note).id, `note-${index}`)
  }
  assert.ok(new Set(written.map(bytes => bytes.buffer)).size < 100, 'one allocation serves many records')
})

test('a value that does not fit the schema is a defect and spoils nothing that follows', () => {
  const encoder = new Encoder<Note>(schema, 64)
  const before = encoder.encode({ id: 'before', tags: [] }, 7)
  assert.throws(() => encoder.encode({ id: 5 } as unknown as Note, 7))
  const after = encoder.encode({ id: 'after', tags: [] }, 7)
  const reader = decoder()
  assert.deepEqual(
    [before, after].map(bytes => (reader.decode(bytes) as Note).id),
    ['before', 'after'],
  )
})

test('an id that was never learnt is asked for, one that the registry does not know is refused', () => {
  const reader = decoder()
  const bytes = new Encoder<Note>(schema).encode({ id: 'a', tags: [] }, 9)
  assert.deepEqual(reader.decode(bytes), { unknownSchema: 9 })
  assert.equal(reader.learn(9, null), null)
  assert.deepEqual(reader.decode(bytes), { rejected: 'unknown-schema-id', detail: 'Schema id 9 cannot be read.' })
  reader.forget(9)
  assert.deepEqual(reader.decode(bytes), { unknownSchema: 9 })
  reader.learn(9, schema)
  assert.equal((reader.decode(bytes) as Note).id, 'a')
})

test('a writer that this reader cannot follow is named once and its records are refused', () => {
  const reader = decoder()
  const strange = { type: 'record', name: 'Note', fields: [{ name: 'id', type: 'long' }] }
  assert.match(String(reader.learn(8, strange)), /./)
  assert.equal((reader.decode(framed(8, 2)) as { rejected?: string }).rejected, 'unknown-schema-id')
  assert.match(String(reader.learn(10, { type: 'nonsense' })), /nonsense/)
})

test('bytes without the magic byte, or too few of them, are not in wire format', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from([0]), Buffer.from([0, 0, 0, 0]), Buffer.from('{"id":"a"}')]) {
    assert.equal(schemaIdOf(bytes), null)
    assert.equal((decoder().decode(bytes) as { rejected?: string }).rejected, 'bad-magic-byte')
  }
})

test('truncated values and trailing bytes are refused', () => {
  const reader = decoder()
  const bytes = new Encoder<Note>(schema).encode({ id: 'abc', tags: ['d', 'e'] }, 7)
  for (let length = 5; length < bytes.length; length++)
    assert.equal((reader.decode(bytes.subarray(0, length)) as { rejected?: string }).rejected, 'bad-avro', `${length}`)
  const longer = Buffer.concat([bytes, Buffer.from([0])])
  assert.equal((reader.decode(longer) as { rejected?: string }).rejected, 'bad-avro')
})

test('an array that claims more items than the record has bytes is refused without being believed', () => {
  const reader = decoder()
  // Empty id; then 2^31, 2^52 and -2^31 items (with a block size), and nothing behind.
  for (const claim of [
    [0x80, 0x80, 0x80, 0x80, 0x10],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
    [0xff, 0xff, 0xff, 0xff, 0x0f, 0x02],
  ])
    assert.equal((reader.decode(framed(7, 0, ...claim)) as { rejected?: string }).rejected, 'bad-avro')
})

test('an array in several blocks, with and without their size in bytes, is one array', () => {
  const reader = decoder()
  // id "", block of 1 item "a", block of -2 items in 4 bytes "b" "c", end.
  const blocks = [2, 2, 0x61, 3, 8, 2, 0x62, 2, 0x63, 0]
  assert.deepEqual(plain(reader.decode(framed(7, 0, ...blocks))), { id: '', tags: ['a', 'b', 'c'] })
})

test('a field that a later reader added has its default, one that it dropped is passed over', () => {
  const later = {
    type: 'record',
    name: 'Note',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'author', type: ['null', 'string'], default: null },
    ],
  }
  const reader = new Decoder<{ id: string; author: string | null }>(later)
  assert.equal(reader.learn(7, schema), null)
  const bytes = new Encoder<Note>(schema).encode({ id: 'a', tags: ['dropped', 'too'] }, 7)
  assert.deepEqual(plain(reader.decode(bytes)), { id: 'a', author: null })
  assert.equal(canRead(later, schema), null)
  assert.match(String(canRead(schema, later)), /tags/)
})

test('passing over what a later writer added is bounded by the record too', () => {
  const fields = [
    { name: 'id', type: 'string' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'blobs', type: { type: 'array', items: 'bytes' } },
    { name: 'attributes', type: { type: 'map', values: 'string' } },
  ]
  const writer = { type: 'record', name: 'Note', fields }
  const reader = new Decoder<Note>(schema)
  assert.equal(reader.learn(11, writer), null)
  const value = { id: 'a', tags: [], blobs: [Buffer.from('b'), Buffer.alloc(0)], attributes: { c: 'd', e: '' } }
  const bytes = new Encoder<object>(writer).encode(value, 11)
  assert.deepEqual(plain(reader.decode(bytes)), { id: 'a', tags: [] })
  const refused = (...body: number[]) => (reader.decode(framed(11, 0, 0, ...body)) as { rejected?: string }).rejected
  assert.equal(refused(0x80, 0x80, 0x80, 0x80, 0x10), 'bad-avro', '2^31 blobs')
  assert.equal(refused(0, 0x80, 0x80, 0x80, 0x80, 0x10), 'bad-avro', '2^31 attributes')
  // A blob of -3 bytes would move the cursor back onto its own block, again and again.
  assert.equal(refused(2, 5, 0, 0), 'bad-avro', 'negative length')
})

test('maps are read as far as their record reaches, whatever their keys', () => {
  const mapped = { type: 'record', name: 'Mapped', fields: [{ name: 'of', type: { type: 'map', values: 'string' } }] }
  const reader = new Decoder<{ of: Record<string, string> }>(mapped)
  reader.learn(12, mapped)
  const of = Object.fromEntries([
    ['a', 'b'],
    ['__proto__', 'c'],
  ])
  const read = reader.decode(new Encoder<object>(mapped).encode({ of }, 12)) as { of: object }
  assert.deepEqual(Object.entries(read.of), Object.entries(of))
  assert.equal((reader.decode(framed(12, 0x80, 0x80, 0x80, 0x80, 0x10)) as { rejected?: string }).rejected, 'bad-avro')
})

/** avsc's records have their own prototype. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
