// runService: HTTP before anything else, patience at the start, one clean stop, and an error that reaches the supervisor.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onCluster, runService } from '../../../src/commands/service.ts'
import { twError } from '../../../src/errors.ts'
import { createMetrics } from '../../../src/metrics/metrics.ts'
import type { RunningLoop } from '../../../src/pipeline/running-loop.ts'
import { eventually, rejectsWith } from '../../harness/conformance-cluster.ts'
import { config, lineLog, quiet } from '../../harness/pipeline.ts'
import { clientWith } from '../../harness/simulator-cluster.ts'
import { contextOf } from './context.ts'
import type { LoggedLine } from './context.ts'

/** A loop whose end the test decides. */
function loop(): { running: RunningLoop; state: { ready: boolean; stops: number }; fail: (error: Error) => void } {
  const end = Promise.withResolvers<void>()
  end.promise.catch(() => undefined)
  const state = { ready: true, stops: 0 }
  const running = {
    done: end.promise,
    ready: () => state.ready,
    positions: () => new Map(),
    stop: async () => {
      state.stops++
      end.resolve()
    },
  }
  return { running, state, fail: end.reject }
}

function service(start: () => Promise<RunningLoop>, env: Record<string, string> = {}) {
  const stop = new AbortController()
  const { context, logged } = contextOf({ HTTP_PORT: '0', ...env }, stop.signal)
  const result = runService(context, createMetrics('detect', '1'), 9465, start)
  result.catch(() => undefined)
  const verdict = async (path: string) => (await fetch(`http://127.0.0.1:${portOf(logged)}${path}`)).status
  return { result, stop, logged, verdict }
}

function portOf(logged: readonly LoggedLine[]): number {
  return Number(logged.find(({ sentence }) => sentence.startsWith('Serving'))?.fields['port'])
}

const sentences = (logged: readonly LoggedLine[]) => logged.map(({ sentence }) => sentence)

test('it serves while it starts, is ready with the loop, and stops once on the signal', async () => {
  const { running, state } = loop()
  const gate = Promise.withResolvers<void>()
  const { result, stop, logged, verdict } = service(() => gate.promise.then(() => running))
  await eventually('the endpoint', () => portOf(logged) > 0)
  assert.deepEqual([await verdict('/livez'), await verdict('/readyz')], [200, 503])
  gate.resolve()
  await eventually('the start', () => sentences(logged).includes('Started.'))
  assert.equal(await verdict('/readyz'), 200)
  state.ready = false
  assert.equal(await verdict('/readyz'), 503)
  stop.abort()
  assert.equal(await result, 0)
  assert.equal(state.stops, 1)
  assert.deepEqual(sentences(logged).slice(-2), ['Stopping.', 'Stopped.'])
  await assert.rejects(verdict('/livez'))
})

test('a cluster or registry that is away at the start is waited for, with a line in the log', async () => {
  const { running } = loop()
  const refusals = [twError('TW_REGISTRY_UNAVAILABLE', 'nobody answers')]
  const { result, stop, logged, verdict } = service(async () => {
    const refusal = refusals.shift()
    if (refusal !== undefined) throw refusal
    return running
  })
  await eventually('a refusal', () => logged.some(({ level }) => level === 'warn'))
  assert.equal(await verdict('/readyz'), 503)
  await eventually('the start', () => sentences(logged).includes('Started.'))
  assert.deepEqual(
    logged.filter(({ level }) => level === 'warn').map(({ fields }) => fields['code']),
    ['TW_REGISTRY_UNAVAILABLE'],
  )
  stop.abort()
  assert.equal(await result, 0)
})

test('a stop while it waits for the cluster ends it at once, with exit 0', async () => {
  const { result, stop, logged } = service(() => Promise.reject(twError('TW_BROKER_UNAVAILABLE', 'nobody')))
  await eventually('a refusal', () => logged.some(({ level }) => level === 'warn'))
  const asked = performance.now()
  stop.abort()
  assert.equal(await result, 0)
  assert.ok(performance.now() - asked < 1000)
})

test('readiness ends with the signal while the loop still finishes its work; liveness does not', async () => {
  const { running } = loop()
  const gate = Promise.withResolvers<void>()
  const slow = { ...running, stop: () => gate.promise.then(() => running.stop()) }
  const { result, stop, logged, verdict } = service(async () => slow)
  await eventually('the start', () => sentences(logged).includes('Started.'))
  assert.deepEqual([await verdict('/livez'), await verdict('/readyz')], [200, 200])
  stop.abort()
  assert.deepEqual([await verdict('/livez'), await verdict('/readyz')], [200, 503])
  gate.resolve()
  assert.equal(await result, 0)
})

