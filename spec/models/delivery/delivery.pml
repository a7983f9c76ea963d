/*
 * Delivery: two users, a server that keeps CAP envelopes for each, faults without limit.
 * README.md beside this folder says what is covered, what is left out, and how to run it.
 *
 * Bounds, set with -D:
 *   N0, N1     messages that user 0 and user 1 write
 *   CAP        envelopes that a mailbox holds
 *   W          envelopes that a connection may have pushed and not answered
 *   G          envelopes of one message that may exist at once (2 or 3; asserted to be enough)
 * Surroundings:
 *   HOLD       an envelope that was pushed may be answered before the server stores it
 *   STRAY      a put on a connection that ended may still be carried out later
 *   FLOOD      a stranger puts envelopes into user 1's mailbox for ever
 *   SHARE      so many of the stranger's envelopes may be unanswered (without it: no limit)
 *   LIES       the server lies: forged answers, dropped and repeated envelopes (safety only)
 *   FORGETFUL  a crash of the server loses everything, mailboxes too
 *   CHURN      watch whether evictions come to an end (property `rest`)
 * MUTANT_*     takes one rule away: a property must fail.
 * REACH_*      claims that something never happens: must fail, or the model proves nothing.
 *
 * What a step changes is changed at once, as a transaction of a store does. Between two steps
 * anything may fail. Scratch variables are hidden: they are no part of a state.
 */

#ifndef N0
#define N0 2
#endif
#ifndef N1
#define N1 0
#endif
#ifndef CAP
#define CAP 1
#endif
#ifndef W
#define W (CAP + 1)
#endif
#ifndef G
#define G 2
#endif

#define M (N0 + N1)              /* messages: 0 .. N0-1 are user 0's, the others user 1's */
#define E (M * G)                /* envelopes: message x has x*G .. x*G+G-1 */

#define SENDER(x) ((x) >= N0)
#define RECIPIENT(x) ((x) < N0)
#define MESSAGE(e) ((e) / G)
#define CURRENT(x) ((x) * G + slot[x])

/* A stranger's envelopes, E .. STRANGERS-1: part of no conversation. */
#ifndef FLOOD
#define STRANGERS E
#elif defined(SHARE)
#define STRANGERS (E + SHARE)
#else
#define STRANGERS (E + CAP + W + 1)
#endif
/* Only for MUTANT_RECEIPTS_IN_SLOTS: a receipt for e is the envelope STRANGERS + e. */
#define RECEIPTS (STRANGERS + E)

/* Where a message stands in its sender's outbox. */
#define FRESH 0
#define OUT 1
#define RESEND 2
#define DONE 3

/* Modes of a put. */
#define EVICT 1
#define IF_ROOM 2

/* The server's word about an envelope. */
#define NOTHING 0
#define WAITING 1                /* put, and not answered yet: its recipient is to answer first */
#define STORED 2
#define DELIVERED 3              /* with the receipt that only its recipient can make */
#define EVICTED 4
#define FULL 5
#define LATE 6                   /* nack: its turn in the ratchet is past */
#define FORGED 7                 /* `delivered`, with a receipt that does not verify */
#define UNKNOWN 8

/* Durable, at the sender. */
byte phase[M];
byte slot[M];                    /* which envelope is the message's current one */
bit kept[M];                     /* its bytes are kept for a retry */
bit resent[M];                   /* it is a resend */

/* Durable, at the recipient. */
bit shown[M];                    /* the message is stored and shown */
bit opened[E];                   /* the envelope was opened, and is known by its id */

/* Of the ratchet, by sender: sealed and still openable, in the order of sealing. */
chan turn[2] = [E] of { byte };

/* At the server. */
chan mailbox[2] = [CAP + 1] of { byte };
chan flight[2] = [W] of { byte };  /* pushed to a connected user and not answered, oldest first */
byte ended[E];                   /* how an envelope ended: soft state */
bit passed[E];                   /* passed through: in flight only, and its put waits */
bit gone[E];                     /* left the mailbox while in flight */
byte stray;                      /* STRAY: a put that is still to come: envelope + 1, 0 for none */
byte strayMode;
byte held[E];                    /* HOLD: in flight, not stored yet: the mode of its put */

