// Fields that the resource has in several places: addresses, references to Secrets, what may be said about pods.
import {
  asItIs,
  defaulted,
  listOf,
  mapOf,
  objectOf,
  optional,
  quantity,
  required,
  saying,
  text,
  whole,
  choice,
  type Rule,
} from './schema.ts'

/** A name of Kubernetes: a subdomain of DNS, as Secrets have it. */
const objectName = (description: string) =>
  text(description, { minLength: 1, maxLength: 253 }, [
    {
      rule: String.raw`self.matches(r'^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')`,
      ...saying(
        'must be the name of an object: small letters, digits, - and ., beginning and ending with a letter or digit',
      ),
    },
  ])

const secretKey = (description: string) =>
  text(description, { minLength: 1, maxLength: 253 }, [
    {
      rule: String.raw`self.matches(r'^[-._a-zA-Z0-9]+$') && self != '.' && self != '..'`,
      ...saying('must be a key of a Secret: letters, digits, -, _ and .'),
    },
  ])

const secretName = () =>
  required(
    objectName(
      'Name of a Secret in the namespace of this object. It has to contain "citypresence", unless the operator was told otherwise: so nobody can have a Secret sent somewhere who may not read it.',
    ),
  )

/** One key of a Secret. It is mounted as a file: the operator never reads it. */
export const secretRef = (description: string, key: string) =>
  objectOf(description, {
    name: secretName(),
    key: defaulted(secretKey('The key of the Secret that holds the value.'), key),
  })

/** User and password as Secrets of the type kubernetes.io/basic-auth hold them. */
export const userPasswordRef = (description: string) =>
  objectOf(description, {
    name: secretName(),
    userKey: defaulted(secretKey('The key of the Secret that holds the user name.'), 'username'),
    passwordKey: defaulted(secretKey('The key of the Secret that holds the password.'), 'password'),
  })

export const objectNameField = objectName

// Longer than any address that a person or a chart writes; the bound keeps the rules cheap.
const addressLengthMax = 2048

const withoutUser: Rule = {
  rule: String.raw`!self.matches(r'^[a-zA-Z]+://[^/?#]*@')`,
  message: 'must not hold a user or password: everybody who may read this object would see them',
  reason: 'FieldValueForbidden',
}

/** An address that begins with https:// or http://. */
export const webAddress = (description: string, rules: readonly Rule[] = []) =>
  text(description, { minLength: 1, maxLength: addressLengthMax }, [
    {
      rule: String.raw`isURL(self) && self.matches(r'^https?://[^/?#\s]')`,
      message: 'must be an address that begins with https:// or http://',
    },
    withoutUser,
    ...rules,
  ])

export const httpsOnly: Rule = {
  rule: `self.startsWith('https://')`,
  message: 'must begin with https://: over plain http anybody on the way could put in keys of their own',
}

export const hostName = (description: string) =>
  text(description, { minLength: 1, maxLength: 253 }, [
    {
      rule: String.raw`self.matches(r'^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')`,
      ...saying('must be a host name in small letters, as rt.example.org'),
    },
  ])

const labelValueLengthMax = 63
/** With its prefix. */
const keyLengthMax = 253

const notOurs: Rule = {
  rule: `self.all(k, !k.startsWith('app.kubernetes.io/') && !k.startsWith('presence.daarion.city/'))`,
  message: 'keys that begin with app.kubernetes.io/ or presence.daarion.city/ are set by the operator',
  reason: 'FieldValueForbidden',
}

// A pod has a handful; each is copied into every pod.
const mapEntriesMax = 32

export const labelsMap = (description: string, rules: readonly Rule[] = [notOurs]) =>
  mapOf(description, text('The value of the label.', { maxLength: labelValueLengthMax }), mapEntriesMax, [
    ...rules,
    {
      rule: String.raw`self.all(k, self[k].matches(r'^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'))`,
      message: 'the value of a label holds letters, digits, -, _ and ., and begins and ends with a letter or digit',
    },
  ])

export const annotationsMap = (description: string) =>
  mapOf(description, text('The value of the annotation.', { maxLength: 4096 }), mapEntriesMax, [notOurs])

const resources = objectOf('What a container asks of its node, and what it may use at most.', {
  requests: optional(quantities('What is reserved for a container: cpu, memory, ephemeral-storage.')),
  limits: optional(quantities('What a container may use at most: cpu, memory, ephemeral-storage.')),
})

function quantities(description: string) {
  return objectOf(description, {
    cpu: optional(quantity('Processor time: 1 is a core, 100m a tenth of one.')),
    memory: optional(quantity('Memory: 256Mi.')),
    'ephemeral-storage': optional(quantity('Room on the disk of the node: 100Mi.')),
  })
}

const toleration = objectOf('A taint of a node that the pods put up with.', {
  key: optional(text('The key of the taint; left out, with Exists, every taint.', { maxLength: keyLengthMax })),
  operator: defaulted(
    choice('Whether value is compared (Equal) or the key is enough (Exists).', 'Equal', 'Exists'),
    'Equal',
  ),
  value: optional(text('The value of the taint.', { maxLength: labelValueLengthMax })),
  effect: optional(
    choice('The effect that is tolerated; left out, all of them.', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'),
  ),
  tolerationSeconds: optional(whole('With NoExecute: for how long. Left out: for ever.', 0, 31_536_000)),
})

/**
 * What may be said about pods. No image, command, environment, account or volume: with these, who may write a CityPresence
 * could run anything as anybody (docs/spec/operator-api.md).
 */
export const podFields = {
  resources: optional(resources),
  nodeSelector: optional(labelsMap('Labels that a node must have for the pods to run there.', [])),
  tolerations: optional(listOf('Taints of nodes that the pods put up with.', toleration, { maxItems: 16 })),
  affinity: optional(
    asItIs(
      'Where the pods would rather run, as a pod says it (spec.affinity); Kubernetes judges it when the pods are made.',
    ),
  ),
  podAnnotations: optional(annotationsMap('Annotations that the pods get besides those of the operator.')),
  podLabels: optional(labelsMap('Labels that the pods get besides those of the operator.')),
} as const
