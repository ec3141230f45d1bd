// The dedup key: stable, printable, bounded, and different where anything it stands for is.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dedupKey, groupHash, principalHash } from '../../../src/alerts/dedup-key.ts'

describe('the dedup key', () => {
  test('is what it has always been: a change here breaks deduplication for everyone', () => {
    assert.equal(
      dedupKey(
        'secretsmanager-multi-region',
        principalHash('111122223333/role/AROAEXAMPLE'),
        groupHash([]),
        1768471440000,
      ),
      'secretsmanager-multi-region:4c95f453eac247a9:-:1768471440000',
    )
    // sha256sum of 12:198.51.100.79:us-east-1
    assert.equal(groupHash(['198.51.100.7', 'us-east-1']), '7e015c293a06ffbd')
  })

  test('is printable ASCII of at most 255 characters for any rule id', () => {
    for (const id of ['x'.repeat(5000), 'naïve rule', 'a:b', '\u0000\u001b[31m', '', '\ud800']) {
      const key = dedupKey(id, principalHash('p'), groupHash(['g']), Number.MAX_SAFE_INTEGER)
      assert.match(key, /^[!-~]{1,255}$/)
      assert.equal(key.split(':').length, 4)
    }
  })

  test('keeps long and unprintable rule ids apart', () => {
    const ids = ['a:b', 'a_b', 'a;b', 'a b', 'x'.repeat(101), 'x'.repeat(102), '']
    assert.equal(new Set(ids.map(id => dedupKey(id, 'p', '-', 0))).size, ids.length)
  })

  test('keeps groups apart whose values would read the same when joined', () => {
    assert.notEqual(groupHash(['a', 'b']), groupHash(['ab']))
    assert.notEqual(groupHash(['a', '']), groupHash(['', 'a']))
    assert.notEqual(groupHash(['']), groupHash([]))
  })
})
