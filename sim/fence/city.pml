/* From the election to what a gateway shows: the protocol in small, for Spin to walk every order of events.
 *
 *   Candidate 1, 2, 3 --Lease--> claim --> batches --> [ store ] --live--> Gateway
 *                                                          '---snapshot-----^
 *   Disk: a follower lags, the store rolls back, the stream is recreated       Judge: once the trouble is over, is all well?
 *
 * A city has two rooms and takes two batches to be said; a batch is one sequence number, as it is stored whole or not at all.
 * What is left out, and why nothing is lost by it, stands in docs/FENCE.md; the variants and their bounds stand in variants.ts.
 * `printf` speaks only when a trail is shown (sim/fence/main.ts shows the one of every variant that is not as expected).
 */

/* --- how much trouble there is ----------------------------------------------------------------------------------------------- */

#ifndef TAKES
#define TAKES 3        /* times the Lease is taken while there is trouble: each time a new term */
#endif
#ifndef LOST
#define LOST 0         /* acknowledgements that get lost, or batches that time out and are stored late */
#endif
#ifndef GAPS
#define GAPS 0         /* times that the gateway loses a message, or its connection */
#endif
#ifndef COPIES
#define COPIES 0       /* moments of the store that a lagging follower shows, or a rollback brings back */
#endif
#ifndef ROLLBACKS
#define ROLLBACKS 0
#endif
#ifndef RECREATIONS
#define RECREATIONS 0
#endif
#ifndef EMPTIED
#define EMPTIED 0      /* times that somebody empties the Lease, or makes it anew: its transitions are lost */
#endif
#ifndef STEADY
#define STEADY 1       /* batches after the full publish, while there is trouble */
#endif
#ifndef QUEUE
#define QUEUE 1        /* messages that the gateway may be behind; 0: it hears each one as it is stored */
#endif
#ifndef OUTAGE
#define OUTAGE 0       /* the API server stays away: nobody takes the Lease, nobody learns who holds it, nothing is raised */
#endif
#ifndef SWEEPS
#define SWEEPS 1       /* snapshots also when all seems well (every five minutes), and of a follower that lags */
#endif
#ifndef JUDGED
#define JUDGED 0       /* the trouble ends at some moment; when nothing more happens, all has to be well */
#endif

/* --- what a variant may break ------------------------------------------------------------------------------------------------ */

#ifndef FENCE
#define FENCE 4        /* 0 none, 1 the gateway filters, 2 each room compares and sets, 3 no term check, 4 the protocol */
#endif
#ifndef FENCED
#define FENCED 1       /* the stream takes a write only under the record that it expects */
#endif
#ifndef COMPARES
#define COMPARES 1     /* and a claim only over the record that was read */
#endif
#ifndef ACK_CHECK
#define ACK_CHECK 1    /* an acknowledgement has to begin at my last sequence + 1 */
#endif
#ifndef LOOKS_AGAIN
#define LOOKS_AGAIN 1  /* a leader reads the record now and then, also when nothing is in doubt */
#endif
#ifndef NEW_TERM
#define NEW_TERM 1     /* who claims again takes a higher term */
#endif
#ifndef SPACE
#define SPACE 4        /* terms of one transition of the Lease; 1: the term is the transition */
#endif
#ifndef CLOCK
#define CLOCK 1        /* whoever takes the Lease takes transitions above all that ever were: by the seconds since 2020 */
#endif
#ifndef RAISES
#define RAISES 1       /* who comes to a record past its terms claims only once it raised the Lease that it holds */
#endif
#ifndef REMEMBERS
#define REMEMBERS 1    /* also above a claim of its own that was never answered */
#endif
#ifndef WHOLE
#define WHOLE 1        /* the leader says "complete" after the last room, not after the first */
#endif
#ifndef COUNTS
#define COUNTS 1       /* the gateway believes "complete" only of a beat that says so, with as many rooms as it says */
#endif
#ifndef JOINS
#define JOINS 1        /* a snapshot counts only when it reaches up to the live messages */
#endif
#ifndef MEMORY
#define MEMORY 1       /* the gateway drops a lower voice than the best it knows */
#endif

#define FORGETS (ROLLBACKS + RECREATIONS > 0)
#define LAST_MAX 31
#define TRANSITIONS_MAX 7

