// Finds a port nobody listens on. Ports come from below the range that the kernel gives to outgoing connections, so that
// none of those takes the port between this question and the server's start, or while a server is down for a restart.
import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'

const lowestPort = 10_000
const highestPort = 30_000 // Linux hands out 32768 and above by default

// Ports given out by this process are not given twice: two servers of one stack may start at the same moment.
const given = new Set<number>()
// 100 tries: with half of the range taken a hundred misses in a row would still be one in 10^30.
const triesMax = 100

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries++) {
    const port = randomInt(lowestPort, highestPort)
    if (!given.has(port) && (await isPortFree(port))) {
      given.add(port)
      return port
    }
  }
  throw new Error(`no free port found between ${lowestPort} and ${highestPort}`)
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
