// What `explain` can be asked about: dedup keys taken apart as src/alerts/dedup-key.ts puts them together.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dedupKey, groupHash, principalHash } from '../../../src/alerts/dedup-key.ts'
import { parseDedupKey, PrincipalHashes, ruleOfKey } from '../../../src/commands/explain-target.ts'
import { detection, load } from '../rules/loading.ts'

test('a dedup key gives its parts back, with and without further group-by fields', () => {
  const hash = principalHash('111122223333/root')
  assert.deepEqual(parseDedupKey(dedupKey('my-rule', hash, groupHash([]), 1768468960000)), {
    rule: 'my-rule',
    principalHash: hash,
    groupHash: '-',
    opening: 1768468960000,
  })
  const grouped = parseDedupKey(dedupKey('my-rule', hash, groupHash(['eu-west-1', '']), -5))
  assert.equal(grouped?.groupHash, groupHash(['eu-west-1', '']))
  assert.equal(grouped?.opening, -5)
})

test('any other text is none', () => {
  const hash = principalHash('x')
  for (const text of ['', 'rule', 'a:b:c:1', `r:${hash}:-:x`, `r:${hash}:-:1 `, `a:r:${hash}:-:1`, `:${hash}:-:1`])
    assert.equal(parseDedupKey(text), null, text)
})

test('a rule is found by its id as it stands in the key, also where that is cut and hashed', () => {
  const long = `rule-${'x'.repeat(120)}`
  const body = 'selection:\n  eventName: GetSecretValue\ncondition: selection'
  for (const id of ['short', long]) {
    const { rules } = load(detection(body, id)).rules
    const parts = parseDedupKey(dedupKey(id, principalHash('x'), '-', 1))
    assert.ok(parts)
    assert.equal(ruleOfKey(parts, rules).id, id)
    assert.throws(() => ruleOfKey({ ...parts, rule: 'other' }, rules), /No rule "other" that alerts is loaded/)
  }
})

test('hashes of principals are those of the key, however often they are asked for', () => {
  const hashes = new PrincipalHashes()
  for (const key of ['a', 'b', 'a']) assert.equal(hashes.of(key), principalHash(key))
})