test('a stop during the start closes what comes up, and is ready at no time', async () => {
  const { running, state } = loop()
  const gate = Promise.withResolvers<void>()
  const { result, stop, logged, verdict } = service(() => gate.promise.then(() => running))
  await eventually('the endpoint', () => portOf(logged) > 0)
  stop.abort()
  await eventually('the stop', () => sentences(logged).includes('Stopping while starting.'))
  assert.equal(await verdict('/readyz'), 503)
  gate.resolve()
  assert.equal(await result, 0)
  assert.equal(state.stops, 1)
})

test('a loop that has failed is not live while it is being closed', async () => {
  const { running, fail } = loop()
  const gate = Promise.withResolvers<void>()
  const slow = { ...running, stop: () => gate.promise }
  const { result, logged, verdict } = service(async () => slow)
  await eventually('the start', () => sentences(logged).includes('Started.'))
  fail(twError('TW_CONSUMER_CRASHED', 'No progress.'))
  await eventually('the verdict', async () => (await verdict('/livez')) === 503)
  assert.equal(await verdict('/readyz'), 503)
  gate.resolve()
  await rejectsWith('TW_CONSUMER_CRASHED', result)
})

test('a loop on a cluster is ready while the cluster answers, and closes its client', async () => {
  const { running, state } = loop()
  const log = lineLog(1)
  const answer = { away: false, closed: false }
  const flaky = clientWith(log, {
    offsets: topic => (answer.away ? Promise.reject(twError('TW_BROKER_UNAVAILABLE', 'no')) : log.offsets(topic)),
    close: async () => void (answer.closed = true),
  })
  const options = { topic: config.EVENTS_TOPIC, group: 'g', metrics: createMetrics('detect', '1'), logger: quiet }
  const loopOnCluster = onCluster(running, { log: flaky, everyMs: 5, ...options })
  assert.equal(loopOnCluster.ready(), true)
  answer.away = true
  await eventually('not ready', () => !loopOnCluster.ready())
  answer.away = false
  await eventually('ready again', () => loopOnCluster.ready())
  state.ready = false
  assert.equal(loopOnCluster.ready(), false)
  await loopOnCluster.stop()
  assert.deepEqual([state.stops, answer.closed], [1, true])
})

test('a cluster that leaves a question open for too long is away as well', async () => {
  const { running } = loop()
  const answer = { silent: true }
  const log = lineLog(1)
  const silent = clientWith(log, {
    offsets: topic => (answer.silent ? new Promise<never>(() => undefined) : log.offsets(topic)),
  })
  const options = { topic: config.EVENTS_TOPIC, group: 'g', metrics: createMetrics('detect', '1'), logger: quiet }
  const loopOnCluster = onCluster(running, { log: silent, everyMs: 5, ...options }, 20)
  await eventually('not ready', () => !loopOnCluster.ready())
  answer.silent = false
  await eventually('ready again', () => loopOnCluster.ready())
  await loopOnCluster.stop()
})

test('what waiting cannot mend is not waited for', async () => {
  const { result, logged, verdict } = service(() => Promise.reject(twError('TW_PARTITIONS_DIFFER', '6 and 3')))
  await rejectsWith('TW_PARTITIONS_DIFFER', result)
  await assert.rejects(verdict('/livez'), `nothing is served any more: ${logged.length}`)
})

test('a loop that cannot go on ends the process with its error, closed', async () => {
  const { running, state, fail } = loop()
  const { result, logged } = service(async () => running)
  await eventually('the start', () => sentences(logged).includes('Started.'))
  fail(twError('TW_CONSUMER_CRASHED', 'gone'))
  await rejectsWith('TW_CONSUMER_CRASHED', result)
  assert.equal(state.stops, 1)
})

test('a port that is taken is a configuration error that names it', async () => {
  const { running } = loop()
  const first = service(async () => running)
  await eventually('the endpoint', () => portOf(first.logged) > 0)
  const port = String(portOf(first.logged))
  const second = service(async () => running, { HTTP_PORT: port })
  await assert.rejects(second.result, {
    code: 'TW_CONFIG_INVALID',
    message: new RegExp(`HTTP_PORT ${port}.*EADDRINUSE`),
  })
  first.stop.abort()
  await first.result
})
