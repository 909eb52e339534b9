import {
  ERROR_ACCESS_DENIED,
  ERROR_INVALID_ADDRESS,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_TOP_DOWN,
  PAGE_EXECUTE,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_NOCACHE,
  PAGE_READONLY,
  PAGE_READWRITE
} from '../constants.ts'
import { isDword, notDword } from '../errors.ts'
import { HDR, PAGE, PAGE_SHIFT, PAGES_PER_UNIT, UNIT, UNIT_SHIFT } from '../machine/layout.ts'
import {
  allCommitted,
  commit,
  decommitPages,
  KIND_APP,
  KIND_LENT,
  madeFor,
  pageProtection,
  protectPages,
  RES,
  releaseApp,
  res,
  reservationAt,
  reserve,
  reserveAt
} from '../machine/pages.ts'
import { enter, leave } from '../machine/section.ts'
import { needTidy, settle } from '../machine/threads.ts'
import { fail, needOpen } from './caller.ts'
import type { Caller } from './caller.ts'
import type { CallName } from './calls.ts'
import { OutPointer } from './out.ts'
import { whoIn } from './who.ts'
import type { Taker } from './out.ts'

const PROTECTIONS: readonly number[] = [
  PAGE_NOACCESS,
  PAGE_READONLY,
  PAGE_READWRITE,
  PAGE_EXECUTE,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE
]

/** One base protection, with or without PAGE_NOCACHE and PAGE_GUARD; a guard needs access to guard (VP-4). */
export function isProtection(flProtect: number): boolean {
  const base = flProtect & ~(PAGE_GUARD | PAGE_NOCACHE)
  return PROTECTIONS.includes(base) && !(base === PAGE_NOACCESS && (flProtect & PAGE_GUARD) !== 0)
}

const IN_HEAP = -1

/**
 * Whether a page callback is running that was asked for this: to commit pages of the reservation `home`, or to decommit the range.
 * More would take committed pages from under the heap's blocks.
 */
function leased(ce: Caller, home: number, action: number, address: number, size: number): boolean {
  const lease = ce.machine.leases.at(-1)
  if (lease === undefined || lease.action !== action) return false
  if (action === MEM_COMMIT) return reservationAt(ce.machine, lease.address >>> UNIT_SHIFT) === home
  return size > 0 && address >= lease.address && address + size <= lease.address + lease.bytes
}

/**
 * First unit of the app's own reservation that holds the whole range; 0 if there is none, IN_HEAP for a range in a heap, which is not
 * the app's to change but as its page callbacks are asked to. Precondition: inside the process section.
 */
function ownReservation(ce: Caller, action: number, address: number, size: number): number {
  const { machine } = ce
  const unit = address >>> UNIT_SHIFT
  const home = unit < machine.layout.units ? reservationAt(machine, unit) : -1
  if (home < 0) return 0
  const kind = res(machine, home, RES.KIND)
  if (kind !== KIND_APP && !(kind === KIND_LENT && leased(ce, home, action, address, size))) return IN_HEAP
  // A range of no bytes lies where its address does.
  return address + Math.max(size, 1) <= home * UNIT + res(machine, home, RES.PAGES) * PAGE ? home : 0
}

/** Runs `act` on the app's reservation that holds the range, inside the process section; without one the call fails (C-21). */
function onOwnReservation(
  ce: Caller,
  call: CallName,
  action: number,
  address: number,
  size: number,
  act: (home: number) => number
): number {
  enter(ce.machine, HDR.LOCK, whoIn(ce, call))
  const home = ownReservation(ce, action, address, size)
  const result = home > 0 ? act(home) : fail(ce, ERROR_INVALID_ADDRESS)
  leave(ce.machine, HDR.LOCK)
  if (home === IN_HEAP) ce.raise('heapPages', call, address)
  return result
}

/** Whether VirtualAlloc can mean anything by these, whatever the address (VA-4, C-66, C-72). */
export function isAllocation(dwSize: number, flAllocationType: number, flProtect: number): boolean {
  const action = flAllocationType & ~MEM_TOP_DOWN
  const known = action === MEM_RESERVE || action === MEM_COMMIT || action === (MEM_RESERVE | MEM_COMMIT)
  return dwSize !== 0 && known && isProtection(flProtect)
}

/** `host` is the number of the CLR host that reserves, so that it knows its own again. */
export function virtualAlloc(
  ce: Caller,
  lpAddress: number,
  dwSize: number,
  flAllocationType: number,
  flProtect: number,
  call: CallName = 'VirtualAlloc',
  host = 0
): number {
  if (!isDword(lpAddress)) throw notDword(call, 'lpAddress', lpAddress)
  if (!isDword(dwSize)) throw notDword(call, 'dwSize', dwSize)
  if (!isDword(flAllocationType)) throw notDword(call, 'flAllocationType', flAllocationType)
  if (!isDword(flProtect)) throw notDword(call, 'flProtect', flProtect)
  needOpen(ce, call)
  if (!isAllocation(dwSize, flAllocationType, flProtect)) return fail(ce, ERROR_INVALID_PARAMETER)
  const action = flAllocationType & ~MEM_TOP_DOWN
  // Every page touched (VA-5); the sum cannot wrap in a double.
  const first = lpAddress - (lpAddress % PAGE)
  const size = Math.ceil((lpAddress + dwSize - first) / PAGE) * PAGE
  if (lpAddress !== 0 && (action & MEM_RESERVE) === 0) {
    return onOwnReservation(ce, call, action, first, size, () =>
      commit(ce.machine, ce.tid, first, size, flProtect) >= 0 ? first : fail(ce, ERROR_NOT_ENOUGH_MEMORY)
    )
  }
  if (action === MEM_COMMIT) ce.raise('commitNull', call)
  // A reservation begins at the 64 KB border below the address, and what is reserved and committed at once is committed from there (VA-3).
  const start = lpAddress - (lpAddress % UNIT)
  const bytes = first + size - start
  // Not before: a listener may have made calls.
  needTidy(ce.machine)
  // One step to the other threads: a stale VirtualFree must not take the reservation before it is committed.
  enter(ce.machine, HDR.LOCK, whoIn(ce, call))
  const base =
    lpAddress === 0 ? reserveAnywhere(ce, bytes, flAllocationType, flProtect, host) : reserveThere(ce, start, bytes, flProtect, host)
  const result = base === 0 || (action & MEM_COMMIT) === 0 ? base : commitNew(ce, base, bytes, flProtect)
  leave(ce.machine, HDR.LOCK)
  settle(ce.machine)
  return result
}

/**
 * CeVirtualSharedAlloc (VX-2): memory of the caller's that other processes may read; here there are none, so it is the caller's like any other.
 * Action 0 reserves and commits, MEM_RESERVE wants no address, MEM_COMMIT one in such a reservation.
 */
export function ceVirtualSharedAlloc(ce: Caller, lpvAddr: number, cbSize: number, fdwAction: number): number {
  if (!isDword(lpvAddr)) throw notDword('CeVirtualSharedAlloc', 'lpvAddr', lpvAddr)
  if (!isDword(cbSize)) throw notDword('CeVirtualSharedAlloc', 'cbSize', cbSize)
  if (!isDword(fdwAction)) throw notDword('CeVirtualSharedAlloc', 'fdwAction', fdwAction)
  needOpen(ce, 'CeVirtualSharedAlloc')
  if (ce.machine.sys[HDR.KERNEL_MODE] === 0) {
    ce.raise('sharedAlloc', 'CeVirtualSharedAlloc')
    return fail(ce, ERROR_ACCESS_DENIED)
  }
  const fresh = fdwAction === 0 || fdwAction === MEM_RESERVE
  if (!(fresh && lpvAddr === 0) && !(fdwAction === MEM_COMMIT && lpvAddr !== 0)) return fail(ce, ERROR_INVALID_PARAMETER)
  return virtualAlloc(ce, lpvAddr, cbSize, fdwAction === 0 ? MEM_RESERVE | MEM_COMMIT : fdwAction, PAGE_READWRITE)
}

/** Commits a reservation just made, or takes it back. */
function commitNew(ce: Caller, base: number, bytes: number, flProtect: number): number {
  if (commit(ce.machine, ce.tid, base, bytes, flProtect) >= 0) return base
  releaseApp(ce.machine, ce.tid, base >>> UNIT_SHIFT)
  return fail(ce, ERROR_NOT_ENOUGH_MEMORY)
}

function reserveAnywhere(ce: Caller, bytes: number, flAllocationType: number, flProtect: number, host: number): number {
  const topDown = (flAllocationType & MEM_TOP_DOWN) !== 0
  return reserve(ce.machine, ce.tid, bytes, KIND_APP, madeFor(host), flProtect, topDown) * UNIT || fail(ce, ERROR_NOT_ENOUGH_MEMORY)
}