/* Of the connections. */
bit on[2];
byte word[M];                    /* on its way to the sender, about the current envelope */
bit ask[M];                      /* its status is to be asked */
byte toPut[M];                   /* sealed or to be retried: the put is next, in this mode */
bit noRoom[2];                   /* no resend before there is room, or time has passed */
byte verdict[2];                 /* the oldest in flight was processed, with this result */
#ifdef MUTANT_RECEIPTS_IN_SLOTS
byte posted[E];                  /* what the receipt for e says */
bit ofReceipt[2];                /* `verdict` is about a receipt */
#endif
#ifdef MUTANT_ACK_BEFORE_STORE
byte unsaved[2];                 /* answered, and to be stored: message + 1 */
#endif

bit calm;                        /* both are online, and nothing fails any more */
#ifdef CHURN
bit churn;                       /* a message was just pushed out by another */
#endif

hidden byte rV, rE, pE, pV, gE, eE, cE, cN, fE, fN, fM, aE, aW, hX, hW, qX, qE, qW, oX, oM, xX, xE, lX, iE,
  iW, tE, tN, dX, dE, sE, sN, yE, yN;

#if M == 1
#define ANY(P, u) (P(0, u))
#define ALL(P) (P(0))
#define COUNT(P, u) (P(0, u))
#elif M == 2
#define ANY(P, u) (P(0, u) || P(1, u))
#define ALL(P) (P(0) && P(1))
#define COUNT(P, u) (P(0, u) + P(1, u))
#elif M == 3
#define ANY(P, u) (P(0, u) || P(1, u) || P(2, u))
#define ALL(P) (P(0) && P(1) && P(2))
#define COUNT(P, u) (P(0, u) + P(1, u) + P(2, u))
#else
#define ANY(P, u) (P(0, u) || P(1, u) || P(2, u) || P(3, u))
#define ALL(P) (P(0) && P(1) && P(2) && P(3))
#define COUNT(P, u) (P(0, u) + P(1, u) + P(2, u) + P(3, u))
#endif

#define IS_LIVE(e) \
  (stray == (e) + 1 || mailbox[RECIPIENT(MESSAGE(e))]??[eval(e)] || flight[RECIPIENT(MESSAGE(e))]??[eval(e)])
#define COUNTS(e) (phase[MESSAGE(e)] == OUT && CURRENT(MESSAGE(e)) == e)

#define IS_TOLD(x, u) (SENDER(x) == u && word[x] > WAITING)
#define IS_ASKED(x, u) (SENDER(x) == u && ask[x])
#define IS_PUT(x, u) (SENDER(x) == u && toPut[x] != 0)
#define IS_FRESH(x, u) (SENDER(x) == u && phase[x] == FRESH)
#if !defined(LIES) && !defined(STRAY)
#define IS_RESEND(x, u) (SENDER(x) == u && phase[x] == RESEND)
#elif G == 2
#define IS_RESEND(x, u) \
  (SENDER(x) == u && phase[x] == RESEND && !(IS_LIVE((x) * G) && IS_LIVE((x) * G + 1)))
#else
#define IS_RESEND(x, u) \
  (SENDER(x) == u && phase[x] == RESEND && \
   !(IS_LIVE((x) * G) && IS_LIVE((x) * G + 1) && IS_LIVE((x) * G + 2)))
#endif
#define IS_RESENT(x, u) (SENDER(x) == u && phase[x] == OUT && resent[x])
#define MAY_RESEND(u) (!noRoom[u] && COUNT(IS_RESENT, u) < 2)
#define CAN_CHOOSE(u) (ANY(IS_FRESH, u) || (MAY_RESEND(u) && ANY(IS_RESEND, u)))
#if G == 2
#define IS_HELD(x, v) (RECIPIENT(x) == v && (held[(x) * G] != 0 || held[(x) * G + 1] != 0))
#else
#define IS_HELD(x, v) \
  (RECIPIENT(x) == v && (held[(x) * G] != 0 || held[(x) * G + 1] != 0 || held[(x) * G + 2] != 0))
#endif
#define IS_DELIVERED(x) (phase[x] == DONE && shown[x])
#define EVERYTHING_DELIVERED (ALL(IS_DELIVERED))

/* ---------------------------------------------------------------------------------------------
 * The server
 */

/* A notice to the sender of e, if it is connected and e still counts. */
inline notice(e, what) {
  if
  :: e < E && on[SENDER(MESSAGE(e))] && COUNTS(e) -> word[MESSAGE(e)] = what
  :: else
  fi
}

