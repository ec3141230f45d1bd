// Reading files for a verb: what is told after each piece, and a stop that ends the reading with what was read.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { normalizeFiles, summaryLine } from '../../../src/commands/files.ts'
import type { FilesOptions } from '../../../src/commands/files.ts'
import { normalizeOptionsFrom } from '../../../src/commands/settings.ts'
import { loadConfig } from '../../../src/config.ts'
import { bytesOf } from '../../../src/sources/file-paths.ts'

const folder = mkdtempSync(join(tmpdir(), 'files-test-'))
after(() => rmSync(folder, { recursive: true }))

const record = (n: number) =>
  JSON.stringify({ eventVersion: '1.11', eventTime: '2026-01-15T09:00:00Z', eventSource: 's3', eventName: `Call${n}` })
let stored = 0
for (const n of [1, 2, 3]) {
  const bytes = gzipSync(`{"Records":[${record(n)},${record(n)}]}`)
  stored += bytes.length
  writeFileSync(join(folder, `${n}.json.gz`), bytes)
}

const options = (more: Partial<FilesOptions>): FilesOptions => ({
  paths: [folder],
  normalize: normalizeOptionsFrom(loadConfig({ flags: {}, env: {} })),
  err: { write: () => undefined, isTerminal: false, columns: 80 },
  stop: new AbortController().signal,
  take: () => undefined,
  ...more,
})

test('after each piece the bytes as they are stored and the events so far are told', async () => {
  const told: [number, number][] = []
  await normalizeFiles(options({ after: (bytes, events) => void told.push([bytes, events]) }))
  assert.deepEqual(
    told.map(([, events]) => events),
    [2, 4, 6],
  )
  assert.equal(told.at(-1)![0], stored)
  assert.ok(told[0]![0] < told[1]![0] && told[1]![0] < stored)
  assert.equal(await bytesOf([folder]), stored)
  assert.equal(await bytesOf([folder, '-']), null)
})

test('a stop ends the reading with what was read', async () => {
  const controller = new AbortController()
  const names: string[] = []
  const summary = await normalizeFiles(
    options({
      stop: controller.signal,
      take: event => {
        names.push(event.eventName)
        controller.abort()
      },
    }),
  )
  assert.deepEqual(names, ['Call1', 'Call1'])
  assert.equal(summaryLine(summary), '2 events from 1 file; 0 skipped, 0 rejected')
})
