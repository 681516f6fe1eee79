// `helm test`: opens the socket of a city as a browser would, and waits for its snapshot. A token for this one look is signed here
// with the secret of the city, which never leaves the pod.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const { SOCKET_URL = '', JWT_SECRET_FILE = '', JWT_ISSUER, JWT_AUDIENCE, TIMEOUT_S = '60' } = process.env
const endMs = Date.now() + Number(TIMEOUT_S) * 1000

function token() {
  const nowS = Math.floor(Date.now() / 1000)
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: 'helm-test', iat: nowS, exp: nowS + 300, iss: JWT_ISSUER, aud: JWT_AUDIENCE }
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  const secret = readFileSync(JWT_SECRET_FILE, 'utf8').replace(/\r?\n$/, '')
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** The rooms of the snapshot, or why there is none. */
function look() {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${SOCKET_URL}?token=${token()}`)
    const timer = setTimeout(() => end('no snapshot within 10 s'), 10_000)
    const end = (answer) => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data)
      if (message.type === 'snapshot') end(message)
    }
    socket.onclose = ({ code, reason }) => end(`closed with ${code} ${reason}`)
    socket.onerror = () => end('no connection: refused, or nobody there')
  })
}

for (;;) {
  const seen = await look()
  if (typeof seen === 'object') {
    console.log(`${SOCKET_URL}: a snapshot of ${seen.rooms.length} rooms`)
    process.exit(0)
  }
  console.log(`${SOCKET_URL}: ${seen}`)
  if (Date.now() > endMs) process.exit(1)
  await delay(1_000)
}
