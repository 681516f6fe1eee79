// Asks, beside the audit of a room, whether the homeserver tells presence of it (core/blind-rooms says what the answers mean).
//
//   list -> presence of one member -> told: it does, nothing more is asked
//                                  -> refused: two more, our own, and the list again
import { CityError } from '@citypresence/chassis/errors'
import { judgeBlindness, roundOf, type Answer, type Blindness, type Round } from '../core/blind-rooms.ts'
import { MatrixRefusal } from './matrix-errors.ts'
import { tellBlindRooms, type Lookout, type Worker } from './room-worker.ts'

export async function lookForBlindness(
  worker: Worker,
  roomId: string,
  listed: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { lookout, doubts, findings, log } = worker
  if (lookout === undefined) return
  // What was found out the city keeps, also from leaders before us; a doubt is ours.
  const before: Blindness = lookout.isBlind(roomId) ? 'blind' : doubts.has(roomId) ? 'doubted' : 'seen'
  const round = await ask(worker, lookout, roomId, listed, signal)
  const after = judgeBlindness(before, round)
  if (after === 'seen') doubts.delete(roomId)
  else doubts.add(roomId)
  // A doubt is settled by the next audit; every other room waits no longer than that.
  if (after === 'doubted' && before === 'seen') worker.doubted = roomId
  tellBlindRooms(worker)
  if (round === 'unknown' || (before !== 'blind' && after !== 'blind')) return
  // At each look while it holds, so that a word which was lost on the way is said again.
  findings.push({ kind: 'blind', roomId, isBlind: after === 'blind' })
  if (after !== before)
    log.warn('rooms blind', { blind: after === 'blind' }, 'the homeserver keeps a room out of presence, or no longer')
}

async function ask(
  { client, turn }: Worker,
  lookout: Lookout,
  roomId: string,
  listed: readonly string[],
  signal: AbortSignal,
): Promise<Round> {
  const others = listed.filter((userId) => userId !== lookout.daemonUserId)
  // Of nobody there is nothing to tell, and nothing is learned: whoever enters a room that was kept out of presence is not seen there.
  if (others.length === 0) return 'unknown'
  const answers: Answer[] = []
  for (const userId of lookout.of(roomId, others, turn.now++)) {
    const kind = await answerAbout(lookout, userId, signal)
    if (kind === 'told') return 'seen'
    answers.push({ userId, kind })
    if (kind === 'unknown') return 'unknown'
  }
  if (answers.length === 0) return 'unknown'
  const ownTold = (await answerAbout(lookout, lookout.daemonUserId, signal)) === 'told'
  return roundOf(answers, { ownTold, listedAfter: await client.joinedMembers(roomId, signal) })
}

async function answerAbout({ presenceOf }: Lookout, userId: string, signal: AbortSignal): Promise<Answer['kind']> {
  try {
    await presenceOf(userId, signal)
    return 'told'
  } catch (error) {
    if (!(error instanceof CityError)) throw error
    const isNo = error instanceof MatrixRefusal && error.status === 403 && error.errcode === 'M_FORBIDDEN'
    return isNo ? 'forbidden' : 'unknown'
  }
}
