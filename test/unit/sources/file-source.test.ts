import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { UnreadablePathError } from '../../../src/sources/file-paths.ts'
import { readFiles } from '../../../src/sources/file-source.ts'
import type { FileSourceOptions } from '../../../src/sources/file-source.ts'

let root = ''
const notes: [string, string][] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'file-source-'))
  notes.length = 0
})
afterEach(() => rmSync(root, { recursive: true }))

function write(path: string, content: string | Uint8Array): string {
  const whole = join(root, path)
  mkdirSync(join(whole, '..'), { recursive: true })
  writeFileSync(whole, content)
  return whole
}

async function* parts(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

/** `path: content` or `path! reason`, in order. */
async function read(paths: readonly string[], changed: Partial<FileSourceOptions> = {}): Promise<string[]> {
  const found: string[] = []
  const options: FileSourceOptions = {
    chunkBytes: 64,
    chunkLines: 100,
    wholeBytes: 1000,
    note: (path, why) => notes.push([relative(root, path), why]),
    stdin: parts(),
    ...changed,
  }
  for await (const item of readFiles(paths, options)) {
    const path = item.path === '-' ? '-' : relative(root, item.path)
    if ('rejected' in item) found.push(`${path}! ${item.rejected.rejected}`)
    else found.push(`${path}: ${Buffer.from(item.bytes).toString()}`)
  }
  return found
}

const line = (n: number) => `{"event":${n},"pad":"${'x'.repeat(20)}"}\n`

describe('paths', () => {
  test('a folder is read recursively in sorted order; the rest is noted', async () => {
    for (const path of ['b/2.json', 'b/1.jsonl', 'a.ndjson', 'c.log', 'B.JSON']) write(path, '{}')
    write('d.json.gz', gzipSync('{}'))
    for (const path of ['picture.png', 'AWSLogs', '.hidden.json', 'b/.git/x.json']) write(path, '{}')
    assert.deepEqual(await read([root]), [
      'B.JSON: {}',
      'a.ndjson: {}',
      'b/1.jsonl: {}',
      'b/2.json: {}',
      'c.log: {}',
      'd.json.gz: {}',
    ])
    assert.deepEqual(
      notes.map(([path]) => path),
      ['.hidden.json', 'AWSLogs', 'b/.git', 'picture.png'],
    )
  })

  test('a file named by the user is read whatever its name is', async () => {
    assert.deepEqual(await read([write('CloudTrail_x', '{}')]), ['CloudTrail_x: {}'])
  })

  test('a link to a file is followed, one to a folder is not', async () => {
    const target = write('in/1.json', '{}')
    symlinkSync(target, join(root, 'in/2.json'))
    symlinkSync(join(root, 'in'), join(root, 'in/loop.json'))
    symlinkSync(join(root, 'gone'), join(root, 'in/dangling.json'))
    assert.deepEqual(await read([join(root, 'in')]), ['in/1.json: {}', 'in/2.json: {}'])
    assert.deepEqual(
      notes.map(([path]) => path),
      ['in/dangling.json', 'in/loop.json'],
    )
  })

  test('a path that does not exist is an error that names it, before anything is read', async () => {
    const there = write('there.json', '{}')
    const missing = join(root, 'missing.json')
    const seen: string[] = []
    await assert.rejects(
      async () => {
        const options = { chunkBytes: 1, chunkLines: 1, wholeBytes: 1, note: () => {}, stdin: parts() }
        for await (const item of readFiles([there, missing], options)) seen.push(item.path)
      },
      (error: unknown) => {
        assert.ok(error instanceof UnreadablePathError)
        assert.equal(error.path, missing)
        assert.equal(error.message, `${missing}: no such file or folder`)
        return true
      },
    )
    assert.deepEqual(seen, [])
  })

  test('- is standard input, also gzip that arrives byte by byte', async () => {
    assert.deepEqual(await read(['-'], { stdin: parts('{"a"', ':1}') }), ['-: {"a":1}'])
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for (const byte of gzipSync('{"a":1}')) yield Uint8Array.of(byte)
    }
    assert.deepEqual(await read(['-'], { stdin: bytes() }), ['-: {"a":1}'])
    assert.deepEqual(await read(['-']), ['-: '])
  })
})

