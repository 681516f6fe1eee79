// A small language for the fields of a custom resource. What is built with it is OpenAPI as Kubernetes wants it in a CRD, and at
// the same time a TypeScript type: of the object as somebody writes it (defaults left out) and as the API server gives it back.
//
//   text('…', { maxLength: 63 }) -> Field<string> -> { openapi: { type: 'string', … } } for the CRD and the reference page
//                                                -> Complete<…>, Written<…>            for the code
//
// Every text, list and map has to have a bound: without one the API server reckons a rule over it as endless and refuses the CRD.
import { withDefaults } from './read-object.ts'

/** One rule in CEL, and the sentence that somebody reads who broke it. */
export type Rule = {
  readonly rule: string
  readonly message: string
  /** The same sentence as an expression, with the value; the plain one stands in where it cannot be had. */
  readonly messageExpression?: string
  /** The field that is to blame, below the object that has the rule: '.name'. */
  readonly fieldPath?: string
  readonly reason?: 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueDuplicate'
}

/** What of OpenAPI is used here; https://kubernetes.io/docs/reference/using-api/ has the rest. */
export type OpenApi = {
  readonly type?: 'string' | 'integer' | 'boolean' | 'object' | 'array'
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: OpenApi
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, OpenApi>>
  readonly additionalProperties?: OpenApi
  readonly 'x-kubernetes-validations'?: readonly Rule[]
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-int-or-string'?: true
  readonly 'x-kubernetes-preserve-unknown-fields'?: true
}

type Presence = 'optional' | 'required' | 'defaulted'

export type Field<Out = unknown, In = unknown, P extends Presence = Presence> = {
  readonly openapi: OpenApi
  readonly presence: P
  /** Never there: it carries the types. */
  readonly types?: { readonly out: Out; readonly in: In }
}
type Optional<Out, In = Out> = Field<Out, In, 'optional'>
type Fields = Readonly<Record<string, Field>>

type KeysOf<F extends Fields, P extends Presence> = {
  [K in keyof F]: F[K]['presence'] extends P ? K : never
}[keyof F]
type OutOf<F> = F extends Field<infer Out> ? Out : never
type InOf<F> = F extends Field<unknown, infer In> ? In : never
type Flat<T> = { [K in keyof T]: T[K] }

type ObjectOut<F extends Fields> = Flat<
  { readonly [K in KeysOf<F, 'required' | 'defaulted'>]: OutOf<F[K]> } & {
    readonly [K in KeysOf<F, 'optional'>]?: OutOf<F[K]>
  }
>
type ObjectIn<F extends Fields> = Flat<
  { readonly [K in KeysOf<F, 'required'>]: InOf<F[K]> } & {
    readonly [K in KeysOf<F, 'optional' | 'defaulted'>]?: InOf<F[K]>
  }
>

/** The type of a field as the API server gives it back: what has a default is there. */
export type Complete<F extends Field> = OutOf<F>
/** The type of a field as somebody writes it. */
export type Written<F extends Field> = InOf<F>

const field = <Out, In = Out>(openapi: OpenApi): Optional<Out, In> => ({ openapi, presence: 'optional' })

/** May be left out, which then means what its description says. */
export const optional = <Out, In>(one: Optional<Out, In>): Optional<Out, In> => one

/** Has to be written. */
export const required = <Out, In>(one: Optional<Out, In>): Field<Out, In, 'required'> => ({
  openapi: one.openapi,
  presence: 'required',
})

/** The API server fills it in where it is left out. */
export const defaulted = <Out, In>(one: Optional<Out, In>, value: In): Field<Out, In, 'defaulted'> => ({
  // Whole, with the defaults of what is inside: the API server tries the rules on a default as it stands.
  openapi: { ...one.openapi, default: withDefaults(one.openapi, value) },
  presence: 'defaulted',
})

/** A sentence that ends with the value that was refused; not for values that may hold a secret. */
export const saying = (message: string): Pick<Rule, 'message' | 'messageExpression'> => ({
  message,
  messageExpression: `${JSON.stringify(`${message}, not `)} + self`,
})