/* The outcome of the put of e, for a sender that still waits for it. */
inline outcome(e, what) {
  if
  :: on[SENDER(MESSAGE(e))] && COUNTS(e) && word[MESSAGE(e)] == WAITING -> word[MESSAGE(e)] = what
  :: else
  fi
}

/* Pushes what waits and is not in flight, oldest first, as far as the window allows. */
inline catchUp(v) {
  cN = len(mailbox[v]);
  do
  :: cN > 0 ->
       mailbox[v]?cE; mailbox[v]!cE; cN--;
       if
       :: on[v] && !(flight[v]??[eval(cE)]) && len(flight[v]) < W -> flight[v]!cE
       :: else
       fi
  :: else -> break
  od
}

/* The oldest leaves. While it is in flight its end is open; otherwise its sender is told. */
inline evictOldest(v) {
  mailbox[v]?eE;
  if
  :: eE < E ->
       if
       :: ended[eE] == NOTHING -> ended[eE] = EVICTED
       :: else
       fi;
       if
       :: flight[v]??[eval(eE)] -> gone[eE] = 1
#ifdef MUTANT_NO_ANNOUNCEMENT
       :: else
#else
       :: else -> notice(eE, EVICTED)
#endif
       fi
  :: else
  fi
}

/* Stores an envelope that the mailbox does not hold; the oldest leaves when it is full. */
inline store(v, e) {
  if
#ifdef MUTANT_NO_EVICTION
  :: true
#else
  :: len(mailbox[v]) >= CAP -> evictOldest(v)
  :: else
#endif
  fi;
  mailbox[v]!e;
  /* The server never holds more than CAP messages of a user. */
  assert(len(mailbox[v]) <= CAP);
  catchUp(v)
}

/* A put that the mailbox decides on: stored, passed through, or full. */
inline admit(e, mode) {
  pV = RECIPIENT(MESSAGE(e));
  if
  :: mode == IF_ROOM && len(mailbox[pV]) >= CAP ->
       if
#ifndef MUTANT_NO_PASS_THROUGH
       :: on[pV] && flight[pV]??[eval(e)] -> passed[e] = 1
       :: on[pV] && !(flight[pV]??[eval(e)]) && len(flight[pV]) < W -> flight[pV]!e; passed[e] = 1
#endif
       :: else -> outcome(e, FULL)
       fi
  :: else ->
       /* What is stored twice takes two places, and can push out what is newer. */
       assert(!(mailbox[pV]??[eval(e)]));
       if
       :: len(mailbox[pV]) >= CAP ->
            mailbox[pV]?<gE>;
#ifdef CHURN
            churn = 1
#elif !defined(STRAY)
            /* An old message never pushes out a newer one, but by a put that strayed. */
            assert(gE >= E || MESSAGE(gE) < MESSAGE(e))
#endif
       :: else
       fi;
       store(pV, e);
       outcome(e, STORED)
  fi
}

/* What was pushed before it was stored is stored now. */
inline flush(v) {
#ifdef HOLD
  fM = W;
  do
  :: fM > 0 ->
       /* The first that is held; a full turn keeps the order. */
       fN = len(flight[v]); iE = RECEIPTS;
       do
       :: fN > 0 ->
            flight[v]?fE; flight[v]!fE; fN--;
            if
            :: iE == RECEIPTS && fE < E && held[fE] != 0 -> iE = fE
            :: else
            fi
       :: else -> break
       od;
       if
       :: iE < E -> iW = held[iE]; held[iE] = 0; admit(iE, iW)
       :: else -> fM = 1
       fi;
       fM--
  :: else -> break
  od
#else
  skip
#endif
}

/* The current envelope of x arrives. */
inline put(x, mode) {
  pE = CURRENT(x);
  pV = RECIPIENT(x);
#ifdef HOLD
  /* To a user who has everything else in flight: pushed, and stored only after a while. */
  fM = on[pV] && !(flight[pV]??[eval(pE)]) && len(flight[pV]) < W && ended[pE] == NOTHING;
  fN = len(mailbox[pV]);
  do
  :: fN > 0 ->
       mailbox[pV]?fE; mailbox[pV]!fE; fN--;
       if
       :: flight[pV]??[eval(fE)]
       :: else -> fM = 0
       fi
  :: else -> break
  od;
#else
  fM = 0;
#endif
  if
  :: fM -> flight[pV]!pE; held[pE] = mode; word[x] = WAITING
  :: else -> flush(pV); putInStore(x, mode)
  fi
}

