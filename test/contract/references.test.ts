// Pages that messages, rules, contracts and docs point to exist.
import { existsSync, readFileSync, globSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'

const root = join(import.meta.dirname, '..', '..')

test('every docs page that is named anywhere exists', () => {
  const files = globSync(['src/**/*.ts', 'rules/*', 'topics/*/*', 'README.md', 'docs/**/*.md', 'bin/*', 'scripts/*'], {
    cwd: root,
  })
  const missing = files.flatMap(file => {
    const text = readFileSync(join(root, file), 'utf8')
    return [...text.matchAll(/\bdocs\/[a-z0-9/-]+\.md\b/g)]
      .map(([path]) => path)
      .filter(path => !existsSync(join(root, path)))
      .map(path => `${file} names ${path}`)
  })
  assert.deepEqual(missing, [])
})

test('every relative link of README and docs leads somewhere', () => {
  const files = globSync(['README.md', 'docs/**/*.md'], { cwd: root })
  const broken = files.flatMap(file => {
    const text = readFileSync(join(root, file), 'utf8')
    return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => target!)
      .filter(target => !existsSync(join(root, dirname(file), target)))
      .map(target => `${relative('.', file)} links ${target}`)
  })
  assert.deepEqual(broken, [])
})
