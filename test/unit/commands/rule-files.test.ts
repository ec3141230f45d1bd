// The folder reader: which files of a folder are rules, and in which order.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRuleFiles } from '../../../src/commands/rule-files.ts'

test('folders give their .yml and .yaml files by path, without suppressions and hidden names; files are taken as they are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rules-'))
  try {
    await mkdir(join(folder, 'sub'))
    await mkdir(join(folder, '.git'))
    for (const name of [
      'b.yml',
      'a.yaml',
      'suppressions.yaml',
      'notes.txt',
      '.hidden.yml',
      'sub/c.yml',
      '.git/d.yml',
    ]) {
      await writeFile(join(folder, name), name)
    }
    const files = await readRuleFiles([folder, join(folder, 'notes.txt'), join(folder, 'b.yml')])
    assert.deepEqual(
      files.map(file => file.text),
      ['a.yaml', 'b.yml', 'sub/c.yml', 'notes.txt'],
    )
    assert.equal(files[0]?.path, join(folder, 'a.yaml'))
    await assert.rejects(readRuleFiles([join(folder, 'missing')]), { code: 'ENOENT' })
  } finally {
    await rm(folder, { recursive: true })
  }
})
