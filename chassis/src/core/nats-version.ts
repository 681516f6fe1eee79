// Which NATS servers can carry the fence: API level 2, which came with server 2.12 (atomic batches, expectation on another
// subject). An older one ignores the header and refuses every write, or worse. Pure.

export type ServerVersion = { readonly version: string; readonly api_lvl?: number }

export const apiLevelMin = 2
export const versionMin = { major: 2, minor: 12 }

/** The sentence for the log and the error, or undefined when the server will do. */
export function whyTooOld({ version, api_lvl: apiLevel = 0 }: ServerVersion): string | undefined {
  if (apiLevel >= apiLevelMin && !isOlder(version)) return undefined
  const needed = `${versionMin.major}.${versionMin.minor} with API level ${apiLevelMin}`
  return `the NATS server is version ${version.slice(0, 40)} with API level ${apiLevel}; needed is ${needed} or newer`
}

/** A version that cannot be read (a build of one's own) is judged by its API level alone. */
function isOlder(version: string): boolean {
  const match = /^v?(\d+)\.(\d+)/.exec(version)
  if (match === null) return false
  const [major, minor] = [Number(match[1]), Number(match[2])]
  return major < versionMin.major || (major === versionMin.major && minor < versionMin.minor)
}
