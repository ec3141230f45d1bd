// The progress line: what it says, how often it is drawn, and that it makes room for what else is written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProgressLine, progressText, readingProgress } from '../../../src/commands/replay-progress.ts'
import type { Progress } from '../../../src/commands/replay-progress.ts'

const reached = Date.UTC(2026, 0, 15, 9, 30, 7)
const reading: Progress = {
  phase: 'reading',
  done: 1_234_567_890,
  total: 3_400_000_000,
  unit: 'bytes',
  events: 162_048,
  reached,
  alerts: null,
}
const detecting: Progress = {
  phase: 'detecting',
  done: 500,
  total: 1000,
  unit: 'events',
  events: 500,
  reached,
  alerts: 1,
}

function screen(isTerminal = true, columns = 120) {
  const written: string[] = []
  let now = 0
  const err = { isTerminal, columns, write: (text: string) => void written.push(text) }
  return { err, written, clock: () => now, wait: (ms: number) => (now += ms) }
}

test('says the phase, how much of how much, the pace, the event time reached and the alerts', () => {
  assert.equal(progressText(reading, 2000), 'reading 1.2 of 3.4 GB (36 %), 81,024 events/s, at 2026-01-15T09:30:07Z')
  assert.equal(progressText(detecting, 100), 'detecting 500 of 1,000 events (50 %), at 2026-01-15T09:30:07Z, 1 alert')
  assert.equal(
    progressText({ ...reading, done: 0, total: null, reached: null, alerts: 1234 }, 0),
    'reading 0 B, 1,234 alerts',
  )
  assert.equal(
    progressText({ ...reading, done: 4096, total: 0, unit: 'records', reached: null }, 1000),
    'reading 4,096 of 4,096 records, 162,048 events/s',
  )
})

test('is redrawn in place, five times a second at most, and cut to the terminal', () => {
  const { err, written, clock, wait } = screen(true, 30)
  const line = new ProgressLine(err, false, clock)
  for (let ms = 0; ms < 1000; ms += 10) {
    line.tell({ ...reading, done: ms })
    wait(10)
  }
  assert.equal(written.length, 5)
  for (const text of written) {
    assert.ok(text.startsWith('\r\u001b[2Kreading '))
    assert.equal(text.length, '\r\u001b[2K'.length + 29)
  }
  // A new phase is told at once.
  line.tell(detecting)
  assert.equal(written.length, 6)
})

test('makes room before anything else is written to the terminal, and comes back', () => {
  const { err, written, clock } = screen()
  const line = new ProgressLine(err, false, clock)
  const around = line.around(err)
  void around.write('a note\n')
  line.tell(reading)
  void around.write('a note\n')
  void around.write('another\n')
  line.tell(reading)
  line.clear()
  line.clear()
  const clear = '\r\u001b[2K'
  assert.deepEqual(
    written.map(text => (text.startsWith(`${clear}reading`) ? 'line' : text)),
    ['a note\n', 'line', clear, 'a note\n', 'another\n', 'line', clear],
  )
})

test('there is none without a terminal or with --quiet, and nothing is measured for it', () => {
  for (const [isTerminal, quiet] of [
    [false, false],
    [true, true],
  ] as const) {
    const { err, written, clock } = screen(isTerminal)
    const line = new ProgressLine(err, quiet, clock)
    line.tell(reading)
    line.clear()
    assert.deepEqual(written, [])
    assert.equal(line.around(err), err)
    assert.deepEqual(
      readingProgress(line, () => null),
      {},
    )
  }
})

test('the reading tells its total when it becomes known', async () => {
  const { err, written, clock, wait } = screen()
  const { after, total } = readingProgress(new ProgressLine(err, false, clock), () => reached)
  await after!({ done: 10, unit: 'bytes', events: 3 })
  wait(1000)
  total!(40)
  await after!({ done: 20, unit: 'bytes', events: 5 })
  assert.deepEqual(
    written.map(text => text.slice(5)),
    ['reading 10 B, at 2026-01-15T09:30:07Z', 'reading 20 of 40 B (50 %), 5 events/s, at 2026-01-15T09:30:07Z'],
  )
})