/* A voice is (term, epoch) in one number, so that comparing numbers compares voices: term first. Each transition of the Lease
 * opens SPACE terms: who claims again takes the next of its own, which nobody else can ever have. */
#define FIRST_TERM(transition) ((transition) * SPACE)
#define TRANSITION(term) ((term) / SPACE)
#define VOICE(term, epoch) ((term) << 5 | (epoch))
#define TERM(voice) ((voice) >> 5)
#define EPOCH(voice) ((voice) & 31)
/* Who wrote it, under which term: for the assertions alone, nobody decides by it. */
#define MARK(term, me) ((term) << 2 | (me))
/* What a message carries: room 0, room 1 or none; how many rooms of this voice the stream then holds; whether that is all. */
#define NO_ROOM 3
#define CLAIM 255
#define BODY(room, number, isAll) ((room) | (number) << 2 | (isAll) << 4)
#define ROOM_OF(body) ((body) & 3)
#define NUMBER_OF(body) ((body) >> 2 & 3)
#define ALL_OF(body) ((body) >> 4)

typedef Store {
  byte last;                                    /* newest sequence */
  short record;
  byte holder;                                  /* the epoch record: its voice (0: none yet), and who it names */
  short beatVoice, voice[2];
  byte beatAt, beatBody, at[2], mark[2]         /* the beat, the rooms */
}
Store now, old;                                 /* old: what a lagging follower shows, or a rollback brings back */
bool hasOld;

byte lease, transitions;                        /* who holds the Lease (0: nobody), and its transitions: they outlive the store */
byte elapsed;                                   /* the clock: the highest transitions that there ever were */
#if EMPTIED > 0
byte emptied = EMPTIED, taken, lastHolder;
#define mayTake (taken < TAKES)
#else
#define mayTake (transitions < TAKES)
#endif
byte started;                                   /* candidates are alike: they come to the Lease first in the order of their numbers */
byte lost = LOST, gaps = GAPS, copies = COPIES, rollbacks = ROLLBACKS, recreations = RECREATIONS;
byte waiting = 3;                               /* candidates that stand by */
bool calm, owing;                               /* the trouble is over; the leader has not written since */

/* What the gateway holds (gateway/src/core/feed.ts). */
bool listening, joined, complete, idle;
short best, floorVoice, known[2];
byte knownAt[2], knownMark[2], knownBeatAt, knownBeat;
byte firstLive, lastLive, snapshotNewest, knownNewest;
bool liveIsBest;                                /* the best voice was heard in this run of live messages */

/* For the assertions: the highest voice ever claimed, the highest term that finished its full publish, and what that was when
 * the gateway began to listen. */
short highest;
byte finished, finishedBefore;

inline setTransitions(to) {
  transitions = to; assert(transitions <= TRANSITIONS_MAX);
  if :: transitions > elapsed -> elapsed = transitions :: else fi
}

/* Within one step only. */
short voiceNow;
byte at, body, mark, newest;
bool isLower, isAgain, isGap, isWhole, isRaised;

inline clear() {
  at = 0; voiceNow = 0; body = 0; mark = 0; newest = 0;
  isLower = false; isAgain = false; isGap = false; isWhole = false; isRaised = false
}

inline copyStore(to, from) {
  to.last = from.last; to.record = from.record; to.holder = from.holder;
  to.beatVoice = from.beatVoice; to.beatAt = from.beatAt; to.beatBody = from.beatBody;
  to.voice[0] = from.voice[0]; to.voice[1] = from.voice[1]; to.at[0] = from.at[0]; to.at[1] = from.at[1];
  to.mark[0] = from.mark[0]; to.mark[1] = from.mark[1]
}

inline emptyStore(it) {
  it.record = 0; it.holder = 0; it.beatVoice = 0; it.beatAt = 0; it.beatBody = 0;
  it.voice[0] = 0; it.voice[1] = 0; it.at[0] = 0; it.at[1] = 0; it.mark[0] = 0; it.mark[1] = 0
}

inline forgetOld() { hasOld = false; old.last = 0; emptyStore(old) }

/* --- what the gateway makes of it (gateway/src/core/feed.ts) ------------------------------------------------------------------ */

#define isOfBest(room) (known[room] != 0 && known[room] == best)
#define current (isOfBest(0) + isOfBest(1))

inline takeNewest(start) {
  newest = start;
  if :: isOfBest(0) && knownAt[0] > newest -> newest = knownAt[0] :: else fi;
  if :: isOfBest(1) && knownAt[1] > newest -> newest = knownAt[1] :: else fi
}

