// `npm run report:example`: the reports under docs/report, of the demo's scenario and of a public trail where it is present
// beside the repository, with pictures of both themes taken by the browser of the tests.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { demoLines } from '../src/commands/demo-scenario.ts'
import { chromiumForTests } from '../test/harness/chromium.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs', 'report')

/** A public trail, where it lies beside the repository. */
export const exampleTrail = join(root, '..', 'shared', 'data', 'invictus')

/**
 * The report of `trailwarden replay` on the demo's scenario, or on the files at `trail`, which the page then calls `name`.
 * Made in a folder of its own, so that no path of this machine is in it.
 */
export async function exampleReport(name: string, trail?: string): Promise<string> {
  const place = mkdtempSync(join(tmpdir(), 'report-example-'))
  try {
    if (trail === undefined) writeFileSync(join(place, name), demoLines())
    else symlinkSync(trail, join(place, name))
    symlinkSync(join(root, 'rules'), join(place, 'rules'))
    const cli = join(root, 'bin', 'trailwarden.mjs')
    const args = [cli, 'replay', '--quiet', '--rules', 'rules', '--report', 'report.html', name]
    await promisify(execFile)(process.execPath, args, { cwd: place, maxBuffer: 1 << 26 })
    return readFileSync(join(place, 'report.html'), 'utf8')
  } finally {
    rmSync(place, { recursive: true })
  }
}

/** Width of the pictures, pixels. */
const width = 1000

/** What of the page is in a picture: from the top of an element, so many pixels. */
interface Picture {
  readonly suffix: string
  readonly theme: 'light' | 'dark'
  readonly from: string
  readonly height: number
}

const pictures: readonly Picture[] = [
  { suffix: 'summary', theme: 'light', from: 'body', height: 1130 },
  { suffix: 'summary', theme: 'dark', from: 'body', height: 1130 },
  { suffix: 'regions', theme: 'light', from: 'article[data-rule="secretsmanager-multi-region"]', height: 660 },
  { suffix: 'denied-rate', theme: 'dark', from: 'article[data-rule="secretsmanager-denied-rate"]', height: 690 },
  { suffix: 'thresholds', theme: 'light', from: '#thresholds', height: 620 },
]

/** Takes pictures of a page, those for whose subject it has an element. */
async function takePictures(browser: Browser, name: string, taken: readonly Picture[]): Promise<void> {
  for (const { suffix, theme, from, height } of taken) {
    const page = await browser.newPage({ colorScheme: theme, viewport: { width, height: 900 } })
    await page.goto(pathToFileURL(join(folder, `${name}.html`)).href)
    const subject = page.locator(from)
    if ((await subject.count()) > 0) {
      const y = Math.max(0, ((await subject.first().boundingBox())?.y ?? 0) - 12)
      const path = join(folder, `${name}-${suffix}-${theme}.png`)
      await page.screenshot({ path, fullPage: true, clip: { x: 0, y, width, height } })
    }
    await page.close()
  }
}

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const examples = [['demo', await exampleReport('demo.jsonl')]]
  if (existsSync(exampleTrail)) examples.push(['invictus', await exampleReport('invictus', exampleTrail)])
  for (const [name, page] of examples) writeFileSync(join(folder, `${name}.html`), page!)
  const browser = await chromiumForTests()
  if ('missing' in browser) {
    console.error(`no pictures: ${browser.missing}`)
    process.exitCode = 1
    return
  }
  for (const [name] of examples) await takePictures(browser, name!, name === 'demo' ? pictures : pictures.slice(0, 2))
  await browser.close()
}

if (process.argv[1] === import.meta.filename) await main()
