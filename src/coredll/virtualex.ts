import { CURRENT_PROCESS, ERROR_CALL_NOT_IMPLEMENTED, ERROR_INVALID_HANDLE } from '../constants.ts'
import { isDword, notDword } from '../errors.ts'
import { HDR } from '../machine/layout.ts'
import { profileNames } from '../profile.ts'
import { fail, needOpen } from './caller.ts'
import type { Caller } from './caller.ts'
import type { CallName } from './calls.ts'
import type { Taker } from './out.ts'
import { PROCESS_ID } from './processid.ts'
import { virtualAlloc, virtualFree, virtualProtect } from './virtual.ts'

/** Whether the call may go on: it exists in this CE version and means this process (VX-1, C-94). Else the last error is set. */
function reaches(ce: Caller, call: CallName, args: Readonly<Record<string, number>> & { readonly hProcess: number }): boolean {
  for (const [name, value] of Object.entries(args)) if (!isDword(value)) throw notDword(call, name, value)
  const { hProcess } = args
  needOpen(ce, call)
  if (profileNames[ce.machine.sys[HDR.PROFILE] as number] === 'ce-5.0') {
    ce.raise('since6', call)
    fail(ce, ERROR_CALL_NOT_IMPLEMENTED)
    return false
  }
  if (hProcess === CURRENT_PROCESS || hProcess === PROCESS_ID) return true
  ce.raise('otherProcess', call, hProcess)
  fail(ce, ERROR_INVALID_HANDLE)
  return false
}

export function virtualAllocEx(
  ce: Caller,
  hProcess: number,
  lpAddress: number,
  dwSize: number,
  flAllocationType: number,
  flProtect: number
): number {
  const call = 'VirtualAllocEx'
  if (!reaches(ce, call, { hProcess, lpAddress, dwSize, flAllocationType, flProtect })) return 0
  return virtualAlloc(ce, lpAddress, dwSize, flAllocationType, flProtect, call)
}

export function virtualFreeEx(ce: Caller, hProcess: number, lpAddress: number, dwSize: number, dwFreeType: number): number {
  const call = 'VirtualFreeEx'
  return reaches(ce, call, { hProcess, lpAddress, dwSize, dwFreeType }) ? virtualFree(ce, lpAddress, dwSize, dwFreeType, call) : 0
}

export function virtualProtectEx(
  ce: Taker,
  hProcess: number,
  lpAddress: number,
  dwSize: number,
  flNewProtect: number,
  lpflOldProtect: number
): number {
  const call = 'VirtualProtectEx'
  if (!reaches(ce, call, { hProcess, lpAddress, dwSize, flNewProtect, lpflOldProtect })) return 0
  return virtualProtect(ce, lpAddress, dwSize, flNewProtect, lpflOldProtect, call)
}
