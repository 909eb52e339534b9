/*
 * The protocol of a section's two words (section.ts), as a model for `spin`: three threads, the burier, and fate, which kills.
 * `npm run prove` checks it and lets it find every bug that is planted below by #ifdef.
 *
 * What is proven, over every order of the steps, each thread entering as often as it likes and ending when it likes:
 *
 *   mutual exclusion   inside <= 1 at every take, and the word names who is inside
 *   recursion          a taken section begins with count 0, and as many leaves as enters free it
 *   no lost wake-up    no end with a sleeper: whatever the others do and whenever they stop, who waits gets in or, having a bound, gives up
 *   no deadlock        the same: nobody is stuck at any other step
 *   no livelock        somebody gets in again and again as long as anybody tries (without deaths, every thread taking its steps)
 *   mended first       nobody enters by the free word while what a dead owner left is torn
 *
 * What it abstracts: one section (their order is no matter of the words); spinning is a look at the word; one call (the call's bits
 * do not decide anything); a bound may run out at any moment; a sleeper may wake without cause at any moment (such a sleeper is
 * `light`: it proves nothing about wake-ups; every waiter has the choice each time, so that a `sound` one must do without). Naps, the
 * looks that a waiter takes every 250 ms, are left out: the protocol does not need them, except where a thread that was woken
 * dies before it gets in and nobody ever tells of it (UNBURIED; refuted without NAPS, proven with).
 *
 * Each step names the code it stands for; spec/machine/model.spec.ts looks whether that code is still there.
 */
#define TID 7
#define WAITERS 8
#define ORPHAN 16
#define BURIER 4
/* How many of the three threads can die. Each as often as it likes: buried, its id is a new thread's. */
#ifndef MORTALS
#define MORTALS 0
#endif

/* threads.ts; a GONE thread runs no more, but nobody knows: `LIVE` there. */
mtype = { LIVE, GONE, DEAD, FREE }

byte word                 /* word 0 */
byte count                /* word 1 */
bool asleep[4]            /* parked, and not woken yet */
mtype state[5] = LIVE
byte doomed               /* who dies before its next step */

/* Ghosts: what the proof speaks about, and no thread sees. */
byte inside               /* how many own the section */
bool torn                 /* what stands behind it is half changed */

#define GOT_FREE assert(inside == 0 && !torn && count == 0); inside++; in = true; claim = who

/* wait.ts: `Atomics.notify(cells, at, 1)`: any one of those that sleep, which includes the order of the real queue. */
inline wakeOne() {
  atomic {
    if
    :: asleep[1] -> asleep[1] = false
    :: asleep[2] -> asleep[2] = false
    :: asleep[3] -> asleep[3] = false
    :: else
    fi
  }
}

