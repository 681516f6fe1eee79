// What a request is answered with, before it becomes bytes; and the errors of Matrix in their words.

export type Reply = {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export const ok = (body: unknown = {}): Reply => ({ status: 200, body })

export const refusal = (
  status: number,
  errcode: string,
  error: string,
  more: Readonly<Record<string, unknown>> = {},
): Reply => ({
  status,
  body: { errcode, error, ...more },
})

/** Thrown by what finds a request wrong; becomes its reply. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly reply: Reply

  constructor(reply: Reply) {
    super(JSON.stringify(reply.body))
    this.reply = reply
  }
}

export const refuse = (...words: Parameters<typeof refusal>): never => {
  throw new Refused(refusal(...words))
}
