import { COLD } from './machine.ts'
import type { Machine } from './machine.ts'
import { DeadlockError, DivergenceError, TurnTimeoutError } from './scheduleerrors.ts'
import { GrantsFullError } from './schedulegrants.ts'
import { leave, LockTimeoutError } from './section.ts'
import { ThreadTerminated } from './threads.ts'

/**
 * Errors that end a call between any two of its stores. The engine throws one at the entry of whatever function the stack has no room for any more.
 *
 *   call --sound error---> each function on the way leaves the section that it entered
 *        --other error---> no section is left: what it guards may be half changed
 *                     `--> endByError, at the border of the call --abandon--> as if the thread had died there, and it goes on
 *                                                                |`--a section could not be had--> loose: its next calls try again to undo what it had made,
 *                                                                |                                 and those that make something wait for it (needTidy)
 *                                                                `--no room even for that--> adrift: its next call, or its detaching, begins with it
 *
 * Only a thread that is adrift lets go of the sections that it is in; one that is loose may be in the midst of a call that goes on.
 *
 * The border is one for all families (coredll/border.ts), and asks for no more than what the thread still holds, so that an error of the caller's costs
 * a look at the sections.
 */

/** Errors that come in place of a section that is entered, and so between steps that belong together. */
const BEFORE_A_SECTION = [LockTimeoutError, ThreadTerminated, DeadlockError, DivergenceError, TurnTimeoutError, GrantsFullError]

/** Whether the error has come where nothing was half changed. */
export function isSound(error: unknown): boolean {
  return BEFORE_A_SECTION.some((kind) => error instanceof kind)
}

/** Leaves a section on the way of an error, unless what it guards may be half changed: then it is left by `endByError`. */
export function leaveByError(machine: Machine, at: number, error: unknown): void {
  if (isSound(error)) leave(machine, at)
}

/** At the border of a call that an error has ended: nothing of what the call was in stays entered. Never throws but for want of stack. Precondition: `adrift`, and no hot path. */
export function endByError(machine: Machine): void {
  try {
    machine.abandon?.()
  } catch {
    // The error that has ended the call is the one to hear of.
  }
}

/** The thread holds nothing any more that it does not know of; `undone` says whether nothing is loose either. */
export function ashore(machine: Machine, undone: boolean): void {
  machine.adrift = false
  machine.loose = !undone
  machine.hot = undone ? machine.warm : COLD
}
