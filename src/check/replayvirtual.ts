import {
  CURRENT_PROCESS,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_RESET,
  MEM_TOP_DOWN,
  PAGE_READWRITE
} from '../constants.ts'
import { PROCESS_ID } from '../coredll/processid.ts'
import { isProtection, reprotect } from '../coredll/virtual.ts'
import { PAGE, UNIT, UNIT_SHIFT } from '../machine/layout.ts'
import { allCommitted, RES, res } from '../machine/pages.ts'
import type { TraceEvent } from '../trace/event.ts'
import { reportNoRegion } from './failures.ts'
import { fits } from './looks.ts'
import type { TraceProcess } from './process.ts'
import type { Region } from './regions.ts'
import type { Replay, Run } from './run.ts'
import { virtualFaults } from './virtualfaults.ts'
import { bytesText, hex } from './words.ts'

// Addresses are the recording's but for those named `own`. What the program wrote is not in a recording, so pages stay zero.

const ALLOCATES = MEM_RESERVE | MEM_COMMIT

/** A call's arguments behind those that only its Ex form has. */
type Act = (run: Run, process: TraceProcess, event: TraceEvent, args: readonly number[]) => void

function plain(act: Act): Replay {
  return (run, process, event) => {
    act(run, process, event, event.args)
    // Whatever the emulator said of it, porting.ts and the reports below say of the recording.
    process.raised.length = 0
  }
}

/** GetCurrentProcess() of the desktop, in 32 and 64 bits, and of the emulator. */
function isOwnProcess(handle: number): boolean {
  return handle === 0xffffffff || handle >= 2 ** 63 || handle === CURRENT_PROCESS || handle === PROCESS_ID
}

function onOwnProcess(act: Act): Replay {
  return (run, process, event) => {
    const [handle, ...args] = event.args as [number, ...number[]]
    if (!isOwnProcess(handle)) run.groups.hit(virtualFaults.otherProcess, event)
    else {
      act(run, process, event, args)
      process.raised.length = 0
    }
  }
}

const allocate: Act = (run, process, event, args) => {
  const { result } = event
  const [address, bytes, type] = args as [number, number, number, number]
  if (result === undefined) run.notReplayed++
  else if (result === 0) refusedAllocation(run, process, event, args)
  else if ((type & MEM_RESET) === 0) {
    // Without pages or an action no system succeeds.
    if (bytes === 0 || (type & ALLOCATES) === 0) run.notReplayed++
    else if (address === 0 || (type & MEM_RESERVE) !== 0) reserve(run, process, event, args)
    else commit(run, process, event, args)
  }
}

/** What failed in the recording is tried where it changes nothing, so that a failure that CE shares leaves its last error. */
function refusedAllocation(run: Run, process: TraceProcess, event: TraceEvent, args: readonly number[]): void {
  const [address, bytes, type, protection] = args as [number, number, number, number]
  if (address !== 0 && (type & MEM_RESERVE) === 0) {
    const region = process.regions.find(address)
    if (region === undefined || address + bytes > region.end) run.groups.hit(virtualFaults.noRegion, event)
    return
  }
  const own = args.every(fits) ? process.ce.VirtualAlloc(address, bytes, type, protection) : 0
  if (own === 0) return
  process.ce.VirtualFree(own, 0, MEM_RELEASE)
  // At a fixed address another layout is the usual reason: nothing to tell.
  if (address === 0) run.groups.hit(virtualFaults.reserveSucceeds, event)
}

/** Types and protections that CE does not have are reported by themselves; what follows is compared as if they had been right. */
const typeOf = (type: number): number => type & (ALLOCATES | MEM_TOP_DOWN)
const protectionOf = (protection: number): number => (isProtection(protection) ? protection : PAGE_READWRITE)

