// Comparing two rule sets: an alert is found again by rule, principal, group and overlapping time, whatever its dedup key.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareEpisodes, tellsMore } from '../../../src/commands/replay-comparison.ts'
import { EpisodeList } from '../../../src/commands/replay-episodes.ts'
import { comparisonCounts, printComparison } from '../../../src/commands/replay-output.ts'
import type { Episode } from '../../../src/report/backtest.ts'
import { keptAlerts } from '../../../src/report/backtest.ts'
import { regionAlert } from '../alerts/samples.ts'

let serial = 0
function episode(firstSeen: number, lastSeen: number, more: Partial<Episode> = {}): Episode {
  return {
    dedupKey: `key-${serial++}`,
    ruleId: 'rule',
    ruleTitle: 'Rule',
    principal: { key: 'p', kind: 'ROLE', name: 'p' },
    group: [],
    severity: 'medium',
    firstSeen,
    lastSeen,
    count: 5,
    distinct: 5,
    updates: 0,
    suppressed: null,
    alert: null,
    ...more,
  }
}
const kinds = (before: Episode[], after: Episode[]) => {
  const { changes, unchanged } = compareEpisodes(before, after, 'old')
  return [...changes.map(({ change }) => change), ...Array.from({ length: unchanged }, () => 'same')]
}

test('the same finding is the same under another dedup key', () => {
  assert.deepEqual(kinds([episode(10, 20)], [episode(10, 20, { updates: 3 })]), ['same'])
})

test('each difference that matters to the person on call is a change', () => {
  const suppressed = { id: 's', reason: 'r', owner: 'o' }
  for (const more of [{ severity: 'high' }, { count: 6 }, { distinct: 6 }, { suppressed }] as const)
    assert.deepEqual(kinds([episode(10, 20)], [episode(10, 20, more)]), ['changed'])
  assert.deepEqual(kinds([episode(10, 20)], [episode(15, 25)]), ['changed'])
  assert.deepEqual(kinds([episode(10, 20)], [episode(20, 20)]), ['changed'])
})

test('another rule, principal, group or time is another finding', () => {
  const other = { key: 'q', kind: 'ROLE', name: 'p' } as const
  const group = [{ field: 'awsRegion', value: 'eu-west-1' }]
  for (const more of [{ ruleId: 'other' }, { principal: other }, { group }])
    assert.deepEqual(kinds([episode(10, 20)], [episode(10, 20, more)]).sort(), ['appeared', 'disappeared'])
  assert.deepEqual(kinds([episode(10, 20)], [episode(21, 30)]), ['disappeared', 'appeared'])
})

test('what was one and is now two, or the other way round, is one change with all of them', () => {
  const long = episode(10, 100)
  const parts = [episode(12, 20), episode(60, 70)]
  const { changes } = compareEpisodes([long], parts, 'old')
  assert.deepEqual(changes, [{ change: 'changed', before: [long], after: parts }])
  assert.deepEqual(kinds(parts, [long]), ['changed'])
  // Overlapping by way of a third one.
  assert.deepEqual(kinds([episode(10, 30), episode(40, 60)], [episode(25, 45)]), ['changed'])
})

test('only what nobody was told of before is more to tell', () => {
  const suppressed = { id: 's', reason: 'r', owner: 'o' }
  const of = (before: Episode[], after: Episode[]) => compareEpisodes(before, after, 'old').changes.map(tellsMore)
  assert.deepEqual(of([], [episode(1, 2)]), [true])
  assert.deepEqual(of([], [episode(1, 2, { suppressed })]), [false])
  assert.deepEqual(of([episode(1, 2)], []), [false])
  assert.deepEqual(of([episode(1, 2)], [episode(1, 3)]), [false])
  assert.deepEqual(of([episode(1, 2, { suppressed })], [episode(1, 2)]), [true])
})

test('nothing is lost, nothing told twice, and a set compared with itself is the same', () => {
  const episodes = fc.array(
    fc
      .tuple(fc.nat(50), fc.nat(9), fc.constantFrom('a', 'b'))
      .map(([first, length, ruleId]) => episode(first, first + length, { ruleId })),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(episodes, episodes, (before, after) => {
      const { changes, unchanged } = compareEpisodes(before, after, 'old')
      const told = (side: 'before' | 'after') => changes.reduce((sum, change) => sum + change[side].length, 0)
      assert.equal(told('before') + unchanged, before.length)
      assert.equal(told('after') + unchanged, after.length)
      assert.deepEqual(
        compareEpisodes(after, before, 'old')
          .changes.map(({ change }) => change)
          .sort(),
        changes
          .map(({ change }) => (change === 'appeared' ? 'disappeared' : change === 'disappeared' ? 'appeared' : change))
          .sort(),
      )
    }),
    { numRuns: 300 },
  )
})

test('the counts are a sentence', () => {
  const changes = [episode(1, 2), episode(11, 12)]
  assert.equal(
    comparisonCounts(compareEpisodes([episode(5, 6)], [...changes, episode(5, 6)], 'old/')),
    '2 appear, 0 disappear, 0 change, 1 stays the same against old/',
  )
})

test('a name cannot drive the terminal that shows its difference, nor break a line of JSON', async () => {
  const name = 'a\u001b[2J\u009b1m\nb\u2028'
  const hostile = episode(1, 2, {
    principal: { key: name, kind: 'ROLE', name },
    group: [{ field: 'userAgent', value: name }],
  })
  const comparison = compareEpisodes(
    [hostile],
    [{ ...hostile, count: 9, suppressed: { id: name, reason: name, owner: name } }],
    'old',
  )
  for (const json of [true, false]) {
    let text = ''
    await printComparison(comparison, { isTerminal: true, columns: 80, write: more => void (text += more) }, json)
    assert.equal(text.match(/\n/g)?.length, 1)
    assert.doesNotMatch(text.trimEnd(), /[\p{Cc}\u2028]/u)
    if (json) assert.equal((JSON.parse(text) as { principal: { name: string } }).principal.name, name)
  }
})

test('alerts of one dedup key are one episode with what the last one said; of too many the alert is not kept', () => {
  const list = new EpisodeList()
  list.take(regionAlert({ count: 5 }))
  list.take(regionAlert({ activity: 'UPDATE', sequence: 1, count: 9, severity: 'high' }))
  assert.equal(list.episodes.length, 1)
  const [only] = list.episodes
  assert.deepEqual([only!.count, only!.severity, only!.updates, only!.alert?.sequence], [9, 'high', 1, 1])
  for (let n = 0; n < keptAlerts; n++) list.take(regionAlert({ dedupKey: `k${n}` }))
  list.take(regionAlert({ dedupKey: `k${keptAlerts - 1}`, count: 7 }))
  const kept = list.episodes.filter(({ alert }) => alert !== null)
  assert.deepEqual([list.episodes.length, kept.length], [keptAlerts + 1, keptAlerts])
  assert.deepEqual([list.episodes.at(-1)!.count, list.episodes.at(-1)!.alert], [7, null])
})
