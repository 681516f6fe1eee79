// `helm test`: waits until the operator says that it is ready.
import { setTimeout as delay } from 'node:timers/promises'

const { READY_URL = '', TIMEOUT_S = '60' } = process.env
const endMs = Date.now() + Number(TIMEOUT_S) * 1000

/** 'ready', or why it is not. */
async function ask() {
  try {
    const answer = await fetch(READY_URL, { signal: AbortSignal.timeout(5_000) })
    return answer.ok ? 'ready' : `${answer.status} ${(await answer.text()).slice(0, 500)}`
  } catch (error) {
    return String(error.cause?.code ?? error.message)
  }
}

let said = ''
while (said !== 'ready' && Date.now() < endMs) {
  said = await ask()
  console.log(`${READY_URL}: ${said}`)
  if (said !== 'ready') await delay(1_000)
}
process.exit(said === 'ready' ? 0 : 1)
