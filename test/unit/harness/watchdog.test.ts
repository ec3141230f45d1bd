// The watchdog reaps what a killed process left behind, and reaps nothing after an orderly end.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const harness = join(import.meta.dirname, '..', '..', 'harness')

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function within(ms: number, condition: () => boolean): Promise<boolean> {
  const end = performance.now() + ms
  while (!condition() && performance.now() < end) await sleep(20)
  return condition()
}

/** A process that hands a long-running child and a folder to a watchdog, prints the child's pid, and then waits. */
async function owner(folder: string, ending: string): Promise<{ owner: ChildProcess; pid: number }> {
  const program = `
    import { spawn } from 'node:child_process'
    import { startWatchdog } from '${harness}/watchdog.ts'
    const dog = startWatchdog()
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: true })
    child.unref()
    dog.pid(child.pid)
    dog.folder(${JSON.stringify(folder)})
    console.log(child.pid)
    ${ending}`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(owner.stdout, 'data')) as [Buffer]
  return { owner, pid: Number(line.toString()) }
}

describe('watchdog', { concurrency: true }, () => {
  for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
    test(`after ${signal} of its owner, processes and folders are gone`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'watchdog-test-'))
      const { owner: process, pid } = await owner(folder, 'setInterval(() => {}, 1000)')
      assert.ok(isAlive(pid))
      await sleep(100) // the orders are on their way through the pipe
      process.kill(signal)
      assert.ok(await within(5_000, () => !isAlive(pid)), 'the child is reaped')
      assert.ok(await within(5_000, () => !existsSync(folder)), 'the folder is removed')
    })
  }

  test('an owner that forgets to stop ends all the same, and its processes with it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'watchdog-test-'))
    const { owner: process, pid } = await owner(folder, '')
    if (process.exitCode === null) await once(process, 'exit')
    assert.equal(process.exitCode, 0)
    assert.ok(await within(5_000, () => !isAlive(pid) && !existsSync(folder)))
  })

  test('after an orderly end nothing is reaped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'watchdog-test-'))
    const { owner: process, pid } = await owner(folder, 'dog.done()')
    try {
      if (process.exitCode === null) await once(process, 'exit')
      await sleep(600)
      assert.ok(isAlive(pid))
      assert.ok(existsSync(folder))
    } finally {
      globalThis.process.kill(pid, 'SIGKILL')
      rmSync(folder, { recursive: true })
    }
  })
})
