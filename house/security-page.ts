// docs/SECURITY.md, printed from the table of threats.
import { invariants, threats, type Threat } from './threats.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** `A5 gateway/…/authenticate.test.ts` -> the rule, and the file as a link. */
function testCell({ tests, notShown }: Pick<Threat, 'tests' | 'notShown'>): string {
  const links = tests.map((test) => {
    const [rule = '', file = ''] = test.split(' ')
    return rule === 'fault' ? `[${file}](RELIABILITY.md)` : `[${rule}](../${file})`
  })
  return [...new Set(links), ...(notShown === undefined ? [] : [`*not shown: ${cell(notShown)}*`])].join(', ')
}

const threatRows = threats.map(
  (threat) => `| ${threat.id} | ${threat.by} | ${cell(threat.attack)} | ${cell(threat.guard)} | ${testCell(threat)} |`,
)
const invariantRows = invariants.map((one) => `| ${one.id} | ${cell(one.guard)} | ${testCell(one)} |`)

export const securityPage = (): string => `# Security

## To report something

Write to the maintainers in private (the address of the last commits, or a private advisory where the repository is hosted) and not into
a public issue. Say what you did, what you saw, and the version. You get an answer within three working days; a fix is released before
the report is made public, and you are named if you like.

Supported is the newest release.

## What somebody may try, what stands against it, and the test that holds it

Printed from \`house/threats.ts\`; \`house/security.test.ts\` looks up every test that is named here. By whom: **W** a page or a browser's
user, **N** a peer without a token, **H** a homeserver or a federated user, **G** a gateway that was taken over, **S** a supplier of
code, **I** somebody who reads logs and metrics.

| | by | attack | what stands against it | held by |
| --- | --- | --- | --- | --- |
${threatRows.join('\n')}

What has to hold always:

| | invariant | held by |
| --- | --- | --- |
${invariantRows.join('\n')}

## Settings that matter

- \`JWT_AUDIENCE\` and \`JWT_ISSUER\`: without them any token of the same key opens the city. Short-lived tokens for this purpose alone are best.
- \`ALLOWED_ORIGINS\`, \`TRUSTED_PROXIES\` with \`CONNECTIONS_PER_ADDRESS_MAX\`, \`CONNECTIONS_PER_SUBJECT_MAX\`, \`TOKEN_AGE_MAX_S\`, \`REVOKED_FILE\`, \`PRIVACY_FLOOR\`.
- Two NATS accounts ([NATS.md](NATS.md)): in one, a gateway that was taken over can write counts; each gateway then warns.
- \`NATS_CA_FILE\`, \`MATRIX_CA_FILE\` and the like; the admin port belongs inside the cluster.
- A token in a query stands in the logs of proxies that we do not write: the hook sends it as a subprotocol.

## Out of scope, and why

- **Who holds the aggregator holds the truth.** It reads Matrix and is the only voice; the fence keeps a deposed one silent, not a lying one.
- **The homeserver's word.** What it says of presence is believed, within bounds; a homeserver that lies consistently is the city's own.
- **Rooms that only some may see.** Every token sees every room of the map.
- **Floods that fill the line.** Packets below TCP, and more traffic than the machine takes, are for what stands in front.
- **Who can read the memory of a process, or its files,** has its secrets.
- **Denial by a good token:** a person may take the places that CONNECTIONS_PER_SUBJECT_MAX leaves.
`