inline judgeComplete() {
  takeNewest(0);
  if
  :: joined && knownBeatAt != 0 && newest > knownBeatAt       /* in the middle of a batch */
  :: else ->
     isWhole = joined && knownBeatAt != 0 && (!COUNTS || (ALL_OF(knownBeat) && current == NUMBER_OF(knownBeat)));
     if
     :: isWhole && !complete ->                               /* it replaces the board: what older voices left goes */
        floorVoice = best;
        if :: !isOfBest(0) -> known[0] = 0; knownAt[0] = 0; knownMark[0] = 0 :: else fi;
        if :: !isOfBest(1) -> known[1] = 0; knownAt[1] = 0; knownMark[1] = 0 :: else fi;
        printf("gateway is complete: %d.%d\n", TERM(best), EPOCH(best))
     :: else
     fi;
     complete = isWhole
  fi;
  if
  :: complete ->
     assert(known[0] != 0 && known[1] != 0);                  /* half a city is never shown as complete */
     assert(known[0] == best && known[1] == best);            /* nor is a value of another voice than the best that was seen */
     /* A fresh gateway never shows as complete a room older than the newest leader that finished. */
     if :: !FORGETS -> assert((knownMark[0] >> 2) >= finishedBefore && (knownMark[1] >> 2) >= finishedBefore) :: else fi
  :: else
  fi
}

inline forgetRun() {
  takeNewest(knownBeatAt);
  knownNewest = newest;
  firstLive = 0; lastLive = 0; liveIsBest = false; snapshotNewest = 0; joined = false; complete = false
}

#if JOINS
#define reaches (snapshotNewest != 0 && snapshotNewest >= knownNewest && firstLive != 0 && snapshotNewest + 1 >= firstLive)
#else
#define reaches (snapshotNewest != 0)
#endif

/* Once joined, where it did so says nothing more: one value for all of these, so that Spin meets fewer states. */
inline join() {
  joined = joined || reaches;
  if :: joined -> firstLive = 255; snapshotNewest = 0; knownNewest = 0 :: else fi
}

inline raiseVoice() {
  isRaised = voiceNow > best;
  if
  :: isRaised -> best = voiceNow; knownBeatAt = 0; knownBeat = 0; knownNewest = 0; liveIsBest = false; complete = false
  :: !isRaised && !MEMORY && best != voiceNow -> best = voiceNow; floorVoice = 0; knownBeatAt = 0; knownBeat = 0; complete = false
  :: else
  fi
}

/* The assertion: what is shown of a room never goes back behind a city that was complete, nor behind itself. */
inline learnRoom(room) {
  if
  :: voiceNow != 0 && voiceNow <= best && voiceNow >= floorVoice &&
     (voiceNow > known[room] || (voiceNow == known[room] && at > knownAt[room]) || !MEMORY) ->
     assert(voiceNow >= known[room]);
     known[room] = voiceNow; knownAt[room] = at; knownMark[room] = mark
  :: else
  fi
}

inline noteBeat() {
  if :: voiceNow == best && at > knownBeatAt -> knownBeatAt = at; knownBeat = (body & 252) :: else fi
}

inline hear() {
  printf("gateway hears %d.%d #%d\n", TERM(voiceNow), EPOCH(voiceNow), at);
  isLower = MEMORY && voiceNow < best;
  isAgain = lastLive != 0 && at <= lastLive && (voiceNow < best || (voiceNow == best && liveIsBest));
  isGap = lastLive != 0 && at != lastLive + 1 && !isAgain;
  if
  :: isAgain
  :: else ->
     if :: isGap -> forgetRun() :: else fi;
     lastLive = at;
     if :: firstLive == 0 -> firstLive = at; joined = false; join(); complete = complete && joined :: else fi
  fi;
  if
  :: !isLower && !isAgain ->
     raiseVoice(); liveIsBest = true;
     if
     :: body != CLAIM ->
        if :: ROOM_OF(body) != NO_ROOM -> learnRoom(ROOM_OF(body)) :: else fi;
        noteBeat();
        judgeComplete()
     :: else
     fi
  :: else
  fi
}

#if FENCE >= 3
#define voiceOf(store) store.record
#else
#define maxOf(a, b) ((a) > (b) -> (a) : (b))
#define voiceOf(store) (maxOf(store.beatVoice, maxOf(store.voice[0], store.voice[1])))
#endif

