// Stands in for a service: an admin port that is alive at once and ready a moment later, one log line, an exit code.
import { createServer } from 'node:http'

const isReady = process.env['LITTLE_NEVER_READY'] !== 'on'
process.stdout.write(
  `${JSON.stringify({ level: 30, msg: 'started', secret: process.env['LITTLE_WORD'] })}\nplain words\n`,
)
if (process.env['LITTLE_EXIT'] !== undefined) {
  process.stderr.write('a setting is wrong\n')
  process.exit(Number(process.env['LITTLE_EXIT']))
}
createServer((request, response) => {
  const ok = request.url === '/readyz' ? isReady : true
  response.writeHead(ok ? 200 : 503).end('little_metric 1\n')
}).listen(Number(process.env['ADMIN_PORT']), '127.0.0.1')
if (process.env['LITTLE_DEAF'] === 'on') process.on('SIGTERM', () => undefined)
else process.on('SIGTERM', () => process.exit(3))