proctype Thread(byte who) {
  byte seen, claim, depth;
  bool in;

attached:
  {
      claim = who;
    out:
      seen = 0;
      if
      :: d_step { true -> claim = who; assert(!in && depth == 0) }
      :: goto detached
      fi;

    enter:
      if
      /* section.ts: `const seen = machine.take(at << 2, who)` */
      /* hot.as: `atomic.cmpxchg<i32>(<usize>record << 2, 0, who) == 0` */
#ifdef TAKE_IN_TWO
      :: word == 0 -> d_step { word = who; GOT_FREE } goto critical
#else
      :: d_step { word == 0 -> word = who; GOT_FREE } goto critical
#endif
      /* section.ts: `if (isOwn(first, who)) {` `sys[at + 1] = (sys[at + 1] as number) + 1`, and the same in tryEnter:
         `machine.sys[at + 1] = (machine.sys[at + 1] as number) + 1` */
#ifdef OWN_ORPHAN
      :: d_step { (word & TID) == who -> count++; depth++ } goto critical
      :: word != 0 && (word & TID) != who
#else
      :: d_step { (word & (ORPHAN | TID)) == who -> count++; depth++ } goto critical
      :: word != 0 && (word & (ORPHAN | TID)) != who
#endif
      /* section.ts: `return (seen & ORPHAN) !== 0 && takeOver(machine, at, who, seen)`: tryEnter gives up */
      :: word != 0 && (word & TID) != who -> goto out
      fi;

    again:
      if
      /* section.ts: `let seen = Atomics.load(sys, at)` `if (seen === 0) {` */
      :: word == 0 ->
         if
         /* section.ts: `if (machine.take(at << 2, claim) === 0) return` */
         :: d_step { word == 0 -> word = claim; GOT_FREE } goto critical
         :: word != 0 -> goto again
         fi
#ifdef BY_TABLE
      :: d_step { word != 0 -> seen = word };
         if
         :: state[seen & TID] == DEAD
         :: else -> goto owned
         fi;
#else
      /* section.ts: `if ((seen & ORPHAN) !== 0) {` */
      :: d_step { word & ORPHAN -> seen = word };
#endif
         if
         /* section.ts: `if (Atomics.compareExchange(sys, at, seen, who | WAITERS) !== seen) return false` */
         :: d_step { word == seen -> word = who | WAITERS; assert(inside == 0); inside++; in = true } goto inherit
         :: d_step { word != seen -> seen = 0 } goto again
         fi
#ifndef BY_TABLE
      :: d_step { word != 0 && !(word & ORPHAN) -> seen = word }
#endif
      fi;

    owned:
      if
      /* section.ts: `if (seen > 0) {` */
      :: seen & WAITERS
      /* section.ts: `if (Atomics.compareExchange(sys, at, seen, seen | WAITERS) !== seen) continue` `seen |= WAITERS` */
#ifdef MARK_BY_STORE
      :: !(seen & WAITERS) -> seen = seen | WAITERS; word = seen
#else
      :: d_step { !(seen & WAITERS) && word == seen -> seen = seen | WAITERS; word = seen }
#endif
      /* section.ts: `if (backOff(sys, at, WAITERS | ORPHAN)) continue` or the compare-exchange that fails */
#ifdef STALE_RETRY
      :: !(seen & WAITERS) && word != seen -> goto owned
#else
      :: d_step { !(seen & WAITERS) && word != seen -> seen = 0 } goto again
#endif
      fi;

      /* section.ts: `claim = who | WAITERS` */
#ifdef DROP_WAITERS
#define CLAIM skip
#else
#define CLAIM claim = who | WAITERS
#endif
#ifdef NAPS
#define DROZE skip
#else
#define DROZE seen = 0
#endif
      if
      /* wait.ts: `Atomics.wait(cells, at, seen, ms)`, the look at the word and the falling asleep in one */
#ifdef BLIND_PARK
      :: d_step { CLAIM; asleep[who] = true; DROZE } goto sound
#else
      :: d_step { word == seen -> CLAIM; asleep[who] = true; DROZE } goto sound
#endif
      :: d_step { word == seen -> CLAIM; asleep[who] = true } goto light
      :: d_step { word != seen -> CLAIM; seen = 0 } goto again
      fi;

#ifdef UNBURIED
    end_sound:
#endif
    sound:
      if
      :: d_step { !asleep[who] -> seen = 0 } goto again
      /* enterlater.ts: `if (before !== 0) wakeOne(sys, at)`: who waits by a promise may have given up before it was woken, and hands the wake-up on */
      :: d_step { !asleep[who] -> seen = 0 }
#ifndef QUIET_QUITTER
         wakeOne();
#endif
         if
         :: goto again
         :: goto out
         fi
#ifdef NAPS
      /* section.ts: `const nap = Math.min(NAP, timeout - waited)`; a nap after which the word is as it was changes nothing */
      :: d_step { asleep[who] && word != seen -> asleep[who] = false; seen = 0 } goto again
#endif
      fi;

    light:
      if
      /* section.ts: `if (park(sys, at, seen, nap)) {` */
      :: d_step { !asleep[who] -> seen = 0 } goto again
      /* woken without cause */
      :: d_step { asleep[who] -> asleep[who] = false; seen = 0 } goto again
      /* out of time */
      :: d_step { asleep[who] -> asleep[who] = false }
         if
         /* section.ts: `Atomics.load(sys, at) !== seen) continue` */
         :: d_step { word != seen -> seen = 0 } goto again
         /* section.ts: `throw new LockTimeoutError(seen & TID, timeout)` */
#ifdef TIMEOUT_CLEARS
         :: d_step { word == seen -> word = word & ~WAITERS } goto out
#else
         :: word == seen -> goto out
#endif
         fi
      fi;

    inherit:
      /* section.ts: `sys[at + 1] = 0` */
#ifndef KEEP_COUNT
      count = 0;
#endif
      if
      /* section.ts: `machine.repair?.(at, who & WHO, seen & WHO)` */
      :: d_step { torn = false; seen = 0; claim = who }
#ifdef FREE_UNMENDED
      :: seen = 0; goto give
#elif !defined(BY_TABLE)
      /* section.ts: `Atomics.store(sys, at, seen | WAITERS)` `wakeOne(sys, at)` `throw error` */
      :: d_step { word = seen | WAITERS; inside--; in = false }
         wakeOne(); goto out
#endif
      fi;

    critical:
    progress_inside:
      torn = true;
      if
      :: d_step { depth < 1 -> assert(inside == 1 && (word & (ORPHAN | TID)) == who) } goto enter
      /* section.ts: `if (machine.sys[at + 1] !== 0) leaveOnce(machine.sys, at)` `sys[at + 1] = (sys[at + 1] as number) - 1` */
      :: d_step { count != 0 -> assert(depth == count); count--; depth-- } goto critical
      :: d_step { count == 0 -> assert(depth == 0); torn = false }
      fi;

    give:
      skip;
#ifdef WAKE_FIRST
      if
      :: word & WAITERS -> wakeOne()
      :: else
      fi;
      d_step { word = 0; inside--; in = false }
#else
      /* section.ts: `else if (machine.give(at << 2) < 0) wakeOne(machine.sys, at)` */
      /* hot.as: `if (atomic.xchg<i32>(<usize>record << 2, 0) < 0) wake(record)` */
#ifdef GIVE_IN_TWO
      seen = word & WAITERS;
      d_step { word = 0; inside--; in = false }
#else
      d_step { seen = word & WAITERS; word = 0; inside--; in = false }
#endif
      if
#ifdef NO_WAKE
      :: true
#else
      :: seen -> wakeOne()
      :: else
#endif
      fi;
#endif
      goto out
  } unless {
    /* Death, before any step. */
    d_step {
      doomed == who -> doomed = 0; asleep[who] = false; state[who] = GONE;
      if :: in -> inside--; in = false :: else fi;
      seen = 0; claim = 0; depth = 0
    }
  }
  /* threads.ts: `Atomics.compareExchange(sys, slot + THREAD.TICKET, 0, ticket + 1)`: the id is given out again, or is not */
end_dead:
  if
  :: state[who] == FREE -> state[who] = LIVE; goto attached
  :: state[who] == FREE
  fi;
detached:
  state[who] = FREE
}

