// The status of a CityPresence: what is, as far as it is known. Conditions belong to two writers (core/conditions.ts), each
// of which applies only its own.
import { conditionTypes } from './conditions.ts'
import { choice, listByKey, objectOf, optional, required, text, whole } from './schema.ts'

const countMax = 2 ** 31 - 1
const generation = (description: string) => whole(description, 0, Number.MAX_SAFE_INTEGER)

const condition = objectOf('One thing that is so, is not so, or is not known.', {
  type: required(text(`What it is about: ${conditionTypes.join(', ')}.`, { minLength: 1, maxLength: 63 })),
  status: required(choice('Whether it is so.', 'True', 'False', 'Unknown')),
  observedGeneration: required(generation('The generation of the object that was judged.')),
  lastTransitionTime: required(text('When the status changed last.', { maxLength: 64, format: 'date-time' })),
  reason: required(text('Why, in one word.', { minLength: 1, maxLength: 128 })),
  message: required(text('Why, in a sentence with the values.', { maxLength: 4096 })),
})

export const cityStatus = objectOf('The city as it is.', {
  observedGeneration: optional(generation('The generation of the object that the operator saw last.')),
  operatorVersion: optional(text('The operator that wrote this.', { maxLength: 64 })),
  aggregator: optional(
    objectOf('Who counts.', {
      replicas: optional(whole('Pods that there are.', 0, countMax)),
      readyReplicas: optional(whole('Pods that are ready.', 0, countMax)),
      leader: optional(text('The pod that leads.', { maxLength: 253 })),
      leaseTransitions: optional(
        whole(
          'Grows whenever the Lease changes hands; no count, for it begins at the seconds since 2020.',
          0,
          countMax,
        ),
      ),
    }),
  ),
  gateway: optional(
    objectOf('Who fans out.', {
      replicas: optional(whole('Pods that there are.', 0, countMax)),
      readyReplicas: optional(whole('Pods that are ready.', 0, countMax)),
      updatedReplicas: optional(whole('Pods that run what the spec asks for.', 0, countMax)),
      selector: optional(
        text('Which pods they are: what kubectl scale and an autoscaler ask for.', { maxLength: 512 }),
      ),
      url: optional(text('Where browsers connect.', { maxLength: 2048 })),
    }),
  ),
  rooms: optional(
    objectOf('The rooms.', {
      source: optional(choice('Where they come from.', 'HTTP', 'Inline')),
      count: optional(whole('Rooms that there are.', 0, countMax)),
      unresolved: optional(
        whole('Rooms that nobody counts, because Matrix does not know them or the daemon is not in them.', 0, countMax),
      ),
      online: optional(whole('People online in all rooms, rounded, and written at most once a minute.', 0, countMax)),
    }),
  ),
  conditions: optional(listByKey('What is so, what is not so, and why.', 'type', condition, { maxItems: 16 })),
})
