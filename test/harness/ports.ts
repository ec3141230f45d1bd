// Free TCP ports on the loopback interface, taken from below the ephemeral range.
// A broker that is down must get its port back: a port of the ephemeral range could meanwhile be handed to an outgoing
// connection, and a client that retries against a closed ephemeral port can even connect to itself.
import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'

// Linux hands out 32768-60999, macOS and Windows 49152-65535, for outgoing connections.
const FIRST = 20_000
const LAST = 32_000

/** `count` different ports that nothing listened on a moment ago. Throws after 200 candidates. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  for (let attempt = 0; attempt < 200 && found.size < count; attempt++) {
    const port = randomInt(FIRST, LAST)
    if (!found.has(port) && (await isFree(port))) found.add(port)
  }
  if (found.size < count) throw new Error(`no ${String(count)} free ports between ${String(FIRST)} and ${String(LAST)}`)
  return [...found]
}

/** True when 127.0.0.1:port can be listened on now. */
export async function isFree(port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true)
      })
    })
  })
}
