import { ERROR_INVALID_PARAMETER, MEM_COMMIT, MEM_FREE, MEM_PRIVATE, MEM_RESERVE, PAGE_NOACCESS } from '../constants.ts'
import { isDword, notDword } from '../errors.ts'
import { HDR, PAGE, PAGE_SHIFT, UNIT, UNIT_SHIFT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { PAGE_COMMITTED, PAGE_RESERVED, pageProtection, pageState, reservationAt } from '../machine/pages.ts'
import { enter, leave, tryEnter } from '../machine/section.ts'
import { fail, needOpen } from './caller.ts'
import { OutPointer } from './out.ts'
import type { Taker } from './out.ts'
import { MEMORY_BASIC_INFORMATION } from './structures.ts'
import type { MemoryBasicInformation } from './structures.ts'
import { whoIn } from './who.ts'

/** `patient` waits for the process section; without it the pages are read as they are while another thread holds it (HO-14). */
export function virtualQuery(ce: Taker, lpAddress: number, lpBuffer: number, dwLength: number, patient = true): number {
  if (!isDword(lpAddress)) throw notDword('VirtualQuery', 'lpAddress', lpAddress)
  if (!isDword(lpBuffer)) throw notDword('VirtualQuery', 'lpBuffer', lpBuffer)
  if (!isDword(dwLength)) throw notDword('VirtualQuery', 'dwLength', dwLength)
  needOpen(ce, 'VirtualQuery')
  const { machine } = ce
  const page = lpAddress >>> PAGE_SHIFT
  const { size } = MEMORY_BASIC_INFORMATION
  if (dwLength < size || page >= machine.layout.pages) return fail(ce, ERROR_INVALID_PARAMETER)
  const out = new OutPointer(ce, 'VirtualQuery', lpBuffer, size)
  if (patient) enter(machine, HDR.LOCK, whoIn(ce, 'VirtualQuery'))
  const held = patient || tryEnter(machine, HDR.LOCK, whoIn(ce, 'VirtualQuery'))
  const written = out.write(() => MEMORY_BASIC_INFORMATION.write(ce.memory, lpBuffer, runAt(machine, page)))
  if (held) leave(machine, HDR.LOCK)
  out.tell()
  return written ? size : fail(ce, ERROR_INVALID_PARAMETER)
}

/** What the pages from `page` on have in common, as far as they do. */
function runAt(machine: Machine, page: number): MemoryBasicInformation {
  const like = kindOf(machine, page)
  let end = page + 1
  while (end < machine.layout.pages && kindOf(machine, end) === like) end++
  const state = pageState(machine, page)
  const used = state !== 0
  return {
    BaseAddress: page * PAGE,
    AllocationBase: used ? homeOf(machine, page) * UNIT : 0,
    AllocationProtect: 0,
    RegionSize: (end - page) * PAGE,
    State: state === PAGE_COMMITTED ? MEM_COMMIT : state === PAGE_RESERVED ? MEM_RESERVE : MEM_FREE,
    Protect: state === PAGE_COMMITTED ? pageProtection(machine, page) : used ? 0 : PAGE_NOACCESS,
    Type: used ? MEM_PRIVATE : 0
  }
}

/** 0 where there is none: to one who does not wait, the pages of a reservation that is being released are still there when it is not. */
function homeOf(machine: Machine, page: number): number {
  return Math.max(0, reservationAt(machine, page >>> (UNIT_SHIFT - PAGE_SHIFT)))
}

/** A number that two pages share if they are alike: of one reservation, in one state and, when committed, with one protection. 0 for a free page. */
function kindOf(machine: Machine, page: number): number {
  const state = pageState(machine, page)
  if (state === 0) return 0
  const protection = state === PAGE_COMMITTED ? pageProtection(machine, page) : 0
  // 15 bits of unit, 12 of protection, 2 of state.
  return (homeOf(machine, page) << 14) | (protection << 2) | state
}
