// docs/security.md against the code: the rights of every verb, the settings it names, the codes of refusals.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { lineVerbs, rightsOf } from '../../src/commands/rights.ts'
import { describeSettings, loadConfig } from '../../src/config.ts'
import { rightText } from '../../src/kafka/rights.ts'
import { topicContracts } from '../../src/topics.ts'

const doc = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
const config = loadConfig({ flags: {}, env: {} })

test('the table of rights is what each verb asks for, with the default names', () => {
  const rows = [...doc.matchAll(/^\| `(\w+)` \| (\w+ on \w+ \S+) \|/gm)].map(([, verb, right]) => `${verb}: ${right}`)
  const wanted = [...lineVerbs, 'check' as const].flatMap(verb =>
    rightsOf(verb, config).map(right => `${verb}: ${rightText(right)}`),
  )
  assert.deepEqual(rows.sort(), wanted.sort())
  const operations = [...new Set(rightsOf('topics apply', config).map(({ operation }) => operation))]
  assert.deepEqual(operations, ['Create', 'Describe', 'AlterConfigs'])
  assert.match(doc, /\| `topics apply` \| Create, Describe and AlterConfigs on Topic, for each of the four above \|/)
  assert.equal(topicContracts().length, 4)
})

test('the commands for kafka-acls grant the rights of the whole line, and no other', () => {
  const flags = { '--topic': 'Topic', '--group': 'Group', '--transactional-id': 'TransactionalId' }
  const granted = [...doc.matchAll(/^acl --operation (\w+) (.*)$/gm)].flatMap(([, operation, rest]) =>
    [...rest!.matchAll(/(--topic|--group|--transactional-id) (\S+)/g)].map(
      ([, flag, name]) =>
        `${operation} on ${flags[flag as keyof typeof flags]} ${name}${rest!.includes('prefixed') ? '*' : ''}`,
    ),
  )
  const wanted = new Set(lineVerbs.flatMap(verb => rightsOf(verb, config).map(rightText)))
  assert.deepEqual(granted.sort(), [...wanted].sort())
})

test('every setting that it names exists, and every secret and every setting of TLS and SASL is named', () => {
  const names = new Set<string>(describeSettings().map(({ name }) => name))
  const named = new Set([...doc.matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)].map(([, name]) => name!))
  const known = (name: string) => names.has(name) || names.has(name.replace(/_FILE$/, '')) || name.startsWith('TW_')
  assert.deepEqual(
    [...named].filter(name => !known(name)),
    [],
  )
  const security = [...names].filter(name => /SASL|_SSL_|OAUTH|PASSWORD|SECRET|AWS_/.test(name))
  assert.deepEqual(
    security.filter(name => !named.has(name)),
    [],
  )
})
