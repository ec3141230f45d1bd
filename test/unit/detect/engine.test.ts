// The engine on hand-made rules: the multi-region rule first, then duplicates, lateness, skew, silence, transactions.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Alert } from '../../../src/alerts/alert.ts'
import { Engine } from '../../../src/detect/engine.ts'
import {
  at,
  awsRegion,
  call,
  day,
  hour,
  minute,
  multiRegion,
  plainProse,
  rule,
  ruleSet,
  run,
  second,
  sourceIP,
  step,
} from '../../harness/detection.ts'

const regions = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-west-3']
const sweep = (start: number, count: number, gap = minute): ReturnType<typeof call>[] =>
  regions.slice(0, count).map((awsRegion, i) => call(start + i * gap, { awsRegion }))
const summary = (alerts: readonly Alert[]): string[] =>
  alerts.map(a => `${a.activity} ${a.totals.distinctValues} values ${a.count} events`)

describe('the multi-region rule', () => {
  test('fires at the fifth region within ten minutes', () => {
    const alerts = run(ruleSet([multiRegion]), sweep(at('10:00'), 5))
    assert.deepEqual(summary(alerts), ['CREATE 5 values 5 events'])
    const [alert] = alerts as [Alert]
    assert.equal(alert.dedupKey.split(':').at(-1), String(at('10:04')))
    assert.equal(alert.firstSeen, at('10:00'))
    assert.equal(alert.lastSeen, at('10:04'))
    assert.deepEqual(alert.window, { start: at('9:54'), end: at('10:04') })
    assert.deepEqual(
      alert.distinctValues.map(v => v.value),
      regions.slice(0, 5),
    )
    assert.deepEqual(alert.regions, regions.slice(0, 5).sort())
    assert.equal(alert.evidence.length, 5)
    assert.match(alert.explanation, /5 different regions/)
  })

  test('stays silent at four regions, however often they are called', () => {
    assert.deepEqual(run(ruleSet([multiRegion]), [...sweep(at('10:00'), 4), ...sweep(at('10:04'), 4, second)]), [])
  })

  test('does not see a region called exactly ten minutes before', () => {
    const events = [...sweep(at('10:00'), 4), call(at('10:10'), { awsRegion: 'eu-west-1' })]
    assert.deepEqual(run(ruleSet([multiRegion]), events), [])
  })

  test('sees a region called one millisecond less than ten minutes before', () => {
    const events = [...sweep(at('10:00'), 4), call(at('10:10') - 1, { awsRegion: 'eu-west-1' })]
    assert.deepEqual(summary(run(ruleSet([multiRegion]), events)), ['CREATE 5 values 5 events'])
  })

  test('updates with every new region under the same key and with nothing for a known one', () => {
    const events = [...sweep(at('10:00'), 7), call(at('10:07'))]
    const alerts = run(ruleSet([multiRegion]), events)
    assert.deepEqual(summary(alerts), [
      'CREATE 5 values 5 events',
      'UPDATE 6 values 6 events',
      'UPDATE 7 values 7 events',
    ])
    assert.equal(new Set(alerts.map(a => a.dedupKey)).size, 1)
    assert.deepEqual(
      alerts.map(a => a.sequence),
      [0, 1, 2],
    )
  })

  test('finds the window that an event arriving last completes', () => {
    const events = sweep(at('10:00'), 5)
    const late = events.splice(1, 1)
    const alerts = run(ruleSet([multiRegion]), [...events, ...late])
    assert.deepEqual(summary(alerts), ['CREATE 5 values 5 events'])
    assert.equal(alerts[0]?.dedupKey.split(':').at(-1), String(at('10:04')))
  })
})

const perHour = rule('calls', { kind: 'event_count', timespanMs: hour, condition: { gte: 3 } })

