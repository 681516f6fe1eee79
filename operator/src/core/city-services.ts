// What a CityPresence says about what the operator makes: who counts, who fans out, and what of them can be seen.
import {
  annotationsMap,
  hostName,
  httpsOnly,
  labelsMap,
  objectNameField,
  podFields,
  secretRef,
  webAddress,
} from './city-fields.ts'
import { choice, defaulted, listOf, objectOf, optional, required, saying, setOf, text, whole } from './schema.ts'

export const publishing = objectOf('What is published, and how often.', {
  roomMinPeriodMilliseconds: defaulted(
    whole(
      'At most one message a room in this time; the first change goes at once, the last one always gets out.',
      0,
      60_000,
    ),
    3000,
  ),
  offlineGraceSeconds: defaulted(
    whole('How long somebody who goes offline still counts; 20 stops flapping.', 0, 600),
    0,
  ),
  staleAfterSeconds: defaulted(
    // Above one long poll of 30 s with its delivery: below it every quiet city would be stale.
    whole('Without a good answer of the homeserver for so long all counts freeze and are marked stale.', 35, 3600),
    90,
  ),
  activity: defaulted(
    choice('Whether messages make a room active. Their text is never asked for.', 'Enabled', 'Disabled'),
    'Enabled',
  ),
  activeWindowSeconds: defaulted(whole('How long a room is active after a message or a join.', 0, 86_400), 300),
  userEvents: defaulted(
    choice(
      'Whether each user is published too, in a stream of their own that no gateway may read.',
      'Disabled',
      'Enabled',
    ),
    'Disabled',
  ),
})

const leaderElection = objectOf(
  'How fast a leader that died is followed. Shorter is faster, and has more false alarms.',
  {
    leaseDurationSeconds: defaulted(whole('A leader that wrote nothing for so long is replaced.', 2, 300), 6),
    renewDeadlineSeconds: defaulted(whole('For so long after its last renewal the Lease counts as held.', 1, 299), 4),
    retryPeriodSeconds: defaulted(whole('Between two renewals.', 1, 240), 1),
  },
  [
    {
      rule: 'self.leaseDurationSeconds > self.renewDeadlineSeconds && self.renewDeadlineSeconds * 10 > self.retryPeriodSeconds * 12',
      message:
        'leaseDurationSeconds has to be more than renewDeadlineSeconds, and that more than 1.2 times retryPeriodSeconds',
    },
  ],
)

export const aggregator = objectOf('Who counts: follows Matrix and is the one voice on NATS.', {
  replicas: defaulted(whole('One of them leads, the others stand by. With one, nobody stands by.', 1, 5), 2),
  standby: defaulted(
    choice(
      'Whether who stands by follows Matrix too, and leads at once when elected, or begins with that then.',
      'Follows',
      'Waits',
    ),
    'Follows',
  ),
  leaderElection: defaulted(leaderElection, {}),
  ...podFields,
})

const algorithms = ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512'] as const

