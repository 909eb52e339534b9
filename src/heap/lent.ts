import { MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE } from '../constants.ts'
import { isDword } from '../errors.ts'
import { HDR, PAGE, UNIT, UNIT_SHIFT } from '../machine/layout.ts'
import type { Lease, Machine, PageCallbacks } from '../machine/machine.ts'
import { allCommitted, KIND_APP, KIND_LENT, RES, res, reservationAt, setHeapOf, setRes } from '../machine/pages.ts'
import { enter, leave } from '../machine/section.ts'
import { needTidy } from '../machine/threads.ts'
import { BUSY, indexOf, REC, recordOf } from './record.ts'

/**
 * Pages that come from the caller's callbacks (CeHeapCreate, CH-4): a reservation of the app's own becomes a region of the heap.
 *
 *   app's reservation --alloc(0, n, RESERVE)--> lent to the heap --free(base, n, RELEASE)--> app's again
 *
 * While it is lent the app may change its pages only from inside a callback, and only what that callback was asked to change: the
 * lease. The heap whose callback runs is in the middle of a call: its record is BUSY, and every call on it is refused.
 *
 * The callbacks live in the JS thread that created the heap: another thread uses the heap's committed pages and is refused new ones.
 */

/** Names one heap for ever: the callbacks of a heap that another thread destroyed are never taken for those of its successor. */
function keyOf(machine: Machine, record: number): number {
  return (machine.sys[record + REC.GENERATION] as number) * 0x10000 + indexOf(machine, record)
}

export function setCallbacks(machine: Machine, record: number, callbacks: PageCallbacks): void {
  machine.sys[record + REC.CALLBACKS] = 1
  machine.pageCallbacks.set(keyOf(machine, record), callbacks)
}

export function dropCallbacks(machine: Machine, record: number): void {
  machine.pageCallbacks.delete(keyOf(machine, record))
}

/** Whether this JS thread can call the heap's callbacks. */
export function hasCallbacks(machine: Machine, record: number): boolean {
  return machine.pageCallbacks.has(keyOf(machine, record))
}

/** Whether a page callback of the heap that `handle` names is running in this thread. */
export function isBusy(machine: Machine, handle: number): boolean {
  const record = recordOf(machine, handle)
  return machine.leases.length > 0 && record !== 0 && machine.sys[record + REC.HANDLE] === BUSY
}

/** An answer of a page callback that is not what it was asked for (C-35); it waits among the callback errors. */
export class WrongPages {
  readonly answer: number

  constructor(answer: number) {
    this.answer = answer
  }
}

function call(machine: Machine, record: number, which: 'alloc' | 'free', lease: Omit<Lease, 'record' | 'entered'>): number {
  const callbacks = machine.pageCallbacks.get(keyOf(machine, record))
  // A callback that threw or gave what it was not asked for has failed the whole call: it is not asked again for the same call.
  if (callbacks === undefined || (which === 'alloc' && machine.callbackErrors.length > 0)) return 0
  const handle = machine.sys[record + REC.HANDLE] as number
  machine.sys[record + REC.HANDLE] = BUSY
  machine.leases.push({ ...lease, record, entered: machine.sys[record + REC.LOCK_COUNT] as number })
  try {
    const answer = callbacks[which](lease.address, lease.bytes, lease.action)
    return isDword(answer) ? answer : 0
  } catch (error) {
    // The heap's section is held: the call ends first, then the thread hears of it.
    machine.callbackErrors.push(error)
    return 0
  } finally {
    try {
      // A call that the callback made was ended by an error: what it was in is told from what this call is in only until here.
      if (machine.adrift) machine.abandon?.()
    } finally {
      machine.leases.pop()
      // process.close() from inside the callback has ended the heap.
      if (machine.sys[record + REC.HANDLE] === BUSY) machine.sys[record + REC.HANDLE] = handle
    }
  }
}

/** Asks the caller for a reservation; returns its first unit if it is one of the app's own and long enough, else 0 (C-35). */
export function borrow(machine: Machine, who: number, record: number, bytes: number): number {
  const address = call(machine, record, 'alloc', { action: MEM_RESERVE, address: 0, bytes })
  const unit = address >>> UNIT_SHIFT
  if (address === 0) return 0
  // A call of the callback's may have left something loose.
  needTidy(machine)
  enter(machine, HDR.LOCK, who)
  const fits =
    address % UNIT === 0 &&
    unit < machine.layout.units &&
    reservationAt(machine, unit) === unit &&
    res(machine, unit, RES.KIND) === KIND_APP &&
    res(machine, unit, RES.PAGES) * PAGE >= bytes
  if (fits) {
    setHeapOf(machine, unit, indexOf(machine, record))
    setRes(machine, unit, RES.KIND, KIND_LENT)
  }
  leave(machine, HDR.LOCK)
  if (!fits) machine.callbackErrors.push(new WrongPages(address))
  return fits ? unit : 0
}

/** Asks the caller to commit the pages of [address, address + bytes); whether it says so and did (C-35). What it did is in the page table. */
export function askCommit(machine: Machine, record: number, address: number, bytes: number): boolean {
  const first = address - (address % PAGE)
  const end = Math.ceil((address + bytes) / PAGE) * PAGE
  const answer = call(machine, record, 'alloc', { action: MEM_COMMIT, address: first, bytes: end - first })
  if (answer === 0) return false
  const done = answer === first && allCommitted(machine, address, bytes)
  if (!done) machine.callbackErrors.push(new WrongPages(answer))
  return done
}

/** Asks the caller to decommit whole pages; what came of it is in the page table. */
export function askDecommit(machine: Machine, record: number, address: number, bytes: number): void {
  call(machine, record, 'free', { action: MEM_DECOMMIT, address, bytes })
}

/** Makes the region at `unit` a reservation of the app's again. Precondition: inside the process section. */
export function unlend(machine: Machine, unit: number): void {
  setRes(machine, unit, RES.KIND, KIND_APP)
  setHeapOf(machine, unit, 0)
  setRes(machine, unit, RES.NEXT, 0)
  setRes(machine, unit, RES.PREV, 0)
  setRes(machine, unit, RES.GRANULES, 0)
}

/** Tells the caller that it may release the reservation, which is the app's again. */
export function askRelease(machine: Machine, record: number, address: number, bytes: number): void {
  call(machine, record, 'free', { action: MEM_RELEASE, address, bytes })
}