describe('time', () => {
  test('an event exactly one lateness behind the newest counts, one millisecond older does not', () => {
    const newest = call(at('10:30'))
    const engine = new Engine(ruleSet([perHour]), plainProse)
    step(engine, newest)
    step(engine, call(at('10:20')))
    const transaction = engine.begin()
    transaction.process(call(at('10:15') - 1), null, null)
    assert.deepEqual([transaction.counts.late, transaction.alerts.length], [1, 0])
    transaction.process(call(at('10:15')), null, null)
    assert.deepEqual([transaction.counts.late, transaction.alerts.length], [1, 1])
  })

  test('an event more than five minutes ahead of its record is taken at the time of the record', () => {
    const engine = new Engine(ruleSet([perHour]), plainProse)
    const transaction = engine.begin()
    transaction.process(call(at('12:05:00.001')), null, at('12:00'))
    assert.equal(transaction.counts.skewed, 1)
    transaction.process(call(at('12:04')), null, at('12:00'))
    transaction.merge()
    assert.equal(transaction.counts.skewed, 1)
    assert.equal(engine.state(call(0).principal.key)?.maxTime, at('12:04'))
    const [alert] = step(engine, call(at('12:02')), at('12:07'))
    assert.equal(alert?.firstSeen, at('12:00'))
    assert.equal(alert?.detectedAt, at('12:07'))
  })

  test('the same event without a record timestamp is taken at its own time', () => {
    const engine = new Engine(ruleSet([perHour]), plainProse)
    step(engine, call(at('12:06')), null)
    step(engine, call(at('12:07')), -1)
    assert.equal(engine.state(call(0).principal.key)?.maxTime, at('12:07'))
  })

  test('a principal silent for longer than the time to live starts from nothing', () => {
    const week = rule('weekly', { kind: 'event_count', timespanMs: 200 * day, condition: { gte: 2 } })
    const silent = (days: number): number =>
      run(ruleSet([week]), [call(at('10:00')), call(at(`${days}d 10:00`))]).length
    assert.equal(silent(90), 1)
    assert.equal(silent(91), 0)
  })

  test('lists principals for tombstones only when they are silent for longer than the time to live', () => {
    const engine = new Engine(ruleSet([perHour]), plainProse)
    step(engine, call(at('10:00')))
    assert.deepEqual(engine.expired(at('90d 10:00')), [])
    const { key } = call(0).principal
    assert.deepEqual(engine.expired(at('90d 10:01')), [key])
    const transaction = engine.begin()
    transaction.forget(key)
    assert.deepEqual([...transaction.changes()], [[key, null]])
    transaction.merge()
    assert.equal(engine.principals, 0)
  })
})

describe('copies', () => {
  test('of an event count once, also when they come from another trail an hour later', () => {
    const events = [call(at('10:00')), call(at('10:01'))]
    const alerts = run(ruleSet([perHour]), [...events, ...events, ...events])
    assert.deepEqual(alerts, [])
    const engine = new Engine(ruleSet([perHour]), plainProse)
    for (const event of [...events, call(at('11:30'))]) step(engine, event)
    const transaction = engine.begin()
    transaction.process(events[0]!, null, null)
    assert.deepEqual([transaction.counts.duplicates, transaction.counts.late], [1, 0])
    assert.deepEqual([...transaction.changes()], [], 'and write no state')
  })

  test('are told apart by account, and events without an id are never copies', () => {
    const same = { eventId: 'one' }
    const accounts = ['1', '2', '3'].map(recipientAccountId => call(at('10:00'), { ...same, recipientAccountId }))
    assert.equal(run(ruleSet([perHour]), accounts).length, 1)
    const nameless = [0, 1, 2].map(() => call(at('10:00'), { eventId: '' }))
    assert.equal(run(ruleSet([perHour]), nameless).length, 1)
  })

  test('of an event from a clock far ahead are recognised although each is taken at another time', () => {
    const ahead = call(at('18:00'))
    const engine = new Engine(ruleSet([perHour]), plainProse)
    assert.deepEqual(
      [0, 1, 2].flatMap(i => step(engine, ahead, at('10:00') + i * 20 * minute)),
      [],
    )
  })
})

describe('groups', () => {
  const perSource = rule(
    'per-source',
    { kind: 'event_count', timespanMs: hour, condition: { gte: 2 } },
    { groupBy: [sourceIP, awsRegion] },
  )

  test('count apart and have keys of their own', () => {
    const events = ['a', 'b', 'a', 'b'].map((sourceIPAddress, i) => call(at('10:00') + i, { sourceIPAddress }))
    const alerts = run(ruleSet([perSource]), events)
    assert.deepEqual(
      alerts.map(a => a.group),
      ['a', 'b'].map(value => [
        { field: 'sourceIPAddress', value },
        { field: 'awsRegion', value: 'us-east-1' },
      ]),
    )
    assert.equal(new Set(alerts.map(a => a.dedupKey.split(':')[2])).size, 2)
  })

  test('beyond sixty-four forget the one whose newest event is oldest', () => {
    const first = call(at('10:00'), { sourceIPAddress: 'first' })
    const others = Array.from({ length: 64 }, (_, i) => call(at('10:01') + i, { sourceIPAddress: `ip-${i}` }))
    const again = (n: number): number =>
      run(ruleSet([perSource]), [first, ...others.slice(0, n), { ...first, eventId: 'again' }]).length
    assert.equal(again(63), 1)
    assert.equal(again(64), 0)
  })
})

describe('episodes', () => {
  const single = rule('single', { kind: 'single' })
  const told = (alerts: readonly Alert[]): string[] => alerts.map(a => `${a.activity} ${a.count}`)

  test('go on over a gap of exactly dedup and end one millisecond beyond', () => {
    assert.deepEqual(told(run(ruleSet([single]), [call(at('10:00')), call(at('10:10'))])), ['CREATE 1', 'UPDATE 2'])
    assert.deepEqual(told(run(ruleSet([single]), [call(at('10:00')), call(at('10:10') + 1)])), ['CREATE 1', 'CREATE 1'])
  })

  test('tell when the count has doubled, and not in between', () => {
    const events = Array.from({ length: 9 }, (_, i) => call(at('10:00') + i * minute))
    assert.deepEqual(told(run(ruleSet([single]), events)), ['CREATE 1', 'UPDATE 2', 'UPDATE 4', 'UPDATE 8'])
  })

  test('are cut at their greatest length although the condition goes on', () => {
    const short = rule('single', { kind: 'single' }, { maxEpisodeMs: 20 * minute })
    const events = [0, 10, 20, 30].map(m => call(at('10:00') + m * minute))
    assert.deepEqual(told(run(ruleSet([short]), events)), ['CREATE 1', 'UPDATE 2', 'CREATE 1'])
  })

  test('keep their key when an earlier part arrives later, and say so once', () => {
    const alerts = run(ruleSet([single]), [call(at('10:09')), call(at('10:00')), call(at('10:00'))])
    assert.deepEqual(told(alerts), ['CREATE 1', 'UPDATE 2'])
    assert.equal(alerts[0]?.dedupKey, alerts[1]?.dedupKey)
    assert.equal(alerts[1]?.firstSeen, at('10:00'))
  })

  test('that turn out to be one are told under both keys, the later one naming the earlier', () => {
    const alerts = run(ruleSet([single]), [call(at('10:00')), call(at('10:12')), call(at('10:06')), call(at('10:13'))])
    const [first, second, later, earlier, after] = alerts as [Alert, Alert, Alert, Alert, Alert | undefined]
    assert.notEqual(first.dedupKey, second.dedupKey)
    assert.deepEqual([later.dedupKey, later.activity, later.mergedInto], [second.dedupKey, 'UPDATE', first.dedupKey])
    assert.deepEqual([earlier.dedupKey, earlier.activity, earlier.mergedInto], [first.dedupKey, 'UPDATE', null])
    assert.deepEqual([earlier.firstSeen, earlier.lastSeen, earlier.count], [at('10:00'), at('10:12'), 3])
    assert.equal(after, undefined, 'the joined one is silent from then on')
  })

  test('that share events do not count them twice when they turn out to be one', () => {
    const pairs = rule(
      'pairs',
      { kind: 'event_count', timespanMs: 10 * minute, condition: { gte: 2 } },
      { dedupMs: 2 * minute },
    )
    const events = ['10:00', '10:01', '10:05', '10:03'].map(time => call(at(time), { sourceIPAddress: time }))
    const alerts = run(ruleSet([pairs]), events)
    assert.deepEqual(told(alerts), ['CREATE 2', 'CREATE 3', 'UPDATE 3', 'UPDATE 4'])
  })

  test('with a lower bound are decided only when nothing can arrive any more', () => {
    const exactlyTwo = rule('two', { kind: 'event_count', timespanMs: 10 * minute, condition: { eq: 2 } })
    const pair = [call(at('10:00')), call(at('10:01'))]
    const inTime = [...pair, call(at('10:00:30')), call(at('12:00'))]
    assert.deepEqual(run(ruleSet([exactlyTwo]), pair), [])
    const [alert] = run(ruleSet([exactlyTwo]), [...pair, call(at('12:00'))])
    assert.deepEqual(alert?.window, { start: at('9:51'), end: at('10:01') })
    // the third event leaves the second time (10:00:30) with two, and takes it from the third
    assert.deepEqual(run(ruleSet([exactlyTwo]), inTime)[0]?.window.end, at('10:00:30'))
  })
})

