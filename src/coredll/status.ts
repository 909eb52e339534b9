import { isDword, notDword } from '../errors.ts'
import { HDR, PAGE, UNIT } from '../machine/layout.ts'
import { RES, res } from '../machine/pages.ts'
import { availablePages } from '../machine/pressure.ts'
import { enter, leave } from '../machine/section.ts'
import { needOpen } from './caller.ts'
import { OutPointer } from './out.ts'
import type { Taker } from './out.ts'
import { MEMORYSTATUS, SYSTEM_INFO } from './structures.ts'
import { whoIn } from './who.ts'

/** Percent of physical memory in use, rounded down; a budget lowered below what is committed is wholly in use. */
export function memoryLoad(ce: Taker): number {
  const { sys } = ce.machine
  return Math.min(100, Math.floor(((sys[HDR.COMMITTED] as number) * 100) / (sys[HDR.PHYSICAL] as number)))
}

/** Address space that nobody has reserved, in bytes: whole units, since a reservation begins at one (VA-3). */
function freeSpace(ce: Taker): number {
  let units = 0
  for (let unit = 1; unit < ce.machine.layout.units; unit++) if (res(ce.machine, unit, RES.OWNER) === 0) units++
  return units * UNIT
}

export function globalMemoryStatus(ce: Taker, lpBuffer: number): void {
  if (!isDword(lpBuffer)) throw notDword('GlobalMemoryStatus', 'lpBuffer', lpBuffer)
  needOpen(ce, 'GlobalMemoryStatus')
  const { machine } = ce
  const out = new OutPointer(ce, 'GlobalMemoryStatus', lpBuffer, MEMORYSTATUS.size)
  let told: number = MEMORYSTATUS.size
  enter(machine, HDR.LOCK, whoIn(ce, 'GlobalMemoryStatus'))
  out.write(() => {
    told = MEMORYSTATUS.get(ce.memory, lpBuffer, 'dwLength')
    MEMORYSTATUS.write(ce.memory, lpBuffer, {
      dwLength: MEMORYSTATUS.size,
      dwMemoryLoad: memoryLoad(ce),
      dwTotalPhys: (machine.sys[HDR.PHYSICAL] as number) * PAGE,
      dwAvailPhys: availablePages(machine) * PAGE,
      dwTotalPageFile: 0,
      dwAvailPageFile: 0,
      dwTotalVirtual: (machine.layout.units - 1) * UNIT,
      dwAvailVirtual: freeSpace(ce)
    })
  })
  leave(machine, HDR.LOCK)
  out.tell()
  if (told !== MEMORYSTATUS.size) ce.raise('structureSize', 'GlobalMemoryStatus', told, MEMORYSTATUS.size)
}

/** PROCESSOR_ARCHITECTURE_UNKNOWN of winnt.h: there is no processor here. */
const UNKNOWN_ARCHITECTURE = 0xffff

export function getSystemInfo(ce: Taker, lpSystemInfo: number): void {
  if (!isDword(lpSystemInfo)) throw notDword('GetSystemInfo', 'lpSystemInfo', lpSystemInfo)
  needOpen(ce, 'GetSystemInfo')
  const { machine } = ce
  const out = new OutPointer(ce, 'GetSystemInfo', lpSystemInfo, SYSTEM_INFO.size)
  enter(machine, HDR.LOCK, whoIn(ce, 'GetSystemInfo'))
  out.write(() =>
    SYSTEM_INFO.write(ce.memory, lpSystemInfo, {
      wProcessorArchitecture: UNKNOWN_ARCHITECTURE,
      wReserved: 0,
      dwPageSize: PAGE,
      lpMinimumApplicationAddress: UNIT,
      lpMaximumApplicationAddress: machine.layout.units * UNIT - 1,
      dwActiveProcessorMask: 1,
      dwNumberOfProcessors: 1,
      dwProcessorType: 0,
      dwAllocationGranularity: UNIT,
      wProcessorLevel: 0,
      wProcessorRevision: 0
    })
  )
  leave(machine, HDR.LOCK)
  out.tell()
}