inline readSnapshot(store) {
  voiceNow = voiceOf(store);
  printf("gateway reads up to #%d, %d.%d\n", store.last, TERM(voiceNow), EPOCH(voiceNow));
  if
  :: voiceNow == 0 || (MEMORY && voiceNow < best)             /* an empty stream, or a follower that lags */
  :: else ->
     raiseVoice();
     if :: isRaised && firstLive != 0 -> forgetRun() :: else fi;
     snapshotNewest = EPOCH(store.record);
     if :: store.beatAt > snapshotNewest -> snapshotNewest = store.beatAt :: else fi;
     join();
     voiceNow = store.voice[0]; at = store.at[0]; mark = store.mark[0]; learnRoom(0);
     voiceNow = store.voice[1]; at = store.at[1]; mark = store.mark[1]; learnRoom(1);
     voiceNow = store.beatVoice; at = store.beatAt; body = store.beatBody; noteBeat();
     judgeComplete()
  fi
}

#if QUEUE > 0
chan live = [QUEUE] of { byte, short, byte, byte };            /* sequence, voice, body, mark */
#define canTell (!listening || nfull(live))
#define isHeard (empty(live))
inline tell(v, b, m) { if :: listening -> live!now.last,v,b,m :: else fi }
#else
#define canTell true
#define isHeard true
inline tell(v, b, m) {
  if :: listening -> at = now.last; voiceNow = v; body = b; mark = m; hear(); clear(); idle = false :: else fi
}
#endif

proctype Gateway() {
  d_step { listening = true; finishedBefore = finished; printf("gateway subscribes\n") }
  do
#if QUEUE > 0
  :: d_step { live?at,voiceNow,body,mark -> hear(); clear(); idle = false }
#endif
  :: d_step { ((!calm && (SWEEPS || !complete)) || (calm && !complete && !idle && isHeard)) ->
       readSnapshot(now); clear(); idle = calm }
#if COPIES > 0 && SWEEPS
  :: d_step { !calm && hasOld -> printf("(of a follower that lags) "); readSnapshot(old); clear() }
#endif
#if GAPS > 0 && QUEUE > 0
  :: d_step { !calm && gaps > 0 && nempty(live) -> gaps--; live?at,voiceNow,body,mark;
       printf("gateway misses #%d\n", at); clear() }
#endif
#if GAPS > 0
  :: d_step { !calm && gaps > 0 -> gaps--;
#if QUEUE > 0
       do :: nempty(live) -> live?at,voiceNow,body,mark :: empty(live) -> break od;
#endif
       printf("gateway connects again\n"); forgetRun(); clear() }
#endif
  od
}

/* --- the leader (aggregator/src/core/leader.ts, voice.ts) --------------------------------------------------------------------- */

/* Whether the server takes what the leader sends now. */
#if FENCE >= 3
#define passes (!FENCED || EPOCH(now.record) == EPOCH(voice))
#elif FENCE == 2
#define passes (said >= 2 || now.at[said] == seen[said])
#else
#define passes true
#endif

#define isUnclaimed (!COMPARES || EPOCH(now.record) == expected)
#define isMine (now.record == voice && now.holder == me)
#define above ((TERM(now.record) > claimed -> TERM(now.record) : claimed) + 1)
#define isFree (FENCE == 3 || (TERM(now.record) < term && claimed < term))
#define isDeposed (now.holder != me && now.record > voice)

inline store(room, number, isAll) {
  now.last++;
  assert(now.last <= LAST_MAX);                               /* in the calm, this means that it never becomes well */
  if :: room != NO_ROOM -> now.voice[room] = voice; now.at[room] = now.last; now.mark[room] = MARK(term, me) :: else fi;
  now.beatVoice = voice; now.beatAt = now.last; now.beatBody = BODY(NO_ROOM, number, isAll);
  printf("%d stores %d.%d #%d, rooms %d, complete %d\n", me, TERM(voice), EPOCH(voice), now.last, number, isAll);
  if :: !FORGETS && FENCE == 4 -> assert(voice == highest) :: else fi;    /* never after a newer claim */
  if :: !FORGETS && said == 1 && term > finished -> finished = term :: else fi;
  tell(voice, BODY(room, number, isAll), MARK(term, me))
}

