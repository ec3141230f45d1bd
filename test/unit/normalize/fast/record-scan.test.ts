// The scan over its memory: what lies behind a value is never read as part of it, the memory grows with the values, and
// fields stand where they are said to stand, whatever the width of a load.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slotOf } from '../../../../src/normalize/fast/record-layout.ts'
import { recordScan } from '../../../../src/normalize/fast/record-scan.ts'

const scan = recordScan()!
const smallest = '"eventTime":"2026-01-02T03:04:05Z","eventSource":"s","eventName":"n"'

/** The length of what is taken, -1 for nothing. */
function taken(text: string | Buffer): number {
  const start = scan.load(Buffer.from(text as string))
  const end = scan.scan(start)
  return end === -1 ? -1 : end - start
}

test('a value that is cut anywhere is refused, although the rest of it still lies behind', () => {
  const text = `{${smallest},"requestParameters":{"a":[true,false,null,-1.5e3,"\\u0041x"]},"userIdentity":{"type":"Root"},"readOnly":"true"}`
  const whole = Buffer.from(text)
  for (let length = 0; length < whole.length; length++) {
    assert.equal(taken(whole), whole.length)
    assert.equal(taken(whole.subarray(0, length)), -1, text.slice(0, length))
  }
})

test('texts of every length up to some loads, at every place: a quote, an escape, a byte beyond ASCII ends them alike', () => {
  const slot = slotOf('record.userAgent')
  for (let length = 0; length < 70; length++)
    for (const pad of ['', 'x', 'xxxxxxx', 'x'.repeat(15)]) {
      const text = 'a'.repeat(length)
      const before = `{"pad":"${pad}","userAgent":"`
      const start = scan.load(Buffer.from(`${before}${text}",${smallest}}`))
      assert.notEqual(scan.scan(start), -1)
      assert.deepEqual([scan.start(slot) - start, scan.latin1(slot)], [before.length, text])
      assert.equal(scan.isUnusual(slot), false)
      for (const odd of ['\\"', '\u00e4', '\x7f']) {
        scan.scan(scan.load(Buffer.from(`${before}${text}${odd}",${smallest}}`)))
        assert.deepEqual([scan.isUnusual(slot), scan.text(slot)], [true, text + (odd === '\\"' ? '"' : odd)])
      }
      for (const bad of ['\n', '\0', '\x1f', '\\x']) assert.equal(taken(`${before}${text}${bad}",${smallest}}`), -1)
    }
})

test('a key is what it is by all of its bytes, in any order', () => {
  for (const other of ['eventTimes', 'eventTim', 'EventTime', 'eventTime ', 'recipientAccountIe', 'x'.repeat(40)])
    for (const text of [`{"${other}":1,${smallest}}`, `{${smallest},"${other}":1}`])
      assert.equal(taken(text), text.length, text)
  const fields = smallest.split(/,(?="event[SN])/)
  for (const order of [fields, [...fields].reverse(), [fields[1]!, fields[0]!, fields[2]!]])
    assert.equal(taken(`{${order.join()}}`), smallest.length + 2)
  assert.equal(taken(`{${fields[0]!},${smallest}}`), -1, 'a key twice')
})

test('the memory grows with the values and keeps what it knows', () => {
  const before = scan.bytes.length
  const large = `{${smallest},"x":"${'y'.repeat(before)}"}`
  assert.equal(taken(large), large.length)
  assert.ok(scan.bytes.length > before)
  assert.equal(taken(`{${smallest}}`), smallest.length + 2)
  assert.equal(scan.latin1(slotOf('record.eventName')), 'n')
})

test('line feeds are told by where they stand', () => {
  const at = (text: string) => {
    const start = scan.load(Buffer.from(text))
    assert.notEqual(scan.scan(start), -1)
    return [scan.hasNewline, scan.endsLine, scan.next - start]
  }
  assert.deepEqual(at(`{${smallest}}`), [false, false, smallest.length + 2])
  assert.deepEqual(at(`{${smallest}} \r\n{`), [false, true, smallest.length + 5])
  assert.deepEqual(at(`{${smallest}\n} ,`), [true, false, smallest.length + 4])
})
