// Alerts of a replay: whole and by time, whichever principal was evaluated first, in memory or through a file.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertSorter } from '../../../src/commands/replay-alerts.ts'
import { rateAlert, regionAlert } from '../alerts/samples.ts'

test('alerts come by the time of what raised them, those of one time as they were raised, unchanged', () => {
  const alerts = [
    regionAlert({ detectedAt: 30, dedupKey: 'c' }),
    regionAlert({ detectedAt: 10, dedupKey: 'a' }),
    rateAlert({ detectedAt: 20, dedupKey: 'b' }),
    rateAlert({ detectedAt: 10, dedupKey: 'a', sequence: 1, activity: 'UPDATE' }),
  ]
  for (const maxBytes of [undefined, 1, 8000]) {
    const sorter = alertSorter(maxBytes)
    for (const alert of alerts) sorter.add(alert)
    assert.equal(sorter.spilled > 0, maxBytes !== undefined)
    assert.deepEqual([...sorter.drain()], [alerts[1], alerts[3], alerts[2], alerts[0]])
  }
})