inline putInStore(x, mode) {
  pV = RECIPIENT(x);
  if
#ifndef MUTANT_PUT_NOT_IDEMPOTENT
  :: mailbox[pV]??[eval(pE)] -> word[x] = STORED
  :: !(mailbox[pV]??[eval(pE)]) && ended[pE] != NOTHING -> word[x] = ended[pE]
#endif
  :: else -> word[x] = WAITING; admit(pE, mode)
  fi
}

#ifdef STRAY
/* Nobody waits for the outcome; another put of the same envelope, which does, hears `full`. */
inline putStray() {
  pE = stray - 1; pV = RECIPIENT(MESSAGE(pE)); oM = strayMode;
  stray = 0; strayMode = 0;
  if
#ifndef MUTANT_PUT_NOT_IDEMPOTENT
  :: mailbox[pV]??[eval(pE)] || ended[pE] != NOTHING
#endif
  :: else ->
       if
       :: oM == IF_ROOM && len(mailbox[pV]) >= CAP -> outcome(pE, FULL)
       :: else
       fi;
       /* A put of the same envelope that is passed through goes on waiting. */
       rE = COUNTS(pE) && word[MESSAGE(pE)] == WAITING;
       if
       :: rE -> word[MESSAGE(pE)] = NOTHING
       :: else
       fi;
       admit(pE, oM);
       if
       :: rE -> word[MESSAGE(pE)] = WAITING
       :: else
       fi
  fi
}
#endif

/* The recipient's word about the oldest in flight: it leaves, its end is kept, its sender told. */
inline answer(v, what) {
  flight[v]?aE;
  if
  :: aE < E && held[aE] != 0 -> held[aE] = 0
  :: else ->
       flush(v);
       if
       :: mailbox[v]??[eval(aE)] -> mailbox[v]??eval(aE)
       :: else
       fi
  fi;
  if
  :: aE < E ->
#ifdef REACH_PASSED_THROUGH
       assert(!passed[aE] || what != DELIVERED);
#endif
#ifdef REACH_GONE
       assert(!gone[aE] || what != DELIVERED);
#endif
       passed[aE] = 0; gone[aE] = 0;
#ifdef MUTANT_RECEIPTS_IN_SLOTS
       posted[aE] = what;
       rV = 1 - v; rE = STRANGERS + aE; store(rV, rE)
#else
       if
       :: ended[aE] != DELIVERED -> ended[aE] = what
       :: else
       fi;
       aW = ended[aE];
       notice(aE, aW)
#endif
#ifdef MUTANT_RECEIPTS_IN_SLOTS
  :: aE >= STRANGERS -> aE = aE - STRANGERS; aW = posted[aE]; notice(aE, aW)
#endif
  :: else
  fi;
  if
  :: len(mailbox[v]) < CAP -> noRoom[1 - v] = 0
  :: else
  fi;
  catchUp(v)
}

/* ---------------------------------------------------------------------------------------------
 * The sender's outbox
 */

inline settle(x) {
  word[x] = NOTHING; ask[x] = 0; toPut[x] = 0; kept[x] = 0; resent[x] = 0; slot[x] = 0
}

inline resend(x) { settle(x); phase[x] = RESEND }

inline delivered(x) {
#ifdef REACH_RESENT
  assert(!resent[x]);
#endif
  settle(x); phase[x] = DONE;
  /* None is marked delivered without having been stored by its recipient. */
  assert(shown[x]);
#ifdef REACH_DELIVERED
  assert(!EVERYTHING_DELIVERED);
#endif
  skip
}