inline storeNext() {
  if
  :: said == 0 -> store(0, 1, !WHOLE)
  :: said == 1 -> store(1, 2, 1)
  :: said >= 2 -> store(NO_ROOM, 2, 1)
  fi
}

/* The process restarts as a standby; a Lease that it held runs out. */
inline restart() {
  printf("%d restarts\n", me);
  if :: lease == me -> lease = 0 :: else fi;
  waiting++; voice = 0; last = 0; said = 0; expected = 0; term = 0; claimed = 0; late = false
}

/* When it writes. In the calm the holder of the Lease beats until it is acknowledged and the gateway is complete; that it then
 * has looked at the record once is all that "now and then" means here. */
#define isDue (said < 2 || (!calm && said < 2 + STEADY) || \
  (calm && (lease == me || OUTAGE) && (owing || last != now.last || \
    (!complete && idle && isHeard && (isMine || !LOOKS_AGAIN || FENCE < 3)))))

proctype Candidate(byte me) {
  byte term;
  short voice;                                                /* what I claim with `term`; what I lead or led with, 0 before a claim */
  byte expected;                                              /* the sequence of the record that I read */
  byte claimed;                                               /* the highest term that I claimed with */
  byte last, said;                                            /* my last acknowledged sequence; batches: 2 are the whole city */
  bool late;                                                  /* a batch of mine that timed out is still on its way */
#if FENCE == 2
  byte seen[2];
#endif

standby:
  atomic {                                                    /* anybody may take the Lease once it ran out, and it may at any time */
    me <= started + 1 && ((!calm && mayTake && lease != me) || (calm && !OUTAGE && lease == 0 && me == 1));
    waiting--;
    if :: me == started + 1 -> started++ :: else fi;
#if EMPTIED > 0
    if :: !calm -> taken++ :: else fi;
    lastHolder = me;
#endif
    if :: CLOCK && elapsed > transitions -> transitions = elapsed :: else fi;
    lease = me; setTransitions(transitions + 1); term = FIRST_TERM(transitions);
    printf("%d takes the Lease, transitions %d\n", me, transitions)
  }
#if FENCE < 3
  d_step {                                                    /* no claim: the Lease is all there is */
    voice = (FENCE == 0 -> VOICE(1, 0) : VOICE(term, 0));
#if FENCE == 2
    seen[0] = now.at[0]; seen[1] = now.at[1]
#endif
  }
  goto lead;
#endif

read:                                                         /* who leads? asked of the stream's leader */
  atomic {
    if
#if LOST > 0
    :: late && canTell -> late = false;                       /* what timed out is stored after all, if the fence lets it */
       if :: passes -> storeNext() :: !passes fi;
       goto read
#endif
    :: true ->
       expected = EPOCH(now.record);
       printf("%d reads %d.%d of %d\n", me, TERM(now.record), EPOCH(now.record), now.holder);
       if
       :: voice != 0 && isDeposed -> restart(); goto standby
       :: voice != 0 && !isDeposed ->
          assert(SPACE == 1 || TRANSITION(above) == TRANSITION(claimed));    /* nobody uses its own terms up */
          if :: NEW_TERM -> term = above :: !NEW_TERM fi;
          goto claim
       :: voice == 0 && isFree -> goto claim
       :: voice == 0 && !isFree && claimed != 0 && TRANSITION(above) == TRANSITION(claimed) -> term = above; goto claim
       :: voice == 0 && !isFree && !(claimed != 0 && TRANSITION(above) == TRANSITION(claimed)) ->
          term = FIRST_TERM(TRANSITION(above - 1) + 1)
       fi
    fi
  }
  atomic {                                                    /* the Lease is raised first, if it is still mine */
    if
    :: lease == me && !(calm && OUTAGE) ->
       setTransitions(TRANSITION(term));
       printf("%d raises transitions to %d\n", me, transitions)
    :: lease != me || (calm && OUTAGE) -> if :: RAISES -> restart(); goto standby :: !RAISES -> goto claim fi
    fi
  }

claim:
  atomic {
    canTell ->
    late = false;
    if
    :: isUnclaimed ->
       now.last++; assert(now.last <= LAST_MAX);
       now.record = VOICE(term, now.last); now.holder = me;
       printf("%d claims %d.%d\n", me, TERM(now.record), EPOCH(now.record));
       if :: !FORGETS && FENCE == 4 -> assert(now.record > highest); highest = now.record :: else fi;
       tell(now.record, CLAIM, 0);
       if
       :: true -> claimed = term; voice = now.record; last = now.last; said = 0; expected = 0
#if LOST > 0
       :: !calm && lost > 0 -> lost--; printf("%d never hears of it\n", me);
          if :: REMEMBERS -> claimed = term :: !REMEMBERS fi;
          goto read
#endif
       fi
    :: !isUnclaimed ->                                        /* somebody was faster */
       if :: voice != 0 || lease == me -> goto read :: voice == 0 && lease != me -> restart(); goto standby fi
    fi
  }

lead:
  do
  :: atomic {                                                 /* the next batch; one in flight */
       canTell && isDue ->
       if
       :: passes ->
          storeNext();
          if
          :: now.last == last + 1 || !ACK_CHECK || FENCE < 3 ->
             last = now.last;
             if :: said < 2 + STEADY -> said++ :: else fi;
             if :: calm && (lease == me || OUTAGE) && said >= 2 -> owing = false :: else fi
          :: !(now.last == last + 1 || !ACK_CHECK || FENCE < 3) -> goto read
#if LOST > 0 && FENCE >= 3
          :: !calm && lost > 0 -> lost--; printf("%d never hears of it\n", me); goto read
#endif
          fi
#if FENCE >= 3
       :: !passes -> goto read
#else
       :: !passes -> restart(); goto standby
#endif
       fi
     }
#if LOST > 0 && FENCE >= 3
  :: atomic { !calm && lost > 0 -> lost--; late = true; printf("%d has waited too long\n", me); goto read }
#endif
#if LOOKS_AGAIN && FENCE >= 3
  :: atomic { !isMine -> goto read }
#endif
  :: atomic { !(calm && OUTAGE) && lease == me && transitions < TRANSITION(term) ->
       setTransitions(TRANSITION(term));
       printf("%d raises transitions to %d\n", me, transitions) }
#if EMPTIED > 0
  :: atomic { lease == 0 && lastHolder == me -> lease = me; setTransitions(TRANSITION(term));
       printf("%d takes the Lease again, transitions %d\n", me, transitions) }
  :: atomic { !calm && lease != me && lease != 0 -> restart(); goto standby }
#else
  :: atomic { !calm && lease != me -> restart(); goto standby }        /* the Lease names another */
#endif
  od
}

