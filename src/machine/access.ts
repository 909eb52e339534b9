import { PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_GUARD, PAGE_READONLY, PAGE_READWRITE } from '../constants.ts'
import { endByError } from './adrift.ts'
import { HDR, PAGE, PAGE_SHIFT } from './layout.ts'
import { COLD } from './machine.ts'
import type { Machine } from './machine.ts'
import { clearGuard, protectionAt } from './pages.ts'
import { enter, isOwn, leave } from './section.ts'

/** What the app may do with its memory, as the page table says. */
export type Access = 'read' | 'write'

const WRITABLE = PAGE_READWRITE | PAGE_EXECUTE_READWRITE
const READABLE = WRITABLE | PAGE_READONLY | PAGE_EXECUTE | PAGE_EXECUTE_READ

/** Whether a guard lies on the page: whatever touches it next sets it off (VP-4). */
function isGuarded(protection: number): boolean {
  return (protection & PAGE_GUARD) !== 0
}

function allows(protection: number, access: Access): boolean {
  return (protection & PAGE_GUARD) === 0 && (protection & (access === 'read' ? READABLE : WRITABLE)) !== 0
}

/**
 * The first byte of [address, address + length) that cannot be accessed, because its page is not committed, is protected or has a guard; -1 if
 * all can. Address and length are 0 to 2^32 - 1, and their sum may lie beyond memory.
 */
export function firstFault(machine: Machine, address: number, length: number, access: Access): number {
  // Within one page, as nearly all are: every access of a program and every enter of its sections comes by here.
  if (length > 0 && (address & (PAGE - 1)) + length <= PAGE)
    return allows(protectionAt(machine, address >>> PAGE_SHIFT), access) ? -1 : address
  const end = address + length
  for (let at = address; at < end; at = ((at >>> PAGE_SHIFT) + 1) * PAGE)
    if (!allows(protectionAt(machine, at >>> PAGE_SHIFT), access)) return at
  return -1
}

/**
 * As an access does on the device: the first fault, and a guard that it meets has gone off then (VP-4). Enters the process section where there
 * is a guard, so that of several threads one alone sets it off.
 */
export function touch(machine: Machine, who: number, address: number, length: number, access: Access): { at: number; guard: boolean } {
  for (let at = firstFault(machine, address, length, access); ; at = firstFault(machine, address, length, access)) {
    if (at < 0) return { at, guard: false }
    const protection = protectionAt(machine, at >>> PAGE_SHIFT)
    if (isGuarded(protection)) break
    // Otherwise another thread has set the guard off since the fault was seen.
    if (!allows(protection, access)) return { at, guard: false }
  }
  const inside = isOwn(Atomics.load(machine.sys, HDR.LOCK), who)
  try {
    enter(machine, HDR.LOCK, who)
    // Another thread may have been faster, or have changed the pages before it.
    const now = firstFault(machine, address, length, access)
    const guard = now >= 0 && isGuarded(protectionAt(machine, now >>> PAGE_SHIFT))
    if (guard) clearGuard(machine, now >>> PAGE_SHIFT)
    leave(machine, HDR.LOCK)
    return { at: now, guard }
  } catch (error) {
    // The program's own accesses are no calls, and have no other border; a call that is inside leaves at its own what it has entered.
    if (!inside) {
      machine.adrift = true
      machine.hot = COLD
      endByError(machine)
    }
    throw error
  }
}
