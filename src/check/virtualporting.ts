import { MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, MEM_RESET, MEM_TOP_DOWN, PAGE_GUARD } from '../constants.ts'
import { isProtection } from '../coredll/virtual.ts'
import { all, fits, size } from './looks.ts'
import type { Habit } from './run.ts'
import { virtualFaults } from './virtualfaults.ts'
import { hex } from './words.ts'

const types = MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN

/** `at` is the place of the protection. */
function protection(at: number): Habit {
  return (run, event) => {
    const flags = event.args[at]!
    if (!fits(flags) || !isProtection(flags)) {
      const group = run.groups.hit(virtualFaults.protection, event)
      if (run.groups.fresh) group.onCe = `the protection ${hex(flags)} is none of CE's: ${virtualFaults.protection.onCe}`
    } else if ((flags & PAGE_GUARD) !== 0) run.groups.hit(virtualFaults.guard, event)
  }
}

/** `at` is the place of the size, with the address before and the flags behind it. */
function allocation(at: number): Habit {
  return all(size(at), protection(at + 2), (run, event) => {
    const [address, bytes, type] = event.args.slice(at - 1) as [number, number, number]
    const odd = type & ~types
    if (bytes === 0) run.groups.hit(virtualFaults.virtualZero, event)
    if ((type & MEM_RESET) !== 0) run.groups.hit(virtualFaults.memReset, event)
    else if (odd !== 0) {
      const group = run.groups.hit(virtualFaults.allocationType, event)
      if (run.groups.fresh) group.onCe = `the flags ${hex(odd >>> 0)} are none of CE's: ${virtualFaults.allocationType.onCe}`
    } else if (address === 0 && (type & (MEM_COMMIT | MEM_RESERVE)) === MEM_COMMIT) {
      run.groups.hit(run.profile.name === 'ce-5.0' ? virtualFaults.commitNullCe5 : virtualFaults.commitNull, event)
    }
    if ((type & MEM_TOP_DOWN) !== 0) run.groups.hit(virtualFaults.topDown, event)
  })
}

/** `at` is the place of the size, with the type behind it. */
function freeing(at: number): Habit {
  return all(size(at), (run, event) => {
    const [bytes, type] = event.args.slice(at) as [number, number]
    if (type !== MEM_DECOMMIT && type !== MEM_RELEASE) run.groups.hit(virtualFaults.freeType, event)
    else if (type === MEM_RELEASE && bytes !== 0) run.groups.hit(virtualFaults.releaseSize, event)
  })
}

const since6: Habit = (run, event) => {
  if (run.profile.name === 'ce-5.0') run.groups.hit(virtualFaults.virtualEx, event)
}

const told =
  (verdict: (typeof virtualFaults)[keyof typeof virtualFaults]): Habit =>
  (run, event) => {
    run.groups.hit(verdict, event)
  }

/** What the arguments of the calls for virtual memory show by themselves. */
export const virtualPorting: Readonly<Record<string, Habit>> = {
  VirtualAlloc: allocation(1),
  VirtualAllocEx: all(since6, allocation(2)),
  VirtualFree: freeing(1),
  VirtualFreeEx: all(since6, freeing(2)),
  VirtualProtect: all(size(1), protection(2)),
  VirtualProtectEx: all(since6, size(2), protection(3)),
  VirtualQuery: told(virtualFaults.virtualQuery),
  IsBadReadPtr: told(virtualFaults.probe),
  IsBadWritePtr: told(virtualFaults.probe),
  IsBadCodePtr: told(virtualFaults.probe),
  GlobalMemoryStatus: told(virtualFaults.memoryStatus)
}