describe('transactions', () => {
  test('leave nothing behind when discarded, and everything when merged', () => {
    const engine = new Engine(ruleSet([perHour]), plainProse)
    const process = (n: number): ReturnType<Engine['begin']> => {
      const transaction = engine.begin()
      for (let i = 0; i < n; i++)
        transaction.process(call(at('10:00') + i), { topic: 't', partition: 3, offset: i }, null)
      return transaction
    }
    const lost = process(3)
    assert.equal(lost.alerts.length, 1)
    lost.discard()
    assert.equal(engine.principals, 0)
    const kept = process(2)
    kept.merge()
    assert.deepEqual(kept.alerts, [])
    const done = process(1)
    assert.deepEqual(done.alerts[0]?.input, { topic: 't', partition: 3, offset: 0 })
  })

  test('do not touch state for events that no rule wants', () => {
    const engine = new Engine(ruleSet([perHour]), plainProse)
    const transaction = engine.begin()
    transaction.process(call(at('10:00'), { eventName: 'ListBuckets' }), null, null)
    assert.deepEqual([transaction.counts.processed, transaction.counts.matched], [1, 0])
    assert.deepEqual([...transaction.changes()], [])
  })

  test('hand every alert to the suppression hook', () => {
    const suppressed = { id: 's', reason: 'r', owner: 'o' }
    const hook = { ...plainProse, suppress: (alert: Alert) => ({ ...alert, suppressed }) }
    assert.deepEqual(
      run(
        ruleSet([perHour]),
        [1, 2, 3].map(i => call(at('10:00') + i)),
        hook,
      )[0]?.suppressed,
      suppressed,
    )
  })
})

describe('changed rules', () => {
  const twice = (second: Parameters<typeof ruleSet>[0]): number => {
    const before = new Engine(ruleSet([perHour]), plainProse)
    for (const i of [0, 1]) step(before, call(at('10:00') + i))
    const after = new Engine(ruleSet(second), plainProse)
    after.load(call(0).principal.key, before.state(call(0).principal.key))
    return step(after, call(at('10:30'))).length
  }

  test('keep their state while the window parameters are the same', () => {
    assert.equal(twice([{ ...perHour, version: 'new', title: 'other words', level: 'high' }]), 1)
  })

  test('start anew with other window parameters', () => {
    assert.equal(twice([{ ...perHour, dedupMs: 11 * minute }]), 0)
  })

  test('that are gone take their state with them', () => {
    assert.equal(twice([multiRegion]), 0)
  })
})

describe('the denied-call rate', () => {
  test('weighs denials of all principals in event time, with a time constant of one hour', () => {
    const engine = new Engine(ruleSet([perHour]), plainProse)
    const deny = (time: number, key: string): void => {
      step(engine, call(time, { outcome: 'DENIED', principal: { key, kind: 'ROLE', name: key } }))
    }
    deny(at('10:00'), 'a')
    deny(at('10:00'), 'b')
    assert.equal(engine.deniedPerHour, 2)
    deny(at('11:00'), 'c')
    assert.ok(Math.abs(engine.deniedPerHour - (1 + 2 / Math.E)) < 1e-12)
  })
})

describe('state', () => {
  test('of a counting rule goes when nothing in it can matter any more', () => {
    const other = rule('other', { kind: 'single' }, { feeds: [1] })
    const rules = ruleSet(
      [multiRegion, perHour, rule('single', { kind: 'single' }), other],
      [e => e.eventName === 'BatchGetSecretValue', e => e.eventName === 'GetSecretValue'],
    )
    const watching = (later: number): string[] => {
      const again = new Engine(rules, plainProse)
      for (const event of [...sweep(at('10:00'), 6), call(at('10:20'))]) step(again, event)
      step(again, call(later, { eventName: 'GetSecretValue' }))
      return (again.state(call(0).principal.key)?.watches ?? []).map(w => w.ruleId)
    }
    // ten minutes of window or dedup, an hour of window; fifteen minutes of lateness
    assert.deepEqual(watching(at('10:45')), ['secretsmanager-multi-region', 'calls', 'single', 'other'])
    assert.deepEqual(watching(at('10:45') + 1), ['calls', 'other'])
    assert.deepEqual(watching(at('11:35') + 1), ['other'])
  })
})