/* --- what happens to the store ------------------------------------------------------------------------------------------------ */

proctype Disk() {
  do
  :: d_step { !calm && copies > 0 && now.last > 0 -> copies--; copyStore(old, now); hasOld = true;
       printf("a copy of the store at #%d\n", old.last) }
  :: d_step { !calm && rollbacks > 0 && hasOld && old.last < now.last -> rollbacks--; copyStore(now, old); forgetOld();
       printf("the store rolls back to #%d\n", now.last) }
  :: d_step { !calm && recreations > 0 && now.last > 0 -> recreations--; emptyStore(now); now.last++;
       printf("the stream is made again, above #%d\n", now.last) }
#if EMPTIED > 0
  :: d_step { !calm && emptied > 0 && transitions > 0 -> emptied--; lease = 0; transitions = 0;
       printf("somebody empties the Lease\n") }
#endif
  od
}

proctype Judge() {
  d_step {
    rollbacks + recreations == 0 && (OUTAGE -> waiting == 2 : waiting + (lease != 0) == 3) ->         /* and everybody knows who holds the Lease */
    calm = true; owing = true; idle = false; lost = 0; gaps = 0; copies = 0; forgetOld(); printf("the trouble is over\n")
  }
  atomic {
    timeout ->
    if
    :: OUTAGE && waiting == 3                                 /* nobody can be elected while the API server is away */
    :: else ->
       assert(listening && complete && !owing);
       assert(now.record == best && (now.holder == lease || OUTAGE));
       assert(known[0] == now.voice[0] && knownAt[0] == now.at[0] && knownMark[0] == now.mark[0]);
       assert(known[1] == now.voice[1] && knownAt[1] == now.at[1] && knownMark[1] == now.mark[1])
    fi
  }
}

init {
  atomic {
    run Candidate(1); run Candidate(2); run Candidate(3); run Gateway();
#if COPIES + ROLLBACKS + RECREATIONS + EMPTIED > 0
    run Disk();
#endif
#if JUDGED
    run Judge()
#endif
  }
}