/* Applies the server's word about the current envelope. */
inline apply(x, what) {
  if
  :: what == STORED ->
#ifdef MUTANT_FORGET_WHEN_STORED
       settle(x); phase[x] = DONE
#else
       word[x] = NOTHING; ask[x] = 0; kept[x] = 0
#endif
  :: what == DELIVERED -> delivered(x)
  :: what == EVICTED || what == FULL -> resend(x); noRoom[SENDER(x)] = 1
  :: what == LATE ->
#ifdef MUTANT_NACK_IS_DELIVERED
       delivered(x)
#elif defined(MUTANT_RESEND_SAME_BYTES)
       word[x] = NOTHING; ask[x] = 0; toPut[x] = IF_ROOM; ended[CURRENT(x)] = NOTHING
#else
       resend(x)
#endif
  :: what == FORGED ->
#ifdef MUTANT_TRUST_THE_SERVER
       delivered(x)
#else
       resend(x)
#endif
  :: what == UNKNOWN ->
       word[x] = NOTHING; ask[x] = 0;
#ifndef MUTANT_NO_RETRY
       if
       :: kept[x] -> toPut[x] = IF_ROOM
       :: else -> resend(x)
       fi
#endif
  :: what <= WAITING -> ask[x] = 0
  fi
}

#define FIRST(x, P, u) x = 0; do :: x < M && !P(x, u) -> x++ :: else -> break od

inline hear(u) {
  FIRST(hX, IS_TOLD, u);
  hW = word[hX];
#ifdef CHURN
  churn = 0;
#endif
  apply(hX, hW)
}

/* Asks for the status of one envelope, and applies it. */
inline question(u) {
  FIRST(qX, IS_ASKED, u);
  qE = CURRENT(qX);
#ifdef HOLD
  if
  :: held[qE] != 0 -> flush(RECIPIENT(qX))
  :: else
  fi;
#endif
  if
  :: mailbox[RECIPIENT(qX)]??[eval(qE)] -> qW = STORED
  :: else -> qW = (ended[qE] != NOTHING -> ended[qE] : UNKNOWN)
  fi;
  apply(qX, qW)
}

inline putNext(u) {
  FIRST(oX, IS_PUT, u);
  oM = toPut[oX];
  toPut[oX] = 0;
#ifdef MUTANT_RESEND_EVICTS
  oM = EVICT;
#endif
  put(oX, oM)
}

/* The lowest message that may go out now is sealed: ratchet, envelope and message in one step. */
#define MAY_GO(x, u) (IS_FRESH(x, u) || (IS_RESEND(x, u) && MAY_RESEND(u)))

inline sealNext(u) {
  FIRST(xX, MAY_GO, u);
  resent[xX] = (phase[xX] == RESEND);
  xE = xX * G;
  do
  :: IS_LIVE(xE) -> xE++
  :: else -> break
  od;
  assert(MESSAGE(xE) == xX);       /* G is enough */
  slot[xX] = xE - xX * G;
  phase[xX] = OUT; kept[xX] = 1;
  opened[xE] = 0; ended[xE] = NOTHING; passed[xE] = 0; gone[xE] = 0; held[xE] = 0;
  turn[u]!xE;
#ifndef LIES
  toPut[xX] = (resent[xX] -> IF_ROOM : EVICT)
#endif
}

/* ---------------------------------------------------------------------------------------------
 * The recipient's inbox
 */

/* Everything that was sealed before e has lost its turn. */
inline takeTurn(e) {
  do
  :: turn[SENDER(MESSAGE(e))]?tE;
       if
       :: tE == e -> break
       :: else
       fi
  od
}

inline receive(v, e) {
  if
  :: opened[e] ->
#ifdef REACH_AGAIN
       assert(false);
#endif
       verdict[v] = DELIVERED
  :: !opened[e] && !(turn[SENDER(MESSAGE(e))]??[eval(e)]) ->
#ifdef MUTANT_LATE_IS_DROPPED
       verdict[v] = DELIVERED
#else
       verdict[v] = LATE
#endif
#ifdef REACH_LATE
       ;assert(false)
#endif
  :: else ->
       takeTurn(e);
       verdict[v] = DELIVERED;
       opened[e] = 1;
#ifdef MUTANT_NO_DEDUPLICATION
       /* No message is shown twice. */
       assert(!shown[MESSAGE(e)]);
#endif
#ifdef MUTANT_ACK_BEFORE_STORE
       unsaved[v] = MESSAGE(e) + 1
#else
       shown[MESSAGE(e)] = 1
#endif
  fi
}

/* ---------------------------------------------------------------------------------------------
 * Connections
 */

inline connect(u) {
  on[u] = 1;
  lX = 0;
  do
  :: lX < M ->
       if
#if !defined(MUTANT_NO_STATUS)
       :: SENDER(lX) == u && phase[lX] == OUT -> ask[lX] = 1
#endif
       :: else
       fi;
       lX++
  :: else -> break
  od;
  catchUp(u)
}