/* death.ts: buryThread. It may come at any time after the death. */
proctype Burier() {
  byte seen, k;
end:
  do
  /* death.ts: `moveThread(machine, tid, state, DEAD)` */
  :: d_step { state[1] == GONE -> k = 1; state[1] = DEAD } break
  :: d_step { state[2] == GONE -> k = 2; state[2] = DEAD } break
  :: d_step { state[3] == GONE -> k = 3; state[3] = DEAD } break
  od;
mark:
  skip;
#ifndef BY_TABLE
  if
  /* section.ts: `const seen = Atomics.load(sys, at)` `if ((seen & (ORPHAN | TID)) !== tid) break` */
  :: d_step { (word & (ORPHAN | TID)) == k -> seen = word }
     if
     /* section.ts: `if (Atomics.compareExchange(sys, at, seen, seen | ORPHAN) === seen) break` */
     :: d_step { word == seen -> word = word | ORPHAN; seen = 0 }
     :: d_step { word != seen -> seen = 0 } goto mark
     fi
  :: (word & (ORPHAN | TID)) != k
  fi;
#endif
  /* section.ts: `wakeAll(sys, at)` */
#ifndef NO_WAKE_ALL
  d_step { asleep[1] = false; asleep[2] = false; asleep[3] = false };
#endif
  if
#ifdef BY_TABLE
  :: d_step { (word & TID) == k -> seen = word }
#else
  /* death.ts: `if ((seen & ORPHAN) !== 0 && takeOver(machine, at, who, seen, false)) leave(machine, at)` */
  :: d_step { word & ORPHAN -> seen = word }
#endif
     if
#ifdef BY_TABLE
     :: d_step { word != seen -> seen = 0 } goto mark
#else
     :: d_step { word != seen -> seen = 0 }
#endif
     :: d_step { word == seen -> word = BURIER | WAITERS; assert(inside == 0); inside++ }
        count = 0;
        if
        :: torn = false;
           d_step { assert(inside == 1); seen = word & WAITERS; word = 0; inside-- }
           if
           :: seen -> wakeOne()
           :: else
           fi
#ifndef BY_TABLE
        :: d_step { word = seen | WAITERS; inside-- }
           wakeOne()
#endif
        fi
     fi
#ifdef BY_TABLE
  :: (word & TID) != k
#else
  :: !(word & ORPHAN)
#endif
  fi;
  /* death.ts: `partThread(machine, tid)` */
  d_step { state[k] = FREE; k = 0; seen = 0 }
  goto end
}

proctype Fate() {
  do
  :: d_step { doomed == 0 && state[1] == LIVE -> doomed = 1 }
#if MORTALS > 1
  :: d_step { doomed == 0 && state[2] == LIVE -> doomed = 2 }
#endif
#if MORTALS > 2
  :: d_step { doomed == 0 && state[3] == LIVE -> doomed = 3 }
#endif
  :: break
  od
}

#ifdef UNBURIED
/* When nothing can move any more, whoever sleeps does so because of an owner that is dead. */
proctype Judge() {
#define EXCUSED(t) assert(!asleep[t] || ((word & TID) != 0 && state[word & TID] == GONE))
end:
  timeout -> d_step { EXCUSED(1); EXCUSED(2); EXCUSED(3) }
}
#endif

init {
  atomic {
    run Thread(1);
    run Thread(2);
    run Thread(3);
#ifdef UNBURIED
    run Judge();
#else
#if MORTALS > 0
    run Burier();
#endif
#endif
#if MORTALS > 0
    run Fate()
#endif
  }
}
