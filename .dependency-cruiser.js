// The arrows between folders, held by tidy.test.ts and drawn into docs/ARCHITECTURE.md (`make graph`).
//
//   wire <- core <- loops (aggregate, serve) <- main -> edge -> libraries        chassis stands under every service
//
// Each rule says what may not point where, and why.
const tests = '\\.(test|contract)\\.tsx?$|/testing/'
const service = '^(aggregator|gateway|operator)/'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Two files that need each other are one file, or lack a third.',
      severity: 'error',
      from: { pathNot: tests },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'wire-needs-nothing',
      comment: 'The contracts are read by browsers too: no library, no other folder.',
      severity: 'error',
      from: { path: '^wire/', pathNot: tests },
      to: { pathNot: '^wire/' },
    },
    {
      name: 'core-needs-wire-and-core',
      comment: 'What decides sees values only: no library, no node module, no edge.',
      severity: 'error',
      from: { path: '/core/', pathNot: tests },
      to: { pathNot: '^wire/|/core/' },
    },
    {
      name: 'core-of-its-own-house',
      comment: 'A core uses its own core, or what all share in chassis.',
      severity: 'error',
      from: { path: '^([^/]+)/src/core/', pathNot: tests },
      to: { path: '/core/', pathNot: ['^$1/src/core/', '^chassis/src/core/'] },
    },
    {
      name: 'loops-do-not-touch-the-world',
      comment: 'A loop declares the interface it needs; main.ts hands it the edge.',
      severity: 'error',
      from: { path: '^(aggregator/src/aggregate|gateway/src/serve|operator/src/(reconcile|controller))\\.ts$' },
      to: { path: ['/edge/', '^node_modules'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'edge-does-not-know-the-loop',
      comment: 'The world is told apart from the decisions about it.',
      severity: 'error',
      from: { path: '/edge/', pathNot: tests },
      to: { path: '/(aggregate|serve|reconcile|controller|main)\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-service-knows-another',
      comment: 'Between two services there is only wire.',
      severity: 'error',
      from: { path: `${service}`, pathNot: tests },
      to: { path: `${service}|^web/`, pathNot: '^$1/' },
    },
    {
      name: 'chassis-knows-no-service',
      comment: 'It stands under all of them.',
      severity: 'error',
      from: { path: '^chassis/', pathNot: tests },
      to: { path: '^(aggregator|gateway|operator|web|stack|sim)/' },
    },
    {
      name: 'web-knows-wire-only',
      comment: 'The page runs in a browser.',
      severity: 'error',
      from: { path: '^web/src/', pathNot: tests },
      to: { path: '^(aggregator|gateway|operator|chassis|stack|sim)/' },
    },
    {
      name: 'nothing-needs-doubles-or-launchers',
      comment: 'checker, sim, stack, chaos and bench serve tests and the demo; no service may come to lean on them.',
      severity: 'error',
      from: { path: '^(wire|chassis|aggregator|gateway|operator|web)/', pathNot: tests },
      to: { path: '^(checker|sim|stack|chaos|bench)/' },
    },
    {
      name: 'checker-needs-wire',
      comment: 'It judges the services and what was done to them, so it shares no code with either.',
      severity: 'error',
      from: { path: '^checker/', pathNot: tests },
      to: { pathNot: '^(wire|checker)/' },
    },
    {
      name: 'doubles-do-not-know-faults',
      comment: 'chaos stands on sim, not the other way round.',
      severity: 'error',
      from: { path: '^sim/' },
      to: { path: '^chaos/' },
    },
    {
      name: 'libraries-by-owner',
      comment: 'A library that touches the world is used in an edge, so that it can be replaced there.',
      severity: 'error',
      from: { path: '^(wire|chassis|aggregator|gateway|operator|web)/', pathNot: [tests, '/edge/'] },
      to: {
        path: 'node_modules/(ws|undici|yaml|matrix-js-sdk|jsonwebtoken|@nats-io)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'matrix-only-in-the-aggregator',
      comment: 'Nobody else speaks Matrix (the benchmark has its client as a peer).',
      severity: 'error',
      from: { pathNot: ['^aggregator/src/edge/', '^bench/src/load/'] },
      to: { path: 'node_modules/matrix-js-sdk/' },
    },
    {
      name: 'kubernetes-client-only-in-the-operator',
      comment: '87 MB of memory: a gateway and an aggregator make do with a few plain calls.',
      severity: 'error',
      from: { pathNot: '^operator/src/edge/' },
      to: { path: 'node_modules/@kubernetes/client-node/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tokens-only-at-the-door',
      comment:
        'One file verifies tokens (the launchers make them for tests and the demo, and a peer of the benchmark has its own).',
      severity: 'error',
      from: { pathNot: ['^gateway/src/edge/', '^stack/', '^bench/src/peers/', tests] },
      to: { path: 'node_modules/jsonwebtoken/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.js'],
    },
  },
}
