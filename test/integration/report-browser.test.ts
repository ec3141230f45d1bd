// The report of `replay --report` in a real browser, opened from disk: no errors, no requests, the right marks, filters by
// mouse and by keyboard, both themes, hostile values as text, and the accessibility rules of axe-core.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { demoLines } from '../../src/commands/demo-scenario.ts'
import { chromiumForTests } from '../harness/chromium.ts'
import { jsonLines, trailwarden } from '../harness/command-line.ts'
import { backtestOf, missionEvents, missionRules } from '../unit/report/backtests.ts'

const browser = await chromiumForTests()
if ('missing' in browser) test('the report in a browser', { skip: browser.missing })
else describe('the report in a browser', () => inBrowser(browser))

function inBrowser(chromium: Browser): void {
  const folder = mkdtempSync(join(tmpdir(), 'report-browser-'))
  after(async () => {
    await chromium.close()
    rmSync(folder, { recursive: true })
  })
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

  /** What the page tried and complained about; `check` at the end of every test. */
  async function open(
    path: string,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; check: () => Promise<void> }> {
    const context = await chromium.newContext({
      viewport: { width: 1200, height: 900 },
      reducedMotion: 'reduce',
      ...options,
    })
    const page = await context.newPage()
    const found: string[] = []
    page.on('console', message => found.push(`console ${message.type()}: ${message.text()}`))
    page.on('pageerror', error => found.push(`error: ${error.message}`))
    page.on('dialog', dialog => {
      found.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    const own = pathToFileURL(path).href
    page.on('request', request => {
      if (request.url().split('#')[0] !== own) found.push(`request: ${request.url()}`)
    })
    await page.goto(own)
    const check = async () => {
      assert.deepEqual(found, [])
      await context.close()
    }
    return { page, check }
  }

  async function reportOf(
    lines: string,
    ...argv: string[]
  ): Promise<{ path: string; alerts: Record<string, unknown>[] }> {
    const input = join(folder, `${Math.random()}.jsonl`)
    const path = `${input}.html`
    writeFileSync(input, lines)
    const { code, stdout, stderr } = await trailwarden(['replay', '--json', '--report', path, ...argv, input])
    assert.equal(code, 0, stderr)
    return { path, alerts: jsonLines(stdout) }
  }

  const demo = reportOf(demoLines())
  const mission = (() => {
    const made = backtestOf(missionRules, missionEvents())
    const path = join(folder, 'mission.html')
    writeFileSync(path, made.page)
    return { ...made, path }
  })()
  const visible = (page: Page, selector: string) => page.locator(`${selector}:visible`).count()

  test('opens from disk without an error, a complaint or a request, and shows every alert', async () => {
    const { path, alerts } = await demo
    const { page, check } = await open(path)
    const episodes = new Set(alerts.map(alert => alert['dedupKey'])).size
    assert.equal(await page.title(), 'trailwarden backtest')
    assert.equal(await visible(page, '#timeline-chart .mark'), episodes)
    assert.equal(await visible(page, '.alert-list tbody tr'), episodes)
    assert.equal(await visible(page, 'article.card'), episodes)
    assert.match(await page.locator('#filter-count').innerText(), new RegExp(`^${episodes} of ${episodes} alerts$`))
    const region = alerts.findLast(alert => alert['ruleId'] === 'secretsmanager-multi-region')!
    const card = page.locator('article.card', { hasText: 'Secrets retrieved by batch in many regions' })
    const rows = (await card.locator('svg[role=img] text.label').allTextContents()).map(text => text.trim())
    for (const name of region['regions'] as string[]) assert.ok(rows.includes(name), name)
    const rate = page.locator('article.card', { hasText: 'Anomalous rate of denied secret retrievals' })
    for (const mark of ['path.band', 'path.threshold', 'path.line'])
      assert.ok((await rate.locator(`.scroll svg ${mark}`).count()) >= 1, mark)
    await check()
  })

  test('the charts have a mark for everything they are about', async () => {
    const { page, check } = await open(mission.path)
    const charts = [...mission.series.charts.values()]
    const regions = charts.find(chart => chart.kind === 'count' && chart.rows.length > 0)
    assert.ok(regions?.kind === 'count')
    assert.equal(await page.locator('.scroll circle.seen').count(), regions.marks.length)
    assert.equal(await page.locator('.scroll path.band').count(), charts.filter(({ kind }) => kind === 'rate').length)
    const points = mission.result.sweeps.flatMap(sweep => sweep.points)
    assert.equal(await page.locator('#thresholds .scroll .column').count(), points.length)
    assert.equal(await page.locator('#thresholds .scroll .column.current').count(), mission.result.sweeps.length)
    const busy = mission.series.activity.filter(({ events }) => events > 0)
    assert.equal(await page.locator('#timeline-chart .scroll rect.events').count(), busy.length)
    await check()
  })

  test('the observed denials rise above the line that alerts, and the steps end where the numbers do', async () => {
    const { page, check } = await open(mission.path)
    const chart = page.locator('article.card', { hasText: 'bob' }).locator('.scroll svg[role=img]')
    const [line, threshold] = await Promise.all(
      ['path.line', 'path.threshold'].map(async selector => (await chart.locator(selector).boundingBox())!),
    )
    assert.ok(line!.y < threshold!.y, 'its top is above')
    assert.ok(line!.y + line!.height > threshold!.y, 'its bottom below')
    await check()
  })

  test('filters by mouse: rule, severity, principal, and back', async () => {
    const { path } = await demo
    const { page, check } = await open(path)
    const all = await visible(page, 'article.card')
    await page.getByRole('combobox', { name: 'Rule' }).selectOption('secretsmanager-denied-rate')
    for (const selector of ['article.card', '.alert-list tbody tr', '#timeline-chart .mark'])
      assert.equal(await visible(page, selector), 1, selector)
    assert.equal(await page.locator('#filter-count').innerText(), `1 of ${all} alerts`)
    await page.getByRole('button', { name: 'Reset' }).click()
    assert.equal(await visible(page, 'article.card'), all)
    await page.getByRole('combobox', { name: 'Severity' }).selectOption({ label: 'high and above' })
    assert.equal(await visible(page, 'article.card'), 1)
    await page.getByRole('button', { name: 'Reset' }).click()
    await page.getByRole('searchbox', { name: 'Principal' }).fill('  CI-Dep ')
    assert.equal(await visible(page, 'article.card'), all - 1)
    assert.equal(await visible(page, '#timeline-chart .mark'), all - 1)
    await page.getByRole('searchbox', { name: 'Principal' }).fill('nobody at all')
    assert.equal(await visible(page, 'article.card'), 0)
    assert.equal(await page.locator('#filter-count').innerText(), `0 of ${all} alerts`)
    await check()
  })

  test('a sign of the timeline leads to its card', async () => {
    const { page, check } = await open(mission.path)
    const mark = page.locator('#timeline-chart .mark').last()
    await mark.locator('.sign').click()
    assert.equal(await page.evaluate('document.activeElement.dataset.key'), await mark.getAttribute('data-key'))
    await check()
  })

  test('suppressed alerts can be hidden, or be the only ones', async () => {
    const suppressions = join(folder, 'suppressions.yaml')
    writeFileSync(
      suppressions,
      'suppressions:\n  - id: contractor\n    rules: "*"\n    match: { principal.name: contractor }\n    reason: a test\n    owner: us\n    expires: 2999-01-01\n',
    )
    const { path } = await reportOf(demoLines(), '--suppressions', suppressions)
    const { page, check } = await open(path)
    const all = await visible(page, 'article.card')
    const hidden = await visible(page, 'article.card.is-suppressed')
    assert.ok(hidden > 0 && hidden < all)
    assert.equal(await visible(page, '#timeline-chart .mark .sign.hollow'), hidden)
    await page.getByRole('combobox', { name: 'Suppressed' }).selectOption({ label: 'hidden' })
    assert.equal(await visible(page, 'article.card'), all - hidden)
    await page.getByRole('combobox', { name: 'Suppressed' }).selectOption({ label: 'only these' })
    assert.equal(await visible(page, 'article.card'), hidden)
    assert.ok((await page.locator('#suppressed').innerText()).includes('a test'))
    await check()
  })

  test('everything works from the keyboard, and what has the focus shows it', async () => {
    const { path } = await demo
    const { page, check } = await open(path)
    const all = await visible(page, 'article.card')
    const focused = () => page.evaluate('document.activeElement.id || document.activeElement.textContent.trim()')
    await page.keyboard.press('Tab')
    assert.equal(await focused(), 'Skip to the report')
    assert.ok((await page.locator('.skip').boundingBox())!.x > 0, 'it comes into view')
    await page.keyboard.press('Tab')
    assert.equal(await focused(), 'theme')
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
    assert.equal(outline, 'solid')
    const reach = async (id: string) => {
      for (let i = 0; i < 40; i++) {
        if ((await focused()) === id) return
        await page.keyboard.press('Tab')
      }
      assert.fail(`no way to ${id}`)
    }
    await reach('filter-severity')
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowDown')
    assert.equal(await visible(page, 'article.card'), 1)
    await reach('filter-reset')
    await page.keyboard.press('Enter')
    assert.equal(await visible(page, 'article.card'), all)
    assert.equal(await focused(), 'filter-rule')
    const summary = page.locator('article.card summary', { hasText: 'Facts' }).first()
    await summary.focus()
    await page.keyboard.press('Enter')
    assert.ok(await page.locator('article.card dl.facts').first().isVisible())
    await page.locator('.alert-list a').last().focus()
    await page.keyboard.press('Enter')
    // The address follows the key press in the browser's own time: on a busy machine a moment later.
    await page.waitForURL(/#alert-\d+$/, { timeout: 10_000 })
    await check()
  })

  test('light and dark follow the system, and the button changes between them', async () => {
    const colours: Record<string, string[]> = {}
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, check } = await open(mission.path, { colorScheme })
      const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
      const other = colorScheme === 'light' ? 'Dark theme' : 'Light theme'
      const before = await background()
      await page.getByRole('button', { name: other }).click()
      const changed = await background()
      await page.getByRole('button', { name: other === 'Dark theme' ? 'Light theme' : 'Dark theme' }).click()
      assert.equal(await background(), before)
      colours[colorScheme] = [before, changed]
      await check()
    }
    assert.notEqual(colours['light']![0], colours['dark']![0])
    assert.deepEqual(colours['light'], colours['dark']!.toReversed())
  })

  test('axe-core finds nothing to object to, in either theme, with everything opened', async () => {
    const { path } = await demo
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, check } = await open(path, { colorScheme })
      // of the tables of numbers, which are all made alike, one
      await page.evaluate(
        "document.querySelectorAll('#timeline-chart details, details:not(.numbers)').forEach(details => { details.open = true })",
      )
      await page.evaluate(axe)
      // the themes differ in colours alone
      const rules = colorScheme === 'light' ? '' : ', runOnly: ["color-contrast"]'
      const violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] = await page.evaluate(
        `axe.run(document, { resultTypes: ["violations"]${rules} }).then(result => result.violations)`,
      )
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html} ${nodes[0]!.failureSummary}`),
        [],
        colorScheme,
      )
      await check()
    }
  })

  test('charts have a name, a description and their numbers as a table', async () => {
    const { page, check } = await open(mission.path)
    const figures = page.locator('figure.chart')
    for (let i = 0; i < (await figures.count()); i++) {
      const figure = figures.nth(i)
      const image = figure.getByRole('img')
      const name = await figure.locator('figcaption').innerText()
      assert.ok(name.length > 10)
      assert.ok((await image.locator('desc').textContent())!.trim().length > 20, name)
      await figure.locator('details.numbers > summary').click()
      assert.ok((await figure.locator('table tbody tr').count()) > 0, name)
    }
    await check()
  })

  test('markup in a record is shown as text and does nothing', async () => {
    const agent = '<script>document.title = "owned"; alert(1)</script><img src=x onerror=alert(2)>'
    const hostile = demoLines()
      .split('\n')
      .filter(line => line !== '')
      .map(line =>
        JSON.stringify({
          ...(JSON.parse(line) as object),
          userAgent: agent,
          sourceIPAddress: '"><script>alert(3)</script>',
        }),
      )
    const { path } = await reportOf(hostile.join('\n'))
    const { page, check } = await open(path)
    await page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
    assert.equal(await page.title(), 'trailwarden backtest')
    assert.equal(await page.locator('script').count(), 1)
    assert.equal(await page.locator('img').count(), 0)
    assert.ok(await page.getByText(agent).first().isVisible())
    assert.equal(
      await page.evaluate('document.querySelectorAll("body [onerror], body [onload], body [style]").length'),
      0,
    )
    await check()
  })

  test('even if a script got into the page, the policy would stop it', async () => {
    const path = join(folder, 'injected.html')
    const injected = '<script>document.title = "owned"</script><b onclick="document.title = `owned`" id="trap">trap</b>'
    writeFileSync(path, mission.page.replace('</main>', `${injected}</main>`))
    const { page } = await open(path)
    await page.locator('#trap').click()
    assert.equal(await page.title(), 'trailwarden backtest')
    await page.context().close()
  })

  test('without JavaScript everything is there, only the filters are not', async () => {
    const { page, check } = await open(mission.path, { javaScriptEnabled: false })
    assert.equal(await visible(page, 'article.card'), mission.result.episodes.length)
    assert.equal(await visible(page, '#filters'), 0)
    assert.equal(await visible(page, '#theme'), 0)
    await check()
  })

  test('a telephone shows it without scrolling sideways, but for charts and tables in their boxes', async () => {
    const { path } = await demo
    const { page, check } = await open(path, { viewport: { width: 390, height: 800 } })
    await page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 390)
    await check()
  })
}
