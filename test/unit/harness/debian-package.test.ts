// The finder of Debian packages, with a real archive and an apt-get that only copies it: unpacked once, reasons otherwise.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { debianPackage } from '../../harness/debian-package.ts'

const hasDpkg = spawnSync('dpkg-deb', ['--version']).error === undefined && existsSync('/etc/os-release')
const skip = hasDpkg ? false : 'dpkg-deb is not installed'
const folder = mkdtempSync(join(tmpdir(), 'debian-package-'))
const calls = join(folder, 'calls')
const environment = { ...process.env }
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** A package `sample` with usr/bin/sample and a library, and an `apt-get` in front of the real one that knows it alone. */
function arrange(): void {
  const tree = join(folder, 'tree')
  for (const path of ['DEBIAN', 'usr/bin', 'usr/lib/x86_64-linux-gnu']) mkdirSync(join(tree, path), { recursive: true })
  const control = 'Package: sample\nVersion: 1\nArchitecture: all\nMaintainer: a <a@localhost>\nDescription: x\n'
  writeFileSync(join(tree, 'DEBIAN', 'control'), control)
  writeFileSync(join(tree, 'usr/bin/sample'), '#!/bin/sh\necho "$LD_LIBRARY_PATH"\n')
  chmodSync(join(tree, 'usr/bin/sample'), 0o755)
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', tree, join(folder, 'sample_1_all.deb')])
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const script = `#!/bin/sh
echo "$@" >> ${calls}
case "$*" in
  "download sample") cp ${folder}/sample_1_all.deb . ;;
  *--download-only*"install sample") cp ${folder}/sample_1_all.deb . ;;
  *) echo "E: Unable to locate package" >&2; exit 100 ;;
esac
`
  writeFileSync(join(bin, 'apt-get'), script)
  chmodSync(join(bin, 'apt-get'), 0o755)
  process.env['PATH'] = `${bin}${delimiter}${environment['PATH'] ?? ''}`
  delete process.env['REQUIRE_KAFKA']
  delete process.env['LD_LIBRARY_PATH']
}

test('a package is fetched and unpacked once; its programs find their libraries', { skip }, async () => {
  arrange()
  for (const dependencies of [false, true]) {
    process.env['TRAILWARDEN_TEST_CACHE'] = join(folder, `cache-${String(dependencies)}`)
    writeFileSync(calls, '')
    const options = { programs: ['usr/bin/sample'], dependencies }
    const found = await Promise.all([debianPackage('sample', options), debianPackage('sample', options)])
    const again = await debianPackage('sample', options)
    assert.ok(!('missing' in again), JSON.stringify(again))
    assert.deepEqual(found, [again, again])
    const said = execFileSync(join(again.root, 'usr/bin/sample'), { env: again.env, encoding: 'utf8' })
    assert.ok(said.includes(join(again.root, 'usr/lib/x86_64-linux-gnu')), said)
    const asked = readFileSync(calls, 'utf8').trim().split('\n')
    assert.ok(asked.length <= 2, 'the third call finds it in the cache')
    assert.ok(asked.every(line => line.includes('--download-only') === dependencies))
    assert.deepEqual(readdirSync(join(again.root, '..')), ['sample'], 'nothing temporary is left')
  }
})

test(
  'a package that does not exist, or lacks the program, is a reason; with REQUIRE_KAFKA=1 an error',
  { skip },
  async () => {
    process.env['TRAILWARDEN_TEST_CACHE'] = join(folder, 'cache-missing')
    const unknown = await debianPackage('unknown', { programs: ['usr/bin/unknown'] })
    assert.match('missing' in unknown ? unknown.missing : '', /package unknown .*: E: Unable to locate package/)
    const lacking = await debianPackage('sample', { programs: ['usr/bin/other'] })
    assert.match('missing' in lacking ? lacking.missing : '', /it has no usr\/bin\/other/)
    process.env['REQUIRE_KAFKA'] = '1'
    await assert.rejects(debianPackage('unknown', { programs: ['usr/bin/unknown'] }), /package unknown/)
  },
)

test('what is installed is used where it is', async () => {
  const found = await debianPackage('base-files', { programs: ['etc'] })
  assert.deepEqual(found, { root: '/', env: {} })
})
