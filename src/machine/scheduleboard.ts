import type { Layout } from './layout.ts'
import { HDR } from './layout.ts'

/**
 * The board: one shared buffer beside the two memories, where the threads of a scheduled process agree on whose turn it is. Words of 32 bits:
 *
 *   | header   | seats      | plan                       | choices                     | steps (schedulesteps.ts) |
 *     64 words   16 a seat    change points of pct, or     2 a choice: who was chosen, with
 *                             2 words an event to replay   PLAIN if he need not be told; his deed
 *
 *   seat       a participant's place: the k-th token's is seat k - 1, whose thread has the id k + 1
 *   turn       seat + 1 of the one who runs, with LEAVING while he hands it on for the last time; who has it is the only one to write to the board, but to his own seat
 *   point      where a thread may have to hand the turn on: before it takes a section, and after it has left one; entering once more and leaving
 *              as often is none, since nobody else could tell
 *   step       what the thread with the turn does from one point to the next; numbered from 1
 *   choice     a step that more than one thread could have made, or that begins with a try
 *   deed       section << 2 | TAKE, TRY or LEFT: what a thread does at a point; the section by its word in system memory. Of a choice also REFUSED:
 *              a try that fails, because it did in the recorded run, whether somebody is inside or not
 *
 *   GATHERING --every seat is at its first point or empty--> RUNNING --the last seat is empty--> OVER
 *        \-------------------------------------------------------\----a failure--> FAILED
 */
export const BOARD = {
  KIND: 0,
  SEATS: 1,
  PHASE: 2,
  TURN: 3,
  STEP: 4,
  /** The step in which the turn last went from one thread to another. */
  SINCE: 5,
  /** Seat + 1 of the thread that made the last step. */
  LAST: 6,
  PREEMPTIONS: 7,
  CHOICES: 8,
  /** Seats that have arrived at their first point. */
  ARRIVED: 9,
  /** The generator's state (schedulerandom.ts). */
  RANDOM: 10,
  PLAN: 11,
  PLAN_LENGTH: 12,
  /** How much of the plan is done. */
  DONE: 13,
  CHOICES_AT: 14,
  CHOICES_LIMIT: 15,
  /** The lowest priority given so far (pct). */
  LOWEST: 16,
  /** Steps of the run that is replayed; 0 if it did not come to its end. */
  PLAN_STEPS: 17,
  // What a guided run writes down (schedulesteps.ts): where, how many steps, how many things touched.
  STEPS_AT: 18,
  STEPS: 19,
  /** Somebody writes down a failure. */
  FAILING: 20,
  FAILURE: 21,
  FAILED_STEP: 22,
  FAILED_SEAT: 23,
  /** Two deeds, or a time in milliseconds. */
  FAILED_A: 24,
  FAILED_B: 25,
  TOUCHED: 26
} as const

export const SEAT = {
  STATE: 0,
  DEED: 1,
  /** Counts what this seat is woken for; its thread parks here. */
  GO: 2,
  PRIORITY: 3,
  /** It tried a section in vain, and would only try again: going on to another thread is no preemption. */
  YIELDS: 4,
  /** The next try of a section is to be refused (recorded). */
  REFUSED: 5,
  // When the run failed: its deed then if it waited for a section, else 0; and who owned that section.
  WAITED: 6,
  OWNER: 7,
  // Of an order of grants that is replayed.
  /** Events of this seat that are done. */
  EVENTS: 8,
  /** Ends of it that have come before the plan came to them. */
  ENDS: 9,
  /** The wait that it is let out of ends there. */
  STOPS: 10
} as const

/** In the first word of a choice: without it the turn would have gone the same way. */
export const PLAIN = 0x10000

/** In the turn: its thread has emptied its seat already. */
export const LEAVING = 0x10000

export const BOARD_WORDS = 64
export const SEAT_WORDS = 16

// Phases.
export const GATHERING = 0
export const RUNNING = 1
export const OVER = 2
export const FAILED = 3

// States of a seat.
export const ABSENT = 0
export const ATTACHED = 1
/** At a point or running, and able to go on but for the section of its deed. */
export const THERE = 2
export const GONE = 3

// What a deed does with its section.
export const REFUSED = 0
export const TAKE = 1
export const TRY = 2
export const LEFT = 3

// What they stand for in an order of grants, where nothing is tried or left.
/** process.terminateThread has ended the thread as it waited for the section. */
export const STOPPED: number = TRY
/** The thread has ended at a call; in the section's place, which one since its last event: 1 and up, or one of the two below. */
export const ENDED: number = LEFT
/** Nobody knows where: its worker has ended. */
export const CUT = 0
/** process.terminateThread came too late, and it has detached. */
export const IN_VAIN: number = 2 ** 24

// Failures.
export const DEADLOCK = 1
export const LATE = 2
export const DIVERGED = 3
export const CLOSED = 4

// Why a run did not begin in time.
export const NOT_ATTACHED = 1
export const NOT_CALLED = 2

export function deedOf(at: number, what: number): number {
  return (at << 2) | what
}

export function sectionOfDeed(deed: number): number {
  return deed >>> 2
}

/** Where a seat lies on the board, in words. */
export function seatAt(seat: number): number {
  return BOARD_WORDS + seat * SEAT_WORDS
}

/** The thread id of a seat: the creating thread has 1. */
export function threadOfSeat(seat: number): number {
  return seat + 2
}

/** A section in words, for messages. */
export function sectionName(layout: Layout, at: number): string {
  if (at === HDR.LOCK) return 'the process section'
  if (at === HDR.SPY_LOCK) return "the spy's section"
  if (at >= layout.sectionsAt) return `critical section ${(at - layout.sectionsAt) >>> 3}`
  return `the section of heap ${(at - layout.heapsAt) >>> 10}`
}

/** What a thread does, in words; `grants` in an order of grants. */
export function deedName(layout: Layout, deed: number, grants = false): string {
  if (grants && (deed & 3) === ENDED) return endName(sectionOfDeed(deed))
  const section = sectionName(layout, sectionOfDeed(deed))
  const what = deed & 3
  if (grants && what === STOPPED) return `ending by process.terminateThread in its wait for ${section}`
  if (what === LEFT) return `going on after it left ${section}`
  if (what === REFUSED) return `trying ${section} in vain`
  return what === TRY ? `trying ${section}` : `entering ${section}`
}

function endName(call: number): string {
  if (call === CUT) return 'ending without a word, as its worker did where it was terminated or crashed, which no replay repeats by itself'
  if (call === IN_VAIN) return 'detaching before it heard of process.terminateThread'
  return `ending by process.terminateThread at its call ${call} since`
}

/** Whether an event of an order of grants is the end that process.terminateThread brought about, or its worker's. */
export function isEnd(deed: number): boolean {
  return (deed & 3) === STOPPED || ((deed & 3) === ENDED && sectionOfDeed(deed) !== IN_VAIN)
}