describe('content', () => {
  test('JSON lines come in chunks of whole lines that together are the file', async () => {
    const content = Array.from({ length: 40 }, (_, i) => line(i)).join('')
    for (const bytes of [Buffer.from(content), gzipSync(content)]) {
      const path = write('x.jsonl', bytes)
      const found = (await read([path], { chunkLines: 7 })).map(each => each.slice('x.jsonl: '.length))
      assert.equal(found.join(''), content)
      assert.ok(found.length >= 6)
      assert.ok(found.every(chunk => chunk.endsWith('\n') && chunk.split('\n').length - 1 <= 7))
    }
  })

  test('a last line without line feed is not lost', async () => {
    const content = `${line(1)}${line(2)}${line(3).trimEnd()}`
    const found = await read(['-'], { stdin: parts(...content) })
    assert.equal(found.map(each => each.slice(3)).join(''), content)
  })

  test('one JSON value over many lines stays whole', async () => {
    const pretty = JSON.stringify({ Records: Array.from({ length: 8 }, (_, i) => ({ eventName: i })) }, null, 2)
    assert.ok(pretty.length > 128)
    assert.deepEqual(await read(['-'], { stdin: parts(...pretty) }), [`-: ${pretty}`])
  })

  test('one JSON value on a line longer than a chunk stays whole', async () => {
    const value = `${JSON.stringify({ Records: ['x'.repeat(300)] })}\n`
    assert.deepEqual(await read(['-'], { stdin: parts(value.slice(0, 100), value.slice(100)) }), [`-: ${value}`])
  })

  test('a value over the limit is refused, and the next file read', async () => {
    const large = write('a.json', JSON.stringify({ Records: ['x'.repeat(2000)] }))
    const next = write('b.json', '{}')
    assert.deepEqual(await read([large, next]), ['a.json! too-large', 'b.json: {}'])
  })

  test('a line over the limit is refused, and the next line read', async () => {
    const content = [line(1), line(2), line(3), `{"event":"${'x'.repeat(3000)}"}\n`, line(4)]
    const chunks = content.join('').match(/[^]{1,50}/g) ?? []
    const found = await read(['-'], { stdin: parts(...chunks) })
    assert.deepEqual(
      found.filter(each => each.includes('!')),
      ['-! too-large'],
    )
    assert.equal(
      found
        .filter(each => each.startsWith('-:'))
        .map(each => each.slice(3))
        .join(''),
      content.toSpliced(3, 1).join(''),
    )
  })

  test('gzip cut off or damaged is one refusal, and the next file read', async () => {
    const cut = write('a.json.gz', gzipSync('{"a":1}').subarray(0, 20))
    const damaged = write('b.json.gz', Buffer.concat([gzipSync('{"a":1}').subarray(0, 12), Buffer.alloc(30, 7)]))
    const next = write('c.json.gz', gzipSync('{"a":1}'))
    assert.deepEqual(await read([cut, damaged, next]), [
      'a.json.gz! bad-gzip',
      'b.json.gz! bad-gzip',
      'c.json.gz: {"a":1}',
    ])
  })

  test('an empty file gives an empty value, to be refused by the normalizer', async () => {
    assert.deepEqual(await read([write('a.json', '')]), ['a.json: '])
  })

  test('a gzip bomb is stopped at the limit', async () => {
    assert.deepEqual(await read([write('a.gz', gzipSync(Buffer.alloc(20 * 2 ** 20, 0x20)))]), ['a.gz! too-large'])
  })

  test('a reader that stops early leaves no file open', async () => {
    const path = write('x.jsonl.gz', gzipSync(Array.from({ length: 5000 }, (_, i) => line(i)).join('')))
    const options = { chunkBytes: 64, chunkLines: 1, wholeBytes: 1000, note: () => {}, stdin: parts() }
    for await (const item of readFiles([path], options)) {
      assert.ok('bytes' in item)
      break
    }
  })
})
