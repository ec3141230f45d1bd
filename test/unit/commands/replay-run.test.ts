// One pass over ordered events: a stop between chunks, one that came before, and each event once for the second look.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { EventSorter } from '../../../src/commands/event-sorter.ts'
import { ProgressLine } from '../../../src/commands/replay-progress.ts'
import { distinctEvents, evaluate, readInOrder, remembering, within } from '../../../src/commands/replay-run.ts'
import type { OrderedInput } from '../../../src/commands/replay-run.ts'
import { engineOptions, ruleSetFrom } from '../../../src/commands/rule-set.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import { topicContract } from '../../../src/topics.ts'
import { at, call, second } from '../../harness/detection.ts'
import { contextOf } from './context.ts'

const schema = topicContract('EVENTS_TOPIC').schema!
const rules = await ruleSetFrom([])
const silent = new ProgressLine({ isTerminal: false, columns: 80, write: () => undefined }, true)

function inputOf(ids: readonly string[]): OrderedInput {
  const sorter = new EventSorter(schema, null)
  for (const [index, eventId] of ids.entries())
    sorter.add(call(at('9:00') + Math.floor(index / 10) * second, { eventId }))
  const read = { kind: 'files', files: 1, events: ids.length, skipped: {}, rejected: {}, line: '' } as const
  const size = ids.length
  return { read, sorter, kept: size, inRange: size, first: null, last: null, arrival: null }
}

const ids = Array.from({ length: 1700 }, (_, index) => `id-${index}`)

test('a stop that comes meanwhile ends it after a chunk; one that came while reading does not', async () => {
  for (const [before, expected] of [
    [false, 500],
    [true, 1700],
  ] as const) {
    const controller = new AbortController()
    if (before) controller.abort()
    const { context } = contextOf({}, controller.signal)
    let told = 0
    let alerts = 0
    const contender = { rules, engine: engineOptions(), take: () => void alerts++ }
    const result = await evaluate(inputOf(ids), [contender], context, silent, () => {
      told++
      controller.abort()
      return alerts
    })
    assert.deepEqual(result, { events: expected, matched: expected, duplicates: 0, stopped: true })
    assert.ok(alerts > 0 && told > 0)
  }
})

test('rule sets side by side each see every event, and copies are counted once', async () => {
  const { context } = contextOf({}, new AbortController().signal)
  const seen: [string[], string[]] = [[], []]
  const contenders = seen.map(list => ({
    rules: remembering(rules),
    engine: engineOptions(),
    take: ({ dedupKey, sequence }: { dedupKey: string; sequence: number }) => void list.push(`${dedupKey} ${sequence}`),
  }))
  const result = await evaluate(inputOf([...ids, ...ids]), contenders, context, silent, () => 0)
  assert.deepEqual(result, { events: 3400, matched: 3400, duplicates: 1700, stopped: false })
  assert.ok(seen[0].length > 0)
  assert.deepEqual(seen[0], seen[1])
})

test('for the second look every event comes once, those without an id all of them', () => {
  const input = inputOf(['a', 'b', 'a', 'c', '', 'b', '', 'a', 'd', 'd'])
  assert.deepEqual(
    [...distinctEvents(input)].map(event => event.eventId),
    ['', '', 'a', 'b', 'c', 'd'],
  )
  assert.equal([...distinctEvents(input)].length, 6, 'and again')
  input.sorter.close()
})

test('events that wait unread come out as those that are read at once, whether most of them are matched or few', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'replay-run-test-'))
  try {
    for (const [name, matched] of [
      ['most', 0.8],
      ['few', 0.2],
    ] as const) {
      const lines = Array.from({ length: 3000 }, (_, index) => {
        const isMatched = index % 10 < matched * 10
        return JSON.stringify({
          eventVersion: '1.11',
          userIdentity: {
            type: 'Root',
            principalId: '100000000001',
            accountId: '100000000001',
            arn: 'arn:aws:iam::100000000001:root',
          },
          eventTime: new Date(at('9:00') + ((index * 7919) % 3000) * second).toISOString().replace('.000Z', 'Z'),
          eventSource: 'secretsmanager.amazonaws.com',
          eventName: 'GetSecretValue',
          awsRegion: 'eu-west-1',
          sourceIPAddress: '192.0.2.1',
          userAgent: isMatched ? 'matched' : 'other',
          eventID: `id-${index % 2900}`,
          recipientAccountId: '100000000001',
          requestParameters: { secretId: 'db' },
        })
      })
      const file = join(folder, `${name}.jsonl`)
      writeFileSync(file, lines.join('\n'))
      const sets = [{ ...rules, match: (event: CloudTrailEvent) => (event.userAgent === 'matched' ? [0] : []) }]
      const range = { from: at('9:05'), to: at('9:45') }
      const [fast, plain] = await Promise.all(
        ['true', 'false'].map(async FAST_PATHS => {
          const { context } = contextOf({ FAST_PATHS }, new AbortController().signal)
          const input = await readInOrder({ ...context, positionals: [file] }, range, sets, silent)
          const events = [...input.sorter.values()]
          input.sorter.close()
          const ids = events.filter(event => event.userAgent === 'matched').map(event => event.eventId)
          const { inRange, first, last } = input
          assert.equal(events.length, input.kept)
          return { inRange, first, last, ids, kept: input.kept, unmatched: events.length - ids.length }
        }),
      )
      const { unmatched, ...result } = fast!
      assert.deepEqual({ ...result, kept: result.kept - unmatched, unmatched: 0 }, plain)
      assert.deepEqual([fast!.inRange, fast!.first, fast!.last], [2400, range.from, range.to - second])
      assert.equal(unmatched > 0, name === 'most', 'only where most are matched do they wait unread')
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a range includes its beginning and not its end', () => {
  const range = { from: 10, to: 20 }
  assert.deepEqual(
    [9, 10, 19, 20].map(time => within(range, time)),
    [false, true, true, false],
  )
  assert.ok(within({ from: null, to: null }, -1))
})