function reserve(run: Run, process: TraceProcess, event: TraceEvent, args: readonly number[]): void {
  const [address, bytes, type, protection] = args as [number, number, number, number]
  const result = event.result!
  const base = result - (result % UNIT)
  const start = address - (address % UNIT)
  const size = Math.ceil((address + bytes - start) / PAGE) * PAGE
  for (const former of process.regions.overlapping(base, base + size)) {
    process.unseenFrees++
    drop(process, former)
  }
  if (process.regions.full) {
    run.notReplayed++
    return
  }
  const { ce } = process
  const request = (at: number, length: number): number =>
    fits(at) && fits(length) ? ce.VirtualAlloc(at, length, typeOf(type), protectionOf(protection)) : 0
  const there = request(address, bytes)
  const own = there === 0 && address !== 0 ? request(0, size) : there
  process.regions.add({ base, end: base + size, event: { ...event }, own, adrift: false })
  if (own === 0) {
    if (fits(size)) reportNoRegion(run, process, event, (type & MEM_COMMIT) !== 0 || address === 0 ? size : 0, size)
    else run.notReplayed++
    return
  }
  if (there === 0) run.groups.hit(virtualFaults.fixedAddress, event)
  const lost = Math.ceil(size / UNIT) * UNIT - size
  if (lost * 8 <= size + lost) return
  const group = run.groups.hit(virtualFaults.wasted, event)
  if (run.groups.fresh) group.onCe = `${bytesText(size)} take ${bytesText(size + lost)} of address space: ${bytesText(lost)} are of no use`
}

/** The emulator's address for one in a region that it has. */
function ownAddress(region: Region, address: number): number {
  return region.own + (address - region.base)
}

/** The region of a call on pages; what there is to tell where the emulator cannot follow is told. */
function regionOf(run: Run, process: TraceProcess, event: TraceEvent, address: number): Region | undefined {
  const region = process.regions.find(address)
  if (region === undefined) {
    // Reserved before the recording began, or by other means: a mapped file, an image, a stack.
    if (event.result !== 0) run.unknownPointers++
    return undefined
  }
  if (region.own !== 0) return region
  if (event.result !== 0) run.notReplayed++
  return undefined
}

function commit(run: Run, process: TraceProcess, event: TraceEvent, args: readonly number[]): void {
  const [address, bytes, type, protection] = args as [number, number, number, number]
  const region = regionOf(run, process, event, address)
  if (region === undefined) return
  if (address + bytes > region.end) {
    // The desktop refuses that too: the recording is not whole.
    run.notReplayed++
    return
  }
  if (process.ce.VirtualAlloc(ownAddress(region, address), bytes, typeOf(type), protectionOf(protection)) !== 0) return
  region.adrift = true
  reportNoRegion(run, process, event, bytes, 0)
}

const free: Act = (run, process, event, args) => {
  const { result } = event
  const [address, bytes, type] = args as [number, number, number]
  if (result === undefined) {
    run.notReplayed++
    return
  }
  if (result === 0) {
    refusedFree(run, process, event, args)
    return
  }
  const region = process.regions.find(address)
  const releases = (type & MEM_RELEASE) !== 0
  if (regionOf(run, process, event, address) !== undefined && region !== undefined) {
    const done = fits(bytes) && fits(type) && process.ce.VirtualFree(ownAddress(region, address), bytes, type) !== 0
    if (done && releases) process.regions.remove(region)
    // The other reasons show in the arguments: porting.ts has told of them.
    else if (!done && type === MEM_RELEASE && bytes === 0 && address === region.base && !region.adrift) {
      run.groups.hit(virtualFaults.mixedRelease, event)
    } else if (!done && !releases) run.notReplayed++
  }
  // One finding says it: from here on the region is gone, as the program believes.
  if (releases && region !== undefined && process.regions.find(address) === region) drop(process, region)
}

function refusedFree(run: Run, process: TraceProcess, event: TraceEvent, args: readonly number[]): void {
  const [address, bytes, type] = args as [number, number, number]
  const region = process.regions.find(address)
  if (region === undefined) {
    const group = run.groups.hit(virtualFaults.noRegion, event)
    if (run.groups.fresh) group.onCe = `${hex(address)} lies in no live reservation of the recording; ${virtualFaults.noRegion.onCe}`
    return
  }
  const sound = type === MEM_DECOMMIT || (type === MEM_RELEASE && bytes === 0 && address === region.base)
  if (sound && !(type === MEM_RELEASE && isMixed(process, region))) run.notReplayed++
  else if (region.own !== 0 && fits(bytes) && fits(type)) process.ce.VirtualFree(ownAddress(region, address), bytes, type)
}