const auth = objectOf(
  'Whose tokens open the door: signed with a secret, or with keys that an identity provider publishes.',
  {
    jwtSecretRef: optional(secretRef('The key of HS256 tokens, 32 bytes or more.', 'jwt_secret')),
    jwks: optional(
      objectOf('The public keys of an identity provider.', {
        url: required(webAddress('Where the keys are.', [httpsOnly])),
        caSecretRef: optional(
          secretRef('The authorities for that address, as PEM; left out, those of the system.', 'ca.crt'),
        ),
      }),
    ),
    issuer: optional(text('The iss that tokens must carry.', { minLength: 1, maxLength: 512 })),
    audiences: optional(
      setOf(
        'The aud that tokens must carry; of several, one.',
        text('One aud.', { minLength: 1, maxLength: 512 }, [
          { rule: `!self.contains(',')`, ...saying('must be one aud, without a comma: give several as several') },
        ]),
        { minItems: 1, maxItems: 16 },
      ),
    ),
    maxTokenAgeSeconds: optional(
      whole(
        'For how long after its iat a token opens the door, whatever its exp says; it then must carry an iat. Left out: as long as it says.',
        1,
        315_360_000,
      ),
    ),
    revokedSecretRef: optional(
      secretRef(
        'Tokens that no longer count, one a line: sub:<subject> or jti:<id>. Read again when it changes.',
        'revoked',
      ),
    ),
    algorithms: optional(
      setOf(
        'What tokens may be signed with; left out, HS256 with jwtSecretRef and RS256 with jwks.',
        choice('One algorithm.', ...algorithms),
        { minItems: 1, maxItems: algorithms.length },
      ),
    ),
  },
  [
    {
      rule: 'has(self.jwtSecretRef) != has(self.jwks)',
      message: 'give exactly one of jwtSecretRef and jwks',
      reason: 'FieldValueRequired',
    },
    {
      rule: '!has(self.jwks) || (has(self.issuer) && has(self.audiences))',
      message:
        'with jwks give issuer and audiences too: the provider signs tokens for other services with the same keys',
      reason: 'FieldValueRequired',
    },
    {
      rule: `!has(self.algorithms) || self.algorithms.all(a, a.startsWith('HS') == has(self.jwtSecretRef))`,
      message:
        'HS256, HS384 and HS512 go with jwtSecretRef, all others with jwks: a public key taken for a secret would let anybody sign',
      fieldPath: '.algorithms',
    },
  ],
)

const autoscaling = objectOf(
  'Lets a HorizontalPodAutoscaler say how many gateways there are, instead of replicas.',
  {
    minReplicas: defaulted(whole('At least so many.', 1, 500), 2),
    maxReplicas: required(whole('At most so many.', 1, 500)),
    targetConnectionsPerReplica: defaulted(
      whole(
        'Connections a gateway that are aimed at. Counts where the cluster serves custom metrics; elsewhere the processor alone does.',
        1,
        1_000_000,
      ),
      5000,
    ),
    targetCPUUtilizationPercent: defaulted(
      whole('Processor time that is aimed at, in percent of what was asked for.', 1, 100),
      70,
    ),
    scaleDownStabilizationWindowSeconds: defaulted(
      whole('How long fewer must be enough before one is taken away.', 0, 3600),
      600,
    ),
  },
  [
    {
      rule: 'self.minReplicas <= self.maxReplicas',
      message: 'minReplicas must not be more than maxReplicas',
      messageExpression: `'minReplicas (%d) must not be more than maxReplicas (%d)'.format([self.minReplicas, self.maxReplicas])`,
      fieldPath: '.minReplicas',
    },
  ],
)

const parentRef = objectOf('A Gateway that the route is attached to.', {
  name: required(objectNameField('Name of the Gateway.')),
  namespace: optional(objectNameField('Namespace of the Gateway; left out, that of this object.')),
  sectionName: optional(objectNameField('The listener of the Gateway; left out, all of them.')),
})

const exposure = objectOf(
  'How browsers find the way in. Left out, the operator makes a Service only.',
  {
    ingress: optional(
      objectOf('By an Ingress.', {
        className: optional(objectNameField('The class of the Ingress; left out, that of the cluster.')),
        host: required(hostName('The name that browsers ask for.')),
        tlsSecretName: optional(
          objectNameField('The Secret with the certificate for the host, of the type kubernetes.io/tls.'),
        ),
        annotations: optional(annotationsMap('Annotations of the Ingress, which are settings for its controller.')),
      }),
    ),
    httpRoute: optional(
      objectOf('By an HTTPRoute of the Gateway API.', {
        parentRefs: required(
          listOf('The Gateways that the route is attached to.', parentRef, { minItems: 1, maxItems: 8 }),
        ),
        hostnames: required(
          setOf('The names that browsers ask for.', hostName('One name.'), { minItems: 1, maxItems: 16 }),
        ),
      }),
    ),
  },
  [
    {
      rule: 'has(self.ingress) != has(self.httpRoute)',
      message: 'give exactly one of ingress and httpRoute',
      reason: 'FieldValueRequired',
    },
  ],
)

