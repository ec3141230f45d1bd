// The topic contracts: every field documented, every example valid, every schema able to read all that was ever committed.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import avro from 'avsc'
import { Decoder, Encoder, canRead } from '../../src/codecs/confluent.ts'
import { topicContracts } from '../../src/topics.ts'

const root = join(import.meta.dirname, '..', '..')
const withSchema = topicContracts().filter(contract => contract.schema !== null)

/** An example as people read it; bytes stand in it as Avro's JSON encoding writes them, one character a byte. */
function valueOf(type: avro.Type, text: string): object {
  const value = JSON.parse(text) as Record<string, unknown>
  type.isValid(value, {
    errorHook: (path: string[], found: unknown, expected: avro.Type) => {
      const [member] = path
      if (expected.typeName === 'bytes' && path.length === 1 && member !== undefined && typeof found === 'string')
        value[member] = Buffer.from(found, 'latin1')
    },
  })
  return value
}

interface Node {
  readonly type?: unknown
  readonly name?: string
  readonly doc?: string
  readonly fields?: readonly Node[]
  readonly items?: unknown
}

/** Paths of records, enums and fields without a doc. */
function undocumented(schema: unknown, path: string): string[] {
  if (Array.isArray(schema)) return schema.flatMap(branch => undocumented(branch, path))
  if (typeof schema !== 'object' || schema === null) return []
  const node = schema as Node
  const here = node.name === undefined ? path : `${path}.${node.name}`
  const own = (node.type === 'record' || node.type === 'enum') && !node.doc ? [here] : []
  const fields = (node.fields ?? []).flatMap(field => [
    ...(field.doc ? [] : [`${here}.${field.name}`]),
    ...undocumented(field.type, `${here}.${field.name}`),
  ])
  const inner = node.type !== 'record' && node.type !== 'enum' ? undocumented(node.type, path) : []
  return [...own, ...fields, ...undocumented(node.items, path), ...inner]
}

describe('topic contracts', () => {
  test('there are the four topics of the line', () => {
    assert.deepEqual(
      topicContracts().map(contract => contract.name),
      ['cloudtrail.events.v1', 'cloudtrail.alerts.v1', 'cloudtrail.detector-state.v1', 'cloudtrail.rejected.v1'],
    )
  })

  test('the state topic is compacted and has as many partitions as the events topic', () => {
    const [events, , state] = topicContracts()
    assert.equal(state?.config['cleanup.policy'], 'compact')
    assert.equal(state?.partitions, events?.partitions)
  })

  for (const contract of withSchema) {
    const folder = join(root, 'topics', contract.name)

    test(`${contract.name}: every record, enum and field is documented`, () => {
      assert.deepEqual(undocumented(contract.schema, ''), [])
    })

    test(`${contract.name}: the example is a value of the schema and survives it`, () => {
      const text = readFileSync(join(folder, 'example.json'), 'utf8')
      const type = avro.Type.forSchema(contract.schema as avro.Schema)
      const example = valueOf(type, text)
      assert.ok(type.isValid(example), 'the example is not valid')
      const decoder = new Decoder<object>(contract.schema!)
      decoder.learn(7, contract.schema)
      const bytes = new Encoder<object>(contract.schema!).encode(example, 7)
      assert.equal(type.toString(decoder.decode(bytes)), type.toString(example))
    })

    test(`${contract.name}: reads everything that any committed version of the schema wrote`, t => {
      const path = relative(root, join(folder, 'value.avsc')).replaceAll('\\', '/')
      if (!existsSync(join(root, '.git'))) return t.skip('no git history here')
      const commits = execFileSync('git', ['log', '--format=%H', '--', path], { cwd: root, encoding: 'utf8' })
      for (const commit of commits.split('\n').filter(line => line !== '')) {
        const earlier = JSON.parse(
          execFileSync('git', ['show', `${commit}:${path}`], { cwd: root, encoding: 'utf8' }),
        ) as object
        assert.equal(canRead(contract.schema!, earlier), null, `cannot read what ${commit} wrote`)
      }
    })
  }

  test('a field without default is not backward compatible, and the check sees it', () => {
    const [events] = withSchema
    const { fields, ...rest } = events!.schema as { fields: object[] }
    const broken = { ...rest, fields: [...fields, { name: 'added', type: 'string', doc: 'x' }] }
    assert.notEqual(canRead(broken, events!.schema!), null)
  })
})