/* A connection ends, or a client is killed: what it has stored is all that is left. */
inline cut(u) {
  on[u] = 0; noRoom[u] = 0; verdict[u] = NOTHING;
#ifdef CHURN
  churn = 0;
#endif
#ifdef MUTANT_ACK_BEFORE_STORE
  unsaved[u] = 0;
#endif
#ifdef MUTANT_RECEIPTS_IN_SLOTS
  ofReceipt[u] = 0;
#endif
  lX = 0;
  do
  :: lX < M ->
       if
       :: SENDER(lX) == u ->
#ifdef STRAY
            if
            :: toPut[lX] != 0 && stray == 0 -> stray = CURRENT(lX) + 1; strayMode = toPut[lX]
            :: else
            fi;
#endif
            word[lX] = NOTHING; ask[lX] = 0; toPut[lX] = 0
       :: else
       fi;
       lX++
  :: else -> break
  od;
  flush(u);
  do
  :: len(flight[u]) > 0 ->
       flight[u]?dE;
       if
       :: dE < E ->
            /* A put that waits for the recipient's answer gets none. */
            if
            :: passed[dE] -> outcome(dE, FULL)
            :: else
            fi;
            /* An eviction that was kept back is told. */
            if
#ifdef MUTANT_PASSED_THROUGH_HIDES_EVICTION
            :: gone[dE] && !passed[dE] -> notice(dE, EVICTED)
#else
            :: gone[dE] -> notice(dE, EVICTED)
#endif
            :: else
            fi;
            passed[dE] = 0; gone[dE] = 0
       :: else
       fi
  :: else -> break
  od
}

/* The server is killed. What it answered `stored` survives; how envelopes ended may not. */
inline crash(lose) {
  lX = 0;
  do
  :: lX < E ->
       held[lX] = 0;
       if
       :: lose -> ended[lX] = NOTHING
       :: else
       fi;
       lX++
  :: else -> break
  od;
  cut(0); cut(1);
  stray = 0; strayMode = 0;
#ifdef FORGETFUL
  do
  :: len(mailbox[0]) > 0 -> mailbox[0]?dE
  :: len(mailbox[1]) > 0 -> mailbox[1]?dE
  :: else -> break
  od
#endif
}

/* ---------------------------------------------------------------------------------------------
 * States that differ in nothing that matters are one state: what no one can ask for is zero.
 */

inline tidy() {
  yE = 0;
  do
  :: yE < E ->
       if
       :: !COUNTS(yE) && !IS_LIVE(yE) -> opened[yE] = 0; ended[yE] = NOTHING
       :: else
       fi;
       yE++
  :: else -> break
  od;
  tidyTurns(0); tidyTurns(1);
  skip
}

inline tidyTurns(u) {
  yN = len(turn[u]);
  do
  :: yN > 0 ->
       turn[u]?yE; yN--;
       if
       :: COUNTS(yE) || IS_LIVE(yE) -> turn[u]!yE
       :: else
       fi
  :: else -> break
  od
}

/* ---------------------------------------------------------------------------------------------
 * Processes
 */

proctype Outbox(bit u) {
  do
  :: d_step { on[u] && ANY(IS_TOLD, u) -> hear(u); tidy() }
  :: d_step { on[u] && ANY(IS_ASKED, u) -> question(u); tidy() }
  :: d_step { on[u] && ANY(IS_PUT, u) -> putNext(u); tidy() }
  :: d_step {
       on[u] && CAN_CHOOSE(u) && !ANY(IS_ASKED, u) && !ANY(IS_PUT, u) -> sealNext(u); tidy()
     }
     /* `room` may get lost; time passes. */
  :: d_step { on[u] && noRoom[u] -> noRoom[u] = 0 }
  od
}

#ifdef MUTANT_RECEIPTS_IN_SLOTS
/* An answer needs a place in the other's mailbox; what came in a receipt needs none. */
#define HAS_PLACE_FOR_ANSWER(v) (ofReceipt[v] || len(mailbox[1 - v]) < CAP)
#else
#define HAS_PLACE_FOR_ANSWER(v) true
#endif

