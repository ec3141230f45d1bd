// Pages that messages, rules, contracts and docs point to exist.
import { existsSync, readFileSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'
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

/** The anchors of a page as GitHub makes them: headings in lower case without punctuation, and a number for copies. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  const withoutCode = text.replaceAll(/^( *)```[^]*?^\1```$/gm, '')
  for (const [, heading = ''] of withoutCode.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '').replaceAll(' ', '-')
    let unique = anchor
    for (let copy = 1; anchors.has(unique); copy++) unique = `${anchor}-${copy}`
    anchors.add(unique)
  }
  for (const [, name = ''] of withoutCode.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(name)
  return anchors
}

/** Links of a page that lead nowhere: to a file that is not there, or to a heading that the page does not have. */
function brokenLinks(file: string, text: string): string[] {
  const links = [...text.replaceAll(/`[^`\n]*`/g, '').matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
  return links.flatMap(([, target = '', anchor]) => {
    const path = target === '' ? join(root, file) : join(root, dirname(file), target)
    if (!existsSync(path)) return [`${file} links ${target}`]
    if (anchor === undefined) return []
    const page = target === '' ? text : readFileSync(path, 'utf8')
    return anchorsOf(page).has(anchor) ? [] : [`${file} links ${target}#${anchor}`]
  })
}

test('every relative link of README, docs and examples leads to a file and to a heading that is in it', () => {
  const files = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'test/fixtures/*.md'], { cwd: root })
  assert.deepEqual(
    files.flatMap(file => brokenLinks(file, readFileSync(join(root, file), 'utf8'))),
    [],
  )
})

test('a link to a heading that is not there is found, in the page itself and in another', () => {
  const text = '# One, `two` & three\n\n## Same\n\n## Same\n\n```sh\n# no heading\n```\n'
  const good =
    '[a](#one-two--three) [b](#same-1) [c](docs/security.md#rights) [d](docs/security.md) [e](https://x.y/#z)'
  assert.deepEqual(brokenLinks('README.md', `${text}${good}`), [])
  const bad = '[a](#same-2) [b](#no-heading) [c](docs/security.md#wrongs) [d](docs/nothing.md#rights)'
  assert.deepEqual(brokenLinks('README.md', `${text}${bad}`), [
    'README.md links #same-2',
    'README.md links #no-heading',
    'README.md links docs/security.md#wrongs',
    'README.md links docs/nothing.md',
  ])
})