type TextLimits = Pick<OpenApi, 'minLength' | 'pattern' | 'format'> & { readonly maxLength: number }

export const text = (description: string, limits: TextLimits, rules: readonly Rule[] = []): Optional<string> =>
  field({ type: 'string', description, ...limits, ...validations(rules) })

/** One word of several. Words instead of yes and no: a third way to be needs no new field. */
export const choice = <const T extends readonly string[]>(description: string, ...words: T): Optional<T[number]> =>
  field({ type: 'string', description, enum: words })

/** A whole number; JSON has no other that survives every client. */
export const whole = (description: string, minimum: number, maximum: number): Optional<number> =>
  field({ type: 'integer', format: maximum > 2 ** 31 - 1 ? 'int64' : 'int32', description, minimum, maximum })

type ListLimits = Pick<OpenApi, 'minItems'> & { readonly maxItems: number; readonly rules?: readonly Rule[] }

const arrayOf = (description: string, items: OpenApi, kind: Partial<OpenApi>, limits: ListLimits): OpenApi => {
  const { rules = [], ...bounds } = limits
  return { type: 'array', description, items, ...bounds, ...kind, ...validations(rules) }
}

/** A list that belongs to one writer as a whole. */
export const listOf = <Out, In>(description: string, item: Field<Out, In>, limits: ListLimits) =>
  field<readonly Out[], readonly In[]>(
    arrayOf(description, item.openapi, { 'x-kubernetes-list-type': 'atomic' }, limits),
  )

/** A list without a value twice. */
export const setOf = <Out, In>(description: string, item: Field<Out, In>, limits: ListLimits) =>
  field<readonly Out[], readonly In[]>(arrayOf(description, item.openapi, { 'x-kubernetes-list-type': 'set' }, limits))

/** A list of objects, none with the same `key` as another; several writers may each own some of them. */
export const listByKey = <Out, In>(
  description: string,
  key: keyof Out & string,
  item: Field<Out, In>,
  limits: ListLimits,
) =>
  field<readonly Out[], readonly In[]>(
    arrayOf(
      description,
      item.openapi,
      { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] },
      limits,
    ),
  )

export const mapOf = (description: string, value: Field<string>, maxProperties: number, rules: readonly Rule[] = []) =>
  field<Readonly<Record<string, string>>>({
    type: 'object',
    description,
    additionalProperties: value.openapi,
    maxProperties,
    ...validations(rules),
  })

export function objectOf<const F extends Fields>(
  description: string,
  fields: F,
  rules: readonly Rule[] = [],
): Optional<ObjectOut<F>, ObjectIn<F>> {
  const entries = Object.entries(fields)
  const names = entries.filter(([, { presence }]) => presence === 'required').map(([name]) => name)
  return field({
    type: 'object',
    description,
    properties: Object.fromEntries(entries.map(([name, { openapi }]) => [name, openapi])),
    ...(names.length > 0 && { required: names }),
    ...validations(rules),
  })
}

/** An object of Kubernetes itself that is handed on as it is; Kubernetes judges it where it is used. */
export const asItIs = (description: string): Optional<Readonly<Record<string, unknown>>> =>
  field({ type: 'object', description, 'x-kubernetes-preserve-unknown-fields': true })

/** An amount as Kubernetes writes it: 100m, 1.5, 256Mi. */
export const quantity = (description: string): Optional<string | number> =>
  field({
    description,
    maxLength: 32,
    'x-kubernetes-int-or-string': true,
    ...validations([
      {
        rule: `type(self) == string ? isQuantity(self) && !quantity(self).isLessThan(quantity('0')) : self >= 0`,
        message: 'must be an amount, as 1, 100m or 256Mi',
      },
    ]),
  })

const validations = (rules: readonly Rule[]): Pick<OpenApi, 'x-kubernetes-validations'> =>
  rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }
