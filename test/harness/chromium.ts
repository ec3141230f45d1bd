// A real browser for tests: headless Chromium of the distribution, driven by playwright-core. It resolves no host name, so a
// page that asks the network for something fails at it, and the test sees the request.
// Chromium is unpacked into the cache where it is not installed; where that does not work the caller gets the reason.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'
import { debianPackage } from './debian-package.ts'
import type { NoDebianPackage } from './debian-package.ts'

// usr/bin/chromium is a shell script that looks for the program in /usr/lib.
const program = 'usr/lib/chromium/chromium'

// What Chromium would do besides showing the page; playwright adds its own, among them an empty profile.
const quiet = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND',
]

/** Launches the browser. The caller closes it. With REQUIRE_KAFKA=1 (as in CI) a missing one is an error. */
export async function chromiumForTests(): Promise<Browser | NoDebianPackage> {
  const found = await debianPackage('chromium', { programs: [program], dependencies: true })
  if ('missing' in found) return found
  const { root, env } = found
  // PulseAudio keeps a library of its own in a folder below the others.
  const libraries = Object.values(env).flatMap(path => {
    const pulse = path.split(delimiter).map(folder => join(folder, 'pulseaudio'))
    return [path, ...pulse.filter(folder => existsSync(folder))]
  })
  return chromium.launch({
    executablePath: join(root, program),
    // The sandbox needs rights that a container does not give; the pages are our own.
    args: ['--no-sandbox', ...quiet],
    env: { ...process.env, ...(libraries.length > 0 && { LD_LIBRARY_PATH: libraries.join(delimiter) }) },
  })
}
