// Without WebAssembly, or with one that does not know the module, there is no fast path and nothing is lost by that: every
// value goes the general way. A file of its own, because the scan is made once in a process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FastReader } from '../../../../src/normalize/fast/raw-value.ts'
import { instantiateScan } from '../../../../src/normalize/fast/scan-instance.ts'
import { keepAll as options } from '../options.ts'

const record = '{"eventTime":"2026-01-02T03:04:05Z","eventSource":"s","eventName":"n"}'
const place = globalThis as { WebAssembly?: unknown }

/** Runs something as a Node without SIMD (`module`) or without WebAssembly at all. */
function instead<T>(webAssembly: unknown, run: () => T): T {
  const before = place.WebAssembly
  place.WebAssembly = webAssembly
  try {
    return run()
  } finally {
    place.WebAssembly = before
  }
}

class Refusing {
  constructor() {
    throw new Error('invalid opcode')
  }
}

test('where there is no WebAssembly there is no scan, and no value is taken', () => {
  assert.equal(
    instead({ Module: Refusing, Instance: Refusing }, () => instantiateScan()),
    null,
  )
  instead(undefined, () => {
    assert.equal(instantiateScan(), null)
    assert.equal(
      new FastReader(options.limits).read(Buffer.from(record), () => assert.fail()),
      null,
    )
  })
})
