// Run by a test as a process of its own: starts real servers, says which, and waits to be killed.
import { startNats } from '../nats-server.ts'
import { dirname } from 'node:path'

const nats = await startNats()
process.stdout.write(`${JSON.stringify({ pid: nats.pid, folder: dirname(nats.logFile) })}\n`)
setInterval(() => undefined, 60_000)
