// Following a topic on the in-process log: order, new partitions, outages, retention, a topic made anew, stopping.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { follow } from '../../../src/commands/topic-follow.ts'
import { twError } from '../../../src/errors.ts'
import type { LogClient, LogRecord } from '../../../src/log/log-client.ts'
import { newLog, topic } from '../../harness/in-process-log.ts'
import { append } from '../../harness/pipeline.ts'

const value = (text: string, partition = 0) => ({ key: null, value: Buffer.from(text), partition })

/** Follows until `count` records have come; the texts of them and of the notices. */
async function taken(
  log: LogClient,
  from: readonly number[],
  count: number,
  between?: (seen: number) => Promise<void>,
) {
  const stop = new AbortController()
  const notices: string[] = []
  const texts: string[] = []
  const how = { from, everyMs: 1, signal: stop.signal, notice: (text: string) => void notices.push(text) }
  const watchdog = setTimeout(() => stop.abort(), 4000)
  for await (const record of follow(log, topic, how)) {
    texts.push(String(record.value))
    await between?.(texts.length)
    if (texts.length === count) stop.abort()
  }
  clearTimeout(watchdog)
  return { texts, notices }
}

test('records come in the order of their timestamps, whatever partition they are on, and as they are appended', async () => {
  const log = newLog({ maxBatchRecords: 2 }, 3)
  for (const [index, text] of [...'abcdefgh'].entries()) await append(log, topic, [value(text, (index * 2) % 3)])
  const { texts, notices } = await taken(log, [0, 0, 0], 10, async seen => {
    if (seen === 8) await append(log, topic, [value('i', 2)])
    if (seen === 9) await append(log, topic, [value('j', 0)])
  })
  assert.equal(texts.join(''), 'abcdefghij')
  assert.deepEqual(notices, [])
})

test('it begins where it is told to, and reads a partition it was not told of from its beginning', async () => {
  const log = newLog({}, 2)
  await append(log, topic, [value('old'), value('new'), value('other', 1)])
  assert.deepEqual((await taken(log, [1], 2)).texts.sort(), ['new', 'other'])
})

test('an aborted transaction shows nothing and holds nothing up', async () => {
  const log = newLog()
  const producer = await log.transactionalProducer('t')
  const first = await producer.begin()
  await first.send([{ topic, records: [value('aborted')] }])
  await first.abort()
  const second = await producer.begin()
  await second.send([{ topic, records: [value('committed')] }])
  await second.commit()
  await append(log, topic, [value('after')])
  assert.deepEqual((await taken(log, [0], 2)).texts, ['committed', 'after'])
})

/** A log whose lookups and reads fail when told to. */
function failing(log: LogClient, fails: (call: 'offsets' | 'read') => Error | null): LogClient {
  const check = (call: 'offsets' | 'read') => {
    const error = fails(call)
    if (error !== null) throw error
  }
  return {
    ...bound(log),
    offsets: async name => {
      check('offsets')
      return log.offsets(name)
    },
    async *read(...args: Parameters<LogClient['read']>) {
      for await (const batch of log.read(...args)) {
        yield batch
        check('read')
      }
    },
  }
}

function bound(log: LogClient): LogClient {
  return Object.assign(Object.create(log) as LogClient, {})
}

test('an outage is told once and waited for; nothing is shown twice or left out', async () => {
  const log = newLog({ maxBatchRecords: 1 }, 2)
  for (const [index, text] of [...'abcdef'].entries()) await append(log, topic, [value(text, index % 2)])
  let calls = 0
  const shaky = failing(log, call => {
    calls++
    const down = call === 'read' ? calls % 3 === 0 : calls > 4 && calls < 9
    return down ? twError('TW_BROKER_UNAVAILABLE', 'No broker answers.') : null
  })
  const { texts, notices } = await taken(shaky, [0, 0], 6)
  assert.deepEqual([...texts].sort().join(''), 'abcdef')
  for (const own of ['ace', 'bdf']) assert.equal(texts.filter(text => own.includes(text)).join(''), own)
  assert.ok(notices.includes('No broker answers. Waiting for the cluster.'), notices.join())
  for (const [index, notice] of notices.entries())
    assert.match(notice, index % 2 === 0 ? /Waiting for the cluster/ : /Reading goes on/)
})

test('what waiting does not heal ends it', async () => {
  const log = failing(newLog(), () => twError('TW_TOPIC_MISSING', 'Gone.'))
  await assert.rejects(taken(log, [0], 1), { code: 'TW_TOPIC_MISSING' })
})

test('what retention took is told, and the rest is read', async () => {
  const log = newLog()
  await append(
    log,
    topic,
    ['a', 'b', 'c', 'd'].map(text => value(text)),
  )
  log.deleteRecordsBefore(topic, 0, 2)
  const { texts, notices } = await taken(log, [0], 2)
  assert.deepEqual(texts, ['c', 'd'])
  assert.deepEqual(notices, [`Retention of ${topic}/0 removed 2 offsets before they were read.`])
})

test('a topic that was made anew is read from its beginning; an end that lags for a moment is not that', async () => {
  const log = newLog()
  await append(log, topic, [value('a'), value('b')])
  const { texts, notices } = await taken(log, [7], 2)
  assert.deepEqual(texts, ['a', 'b'])
  assert.match(notices.join(), /made anew/)

  let looks = 0
  const lagging: LogClient = {
    ...bound(log),
    offsets: async name => {
      const bounds = await log.offsets(name)
      return ++looks < 15 ? bounds.map(({ begin }) => ({ begin, end: 1 })) : bounds
    },
    read: (...args) => log.read(...args),
  }
  await append(log, topic, [value('c')])
  const after = await taken(lagging, [2], 1)
  assert.deepEqual(after.texts, ['c'])
  assert.deepEqual(after.notices, [])
})

test('stopping does not wait for a lookup that hangs', async () => {
  const log = newLog()
  const stop = new AbortController()
  const hanging: LogClient = { ...bound(log), offsets: () => new Promise(() => undefined) }
  const records: LogRecord[] = []
  const done = (async () => {
    for await (const record of follow(hanging, topic, {
      from: [0],
      everyMs: 1,
      signal: stop.signal,
      notice: () => undefined,
    }))
      records.push(record)
  })()
  setTimeout(() => stop.abort(), 20)
  await done
  assert.deepEqual(records, [])
})