/** Whether CE cannot release it, since a part of it is committed (VF-5). */
function isMixed({ ce }: TraceProcess, { base, end, own }: Region): boolean {
  const committed = own === 0 ? 0 : res(ce.machine, own >>> UNIT_SHIFT, RES.COMMITTED)
  return committed !== 0 && committed * PAGE !== end - base
}

/** Ends a region in both books, whatever state its pages are in. */
function drop(process: TraceProcess, region: Region): void {
  process.regions.remove(region)
  if (region.own === 0) return
  process.ce.VirtualFree(region.own, 0, MEM_DECOMMIT)
  process.ce.VirtualFree(region.own, 0, MEM_RELEASE)
}

/** Where the old protection went is not followed: a recording does not show what is in memory. */
const protect: Act = (run, process, event, args) => {
  const [address, bytes, protection] = args as [number, number, number]
  if (event.result === undefined) {
    run.notReplayed++
    return
  }
  const region = regionOf(run, process, event, address)
  if (region === undefined || bytes === 0) return
  if (address + bytes > region.end) {
    run.groups.hit(virtualFaults.spans, event)
    return
  }
  const own = ownAddress(region, address)
  if (allCommitted(process.ce.machine, own, bytes)) {
    if (event.result !== 0) reprotect(process.ce, 'VirtualProtect', own, bytes, protectionOf(protection))
  } else if (region.adrift) run.notReplayed++
  else run.groups.hit(virtualFaults.notCommitted, event)
}

/** A probe of the program's own pages is made, since it spends their guards. */
function probe(call: 'IsBadReadPtr' | 'IsBadWritePtr'): Act {
  return (run, process, event, args) => {
    const [address, bytes = 1] = args as [number, number?]
    const region = process.regions.find(address)
    if (region === undefined || region.own === 0 || event.result === undefined) return
    const own = process.ce[call](ownAddress(region, address), Math.min(bytes, region.end - address))
    if ((own !== 0) === (event.result !== 0) || region.adrift || address + bytes > region.end) return
    const group = run.groups.hit(virtualFaults.badPointer, event)
    if (run.groups.fresh) group.onCe = `returns ${own}, where the recording has ${event.result}`
  }
}

/** CeVirtualSharedAlloc: memory of the caller's like any other (VX-2). */
const shared: Act = (run, process, event, [address = 0, bytes = 0, action = 0]) => {
  // A check is not in kernel mode, which the call wants.
  if (event.result !== 0) allocate(run, process, event, [address, bytes, action === 0 ? ALLOCATES : action, PAGE_READWRITE])
}

/** The recording is over: what is still reserved was never released (VA-14). */
export function reportReserved(run: Run, process: TraceProcess): void {
  for (const { event, base, end } of process.regions.live()) {
    const group = run.groups.hit(virtualFaults.neverReleased, event)
    group.bytes += end - base
    group.onCe = `${bytesText(group.bytes)} of address space, and what of it is committed, come back only when the process ends`
  }
}

/** The calls for virtual memory that are replayed, with the number of arguments that they need. */
export const virtualReplays: Readonly<Record<string, readonly [Replay, number]>> = {
  VirtualAlloc: [plain(allocate), 4],
  VirtualFree: [plain(free), 3],
  VirtualProtect: [plain(protect), 4],
  VirtualAllocEx: [onOwnProcess(allocate), 5],
  VirtualFreeEx: [onOwnProcess(free), 4],
  VirtualProtectEx: [onOwnProcess(protect), 5],
  CeVirtualSharedAlloc: [plain(shared), 3],
  IsBadReadPtr: [plain(probe('IsBadReadPtr')), 2],
  IsBadWritePtr: [plain(probe('IsBadWritePtr')), 2],
  IsBadCodePtr: [plain(probe('IsBadReadPtr')), 1]
}
