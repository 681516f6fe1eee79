// Starts a real, headless Chromium of this machine through playwright-core.
import { chromium, type Browser } from 'playwright-core'
import { chromiumBinary } from './cache.ts'
import { bareEnv } from './machine.ts'
import { guard, release, startReaper } from './reaper.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export type RunningChromium = { readonly browser: Browser; readonly pid: number; stop(): Promise<void> }

// No sandbox: inside containers and as root its user namespaces are not to be had. The rest keeps the browser quiet:
// nothing fetched in the background, no GPU looked for, no QUIC tried first.
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function startChromium(): Promise<RunningChromium> {
  startReaper()
  const folder = makeTemporaryFolder('chromium')
  // A server rather than a plain launch, because it tells the pid that the reaper has to know.
  const server = await chromium.launchServer({
    executablePath: chromiumBinary(),
    args: flags,
    env: { ...bareEnv(), TMPDIR: folder.path, XDG_CONFIG_HOME: folder.path, XDG_CACHE_HOME: folder.path },
    // Ours to handle: a handler of playwright's would end this process at Ctrl-C before other servers are stopped.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    host: '127.0.0.1',
    timeout: 60_000,
  })
  const pid = server.process().pid ?? -1
  if (pid > 0) guard({ kind: 'group', pid })
  const browser = await chromium.connect(server.wsEndpoint())
  return {
    browser,
    pid,
    async stop() {
      await browser.close()
      await server.close()
      release({ kind: 'group', pid })
      folder.remove()
    },
  }
}