function reserveThere(ce: Caller, start: number, bytes: number, flProtect: number, host: number): number {
  const unit = reserveAt(ce.machine, ce.tid, start, bytes, KIND_APP, madeFor(host), flProtect)
  return unit > 0 ? unit * UNIT : fail(ce, unit < 0 ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_ADDRESS)
}

/**
 * The protection of committed pages of one reservation (VP-1, VP-2). The old protection, that of the first page, is written before the new one
 * holds: the out-pointer may lie in these very pages.
 */
export function virtualProtect(
  ce: Taker,
  lpAddress: number,
  dwSize: number,
  flNewProtect: number,
  lpflOldProtect: number,
  call: CallName = 'VirtualProtect'
): number {
  if (!isDword(lpAddress)) throw notDword(call, 'lpAddress', lpAddress)
  if (!isDword(dwSize)) throw notDword(call, 'dwSize', dwSize)
  if (!isDword(flNewProtect)) throw notDword(call, 'flNewProtect', flNewProtect)
  if (!isDword(lpflOldProtect)) throw notDword(call, 'lpflOldProtect', lpflOldProtect)
  needOpen(ce, call)
  const out = new OutPointer(ce, call, lpflOldProtect, 4)
  const result = reprotect(ce, call, lpAddress, dwSize, flNewProtect, (old) => out.write(() => ce.memory.writeU32(lpflOldProtect, old)))
  out.tell()
  return result
}

/** VirtualProtect with arguments that are DWORDs; `store` takes the old protection, and false where it cannot, which makes the call fail. */
export function reprotect(
  ce: Caller,
  call: CallName,
  lpAddress: number,
  dwSize: number,
  flNewProtect: number,
  store: (old: number) => boolean = () => true
): number {
  if (dwSize === 0 || !isProtection(flNewProtect)) return fail(ce, ERROR_INVALID_PARAMETER)
  return onOwnReservation(ce, call, 0, lpAddress, dwSize, () => {
    if (!allCommitted(ce.machine, lpAddress, dwSize)) return fail(ce, ERROR_INVALID_ADDRESS)
    const first = lpAddress >>> PAGE_SHIFT
    if (!store(pageProtection(ce.machine, first))) return fail(ce, ERROR_INVALID_PARAMETER)
    protectPages(ce.machine, first, (lpAddress + dwSize - 1) >>> PAGE_SHIFT, flNewProtect)
    return 1
  })
}

export function virtualFree(ce: Caller, lpAddress: number, dwSize: number, dwFreeType: number, call: CallName = 'VirtualFree'): number {
  if (!isDword(lpAddress)) throw notDword(call, 'lpAddress', lpAddress)
  if (!isDword(dwSize)) throw notDword(call, 'dwSize', dwSize)
  if (!isDword(dwFreeType)) throw notDword(call, 'dwFreeType', dwFreeType)
  needOpen(ce, call)
  if (dwFreeType !== MEM_RELEASE && dwFreeType !== MEM_DECOMMIT) return fail(ce, ERROR_INVALID_PARAMETER)
  if (dwFreeType === MEM_RELEASE && dwSize !== 0) return fail(ce, ERROR_INVALID_PARAMETER)
  return onOwnReservation(ce, call, dwFreeType, lpAddress, dwSize, (home) => {
    if (lpAddress !== home * UNIT && dwSize === 0) return fail(ce, ERROR_INVALID_PARAMETER)
    return dwFreeType === MEM_RELEASE ? releaseOwn(ce, home) : decommitOwn(ce, home, lpAddress, dwSize)
  })
}

/** All pages must be in one state, all reserved or all committed (VF-5). */
function releaseOwn(ce: Caller, home: number): number {
  const committed = res(ce.machine, home, RES.COMMITTED)
  if (committed !== 0 && committed !== res(ce.machine, home, RES.PAGES)) return fail(ce, ERROR_INVALID_PARAMETER)
  releaseApp(ce.machine, ce.tid, home)
  return 1
}

/** Every page touched, committed or not (VF-3); size 0 at the base means the whole reservation. */
function decommitOwn(ce: Caller, home: number, address: number, size: number): number {
  const end = size === 0 ? home * PAGES_PER_UNIT + res(ce.machine, home, RES.PAGES) : Math.ceil((address + size) / PAGE)
  decommitPages(ce.machine, ce.tid, Math.floor(address / PAGE), end - 1)
  return 1
}
