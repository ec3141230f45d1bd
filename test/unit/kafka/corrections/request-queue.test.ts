// The request queue's timer: none without waiting requests, and never a negative delay.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { scheduleCheckPendingRequests } from '../../../../src/kafka/corrections/request-queue.ts'
import type { RequestQueue } from '../../../../src/kafka/corrections/request-queue.ts'
import { original } from '../encoded-batches.ts'

function queue(pending: number, throttledUntil: number) {
  const state = {
    pending: Array.from({ length: pending }),
    throttledUntil,
    throttleCheckTimeoutId: null as NodeJS.Timeout | null,
    checks: 0,
    checkPendingRequests() {
      this.checks++
    },
  }
  return state
}

function delays(t: TestContext, run: () => void): number[] {
  const seen: number[] = []
  const mock = t.mock.method(globalThis, 'setTimeout', (_run: () => void, delay: number) => {
    seen.push(delay)
    return 1 as never
  })
  run()
  mock.mock.restore()
  return seen
}

test('without waiting requests there is no timer; the original sets one with a negative delay', t => {
  const { prototype } = original<{ prototype: RequestQueue & { scheduleCheckPendingRequests(): void } }>(
    'network/requestQueue',
  )
  const before = delays(t, () => prototype.scheduleCheckPendingRequests.call(queue(0, -1)))
  assert.ok((before[0] ?? 0) < 0, 'the original no longer sets a negative timer')
  assert.deepEqual(
    delays(t, () => scheduleCheckPendingRequests.call(queue(0, -1))),
    [],
  )
})

test('waiting requests are looked at in 10 ms, or when throttling ends', t => {
  assert.deepEqual(
    delays(t, () => scheduleCheckPendingRequests.call(queue(1, -1))),
    [10],
  )
  const [throttled] = delays(t, () => scheduleCheckPendingRequests.call(queue(1, Date.now() + 500)))
  assert.ok(throttled !== undefined && throttled > 400 && throttled <= 500)
})

test('one timer at a time, and it looks at the queue', async () => {
  const waiting = queue(2, -1)
  scheduleCheckPendingRequests.call(waiting)
  scheduleCheckPendingRequests.call(waiting)
  await new Promise(resolve => setTimeout(resolve, 40))
  assert.equal(waiting.checks, 1)
  assert.equal(waiting.throttleCheckTimeoutId, null)
})