proctype Inbox(bit v) {
  do
     /* One transaction ... */
  :: d_step {
       on[v] && verdict[v] == NOTHING && len(flight[v]) > 0 ->
       flight[v]?<sE>;
       if
       :: sE < E -> receive(v, sE)
       :: else ->
            verdict[v] = DELIVERED;
#ifdef MUTANT_RECEIPTS_IN_SLOTS
            ofReceipt[v] = (sE >= STRANGERS)
#endif
       fi;
       tidy()
     }
     /* ... and only then the answer. */
  :: d_step {
       on[v] && verdict[v] != NOTHING && HAS_PLACE_FOR_ANSWER(v) ->
       sN = verdict[v]; verdict[v] = NOTHING;
       answer(v, sN);
#ifdef MUTANT_RECEIPTS_IN_SLOTS
       ofReceipt[v] = 0;
#endif
       tidy()
     }
#ifdef HOLD
     /* The server waits no longer. */
  :: d_step { ANY(IS_HELD, v) -> flush(v); tidy() }
#endif
#ifdef MUTANT_ACK_BEFORE_STORE
  :: d_step { unsaved[v] != 0 && verdict[v] == NOTHING -> shown[unsaved[v] - 1] = 1; unsaved[v] = 0 }
#endif
  od
}

#ifdef FLOOD
#define IS_FLOOD(e) (mailbox[1]??[eval(e)] || flight[1]??[eval(e)])
#if !defined(SHARE)
#define FLOOD_MAY_PUT true
#elif SHARE == 1
#define FLOOD_MAY_PUT (!IS_FLOOD(E))
#elif SHARE == 2
#define FLOOD_MAY_PUT (!IS_FLOOD(E) || !IS_FLOOD(E + 1))
#else
#define FLOOD_MAY_PUT (!IS_FLOOD(E) || !IS_FLOOD(E + 1) || !IS_FLOOD(E + 2))
#endif

proctype Stranger() {
  do
  :: d_step {
       FLOOD_MAY_PUT ->
       sE = E;
       do
       :: IS_FLOOD(sE) -> sE++
       :: else -> break
       od;
       flush(1); store(1, sE); tidy()
     }
  od
}
#endif

active proctype Surroundings() {
#ifdef LIES
  on[0] = 1; on[1] = 1;
#endif
  do
#ifdef LIES
  :: d_step { on[1] -> cut(1); on[1] = 1; tidy() }
#else
  :: d_step { !on[0] -> connect(0); tidy() }
  :: d_step { !on[1] -> connect(1); tidy() }
  :: d_step { on[0] -> cut(0); tidy() }
  :: d_step { on[1] -> cut(1); tidy() }
  :: d_step { on[0] || on[1] -> crash(false); tidy() }
#ifdef STRAY
  :: d_step { stray != 0 -> putStray(); tidy() }
  :: d_step { stray != 0 -> stray = 0; strayMode = 0; tidy() }
#endif
  :: d_step { on[0] || on[1] -> crash(true); tidy() }
  :: on[0] && on[1] && stray == 0 -> calm = 1; break
#endif
  od
}

#ifdef LIES
/*
 * A server that does what it likes: says any word at any time, but `delivered` only with a receipt
 * that it has seen; loses, keeps, repeats and reorders envelopes. Needs no mailbox; W is 1.
 */
active proctype Liar() {
  byte x, e, what;
  do
  :: atomic {
       on[0] -> select(x : 0 .. N0 - 1); select(what : STORED .. UNKNOWN);
       d_step {
         if
         :: phase[x] == OUT && (what != DELIVERED || ended[CURRENT(x)] == DELIVERED) -> apply(x, what)
         :: else
         fi;
         toPut[x] = 0; noRoom[0] = 0; x = 0; what = 0;
         tidy()
       }
     }
  :: atomic {
       on[1] && len(flight[1]) == 0 -> select(e : 0 .. N0 * G - 1);
       flight[1]!e; e = 0
     }
  od
}
#endif

init {
  atomic {
#if N0 > 0
    run Outbox(0); run Inbox(1);
#endif
#if N1 > 0
    run Outbox(1); run Inbox(0);
#endif
#ifdef FLOOD
    run Stranger();
#endif
    skip
  }
}

/* If both ends are online together for long enough, every message is delivered. */
ltl delivery { [] (calm -> <> EVERYTHING_DELIVERED) }
#ifdef CHURN
/* Evictions come to an end, whoever is away. */
ltl rest { <> [] !churn }
#endif