const origin = text('An origin, as https://city.example, or *, for any.', { minLength: 1, maxLength: 255 }, [
  {
    rule: String.raw`self == '*' || (self.matches(r'^https?://([a-z0-9]([-a-z0-9.]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$') && !self.matches('^(https:.*:443|http:.*:80)$'))`,
    ...saying(
      'must be an origin as a browser writes it: https://city.example, in small letters, without path, pattern or the usual port; or * alone',
    ),
  },
])

export const gateway = objectOf('Who fans out to browsers.', {
  replicas: defaulted(whole('How many there are. Without meaning while autoscaling is set.', 0, 500), 2),
  autoscaling: optional(autoscaling),
  auth: required(auth),
  allowedOrigins: defaulted(
    setOf("Origins of pages that may connect. None: only pages of the gateway's own host.", origin, {
      maxItems: 64,
      rules: [{ rule: `!('*' in self) || self.size() == 1`, message: '* stands alone, or not at all' }],
    }),
    [],
  ),
  trustedProxies: defaulted(
    setOf(
      'Address ranges of your own proxies: only they are believed about the address that a connection comes from.',
      text('A range, as 10.0.0.0/8.', { minLength: 1, maxLength: 64 }, [
        { rule: 'isCIDR(self)', ...saying('must be a range of addresses, as 10.0.0.0/8 or 2001:db8::/32') },
      ]),
      { maxItems: 64 },
    ),
    [],
  ),
  limits: defaulted(
    objectOf('What one gateway takes upon itself.', {
      connectionsPerReplica: defaulted(
        whole('Connections at once; more are refused. An idle one costs about 10 KiB.', 1, 1_000_000),
        10_000,
      ),
      connectionsPerAddress: defaulted(
        whole(
          'Connections at once of one address (of IPv6 a /64); 0: no limit. Without trustedProxies there is none.',
          0,
          1_000_000,
        ),
        100,
      ),
      connectionsPerUser: defaulted(
        whole(
          'Connections at once of one subject (sub) of tokens; 0: no limit. 10 where each person has a token of their own.',
          0,
          1_000_000,
        ),
        0,
      ),
    }),
    {},
  ),
  drain: defaulted(
    objectOf('How a gateway leaves. The grace period of its pods is computed from it.', {
      preStopSleepSeconds: defaulted(whole('How long it goes on while the way to it is taken down.', 0, 60), 10),
      closePeriodSeconds: defaulted(
        whole('Over how long connections are closed, so that browsers do not all come back in one moment.', 0, 600),
        60,
      ),
    }),
    {},
  ),
  page: defaulted(choice('Whether the page is served, at /city.', 'Disabled', 'Enabled'), 'Disabled'),
  exposure: optional(exposure),
  ...podFields,
})

const enabled = (description: string) => defaulted(choice(description, 'Disabled', 'Enabled'), 'Disabled')

export const observability = objectOf('What can be seen of the city from outside.', {
  metrics: defaulted(
    objectOf('How Prometheus finds the metrics.', {
      monitor: defaulted(
        choice('Whether a PodMonitor is made; its CRD has to be there.', 'None', 'PodMonitor'),
        'None',
      ),
      labels: optional(labelsMap('Labels of PodMonitor and PrometheusRule, by which a Prometheus selects them.')),
    }),
    {},
  ),
  rules: enabled('Whether a PrometheusRule with alerts is made; its CRD has to be there.'),
  dashboards: enabled('Whether a ConfigMap with a dashboard is made, with the label grafana_dashboard.'),
  tracing: optional(
    objectOf('Where traces go. Left out, nothing of OpenTelemetry is loaded.', {
      otlpEndpoint: required(webAddress('An OTLP collector (http/protobuf).')),
      samplingPercent: defaulted(whole('Share of the traces that is sampled.', 0, 100), 1),
    }),
  ),
  logLevel: defaulted(
    choice('The least level of log lines that is written.', 'Error', 'Warn', 'Info', 'Debug', 'Trace'),
    'Info',
  ),
})
