import { leaveByError } from '../machine/adrift.ts'
import { copyGranules, zeroGranules } from '../machine/fill.ts'
import { GRANULE, GRANULE_SHIFT, HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { allCommitted } from '../machine/pages.ts'
import { enter, leave } from '../machine/section.ts'
import { THREAD } from '../machine/threads.ts'
import { granulesFor, isInjecting, place, unlessInjected } from './allocate.ts'
import { fitsBig } from './big.ts'
import { BIG, eraseStart, FREE, granulesOf, headerOf, HOLES, requestedOf, setRequested, writeFree, writeSize } from './block.ts'
import { freeBlock } from './free.ts'
import { addFree, mergeFree, regionEnd, regionOf, removeFree } from './freelist.ts'
import { writeGuard } from './guard.ts'
import { countBytes, REC } from './record.ts'
import { commitGranules } from './region.ts'

/** What became of a resize in place. */
const NO = 0
const YES = 1
/** There is no physical memory to grow into, and the process section is held: the call ends in the same hold. */
const HELD = 2

/**
 * Gives the live block another size and returns its address, new or old; 0 if there is not enough memory, and then the old
 * block is untouched (HR-7). With `zero` the bytes beyond the old size are zeroed: the rounded size on retail, the exact one on debug (HR-10).
 * Precondition: inside the heap's section, `block` found by `liveBlock`.
 */
export function resize(
  machine: Machine,
  who: number,
  record: number,
  block: number,
  bytes: number,
  zero: boolean,
  inPlaceOnly: boolean
): number {
  // Shrinking never fails (C-48), injected failures or not.
  if (isInjecting(machine) && bytes > requestedOf(machine, block))
    return unlessInjected(machine, who, record, bytes, () => resizeCounted(machine, who, record, block, bytes, zero, inPlaceOnly))
  return resizeCounted(machine, who, record, block, bytes, zero, inPlaceOnly)
}

/** `resize` for a request that was counted already. */
function resizeCounted(
  machine: Machine,
  who: number,
  record: number,
  block: number,
  bytes: number,
  zero: boolean,
  inPlaceOnly: boolean
): number {
  const inPlace = resizeInPlace(machine, who, record, block, bytes, zero, inPlaceOnly)
  if (inPlace === YES) return block * GRANULE
  // A big block that moves takes pages and gives pages.
  const hold = inPlace === HELD || ((headerOf(machine, block) & BIG) !== 0 && machine.sys[record + REC.CALLBACKS] === 0)
  if (!hold) return move(machine, who, record, block, bytes, zero, inPlaceOnly)
  if (inPlace !== HELD) enter(machine, HDR.LOCK, who)
  let pointer: number
  try {
    pointer = move(machine, who, record, block, bytes, zero, inPlaceOnly)
  } catch (error) {
    leaveByError(machine, HDR.LOCK, error)
    throw error
  }
  leave(machine, HDR.LOCK)
  return pointer
}

/** Gives the block another size at another place, if it may. */
function move(machine: Machine, who: number, record: number, block: number, bytes: number, zero: boolean, inPlaceOnly: boolean): number {
  // A page callback that threw has failed the call.
  if (inPlaceOnly || machine.callbackErrors.length > 0) return 0
  const known = knownSize(machine, record, block)
  const address = place(machine, who, record, bytes, false)
  if (address === 0) {
    // A big block that shrinks out of its class but finds no room elsewhere stays where it is: shrinking never fails.
    const stays = (headerOf(machine, block) & BIG) !== 0 && fitsBig(machine, record, block, bytes)
    if (!stays) return 0
    resizeBigInPlace(machine, record, block, bytes, zero)
    return block * GRANULE
  }
  const target = address >>> GRANULE_SHIFT
  machine.sys[machine.slot + THREAD.RESIZED] = block
  copyGranules(machine, address, block * GRANULE, Math.min(granulesOf(machine, target), granulesOf(machine, block)) << GRANULE_SHIFT)
  dress(machine, record, target, bytes, zero, known)
  // With the old block's end the new one is what there is: nothing but the way out comes after.
  freeBlock(machine, who, record, block)
  return address
}

/** What lies behind the requested bytes: zeroed from the size known before, where that is asked for, and the sentinel of debug builds. */
function dress(machine: Machine, record: number, block: number, bytes: number, zero: boolean, known: number): void {
  if (zero) zeroFrom(machine, block, known)
  if (machine.sys[record + REC.GUARD] !== 0) writeGuard(machine, block, bytes)
}

/**
 * The size of a live block as HeapSize tells it: rounded to 32 on retail (HS-3), as requested on debug (HS-4). A big block is no
 * exception (C-17), though its reservation ends with a page.
 */
export function knownSize(machine: Machine, record: number, block: number): number {
  if (machine.sys[record + REC.GUARD] !== 0) return requestedOf(machine, block)
  return granulesFor(machine, record, requestedOf(machine, block)) * GRANULE
}

function zeroFrom(machine: Machine, block: number, from: number): void {
  const start = block * GRANULE + from
  const end = (block + granulesOf(machine, block)) * GRANULE
  const whole = Math.min(end, Math.ceil(start / GRANULE) * GRANULE)
  for (let at = start; at < whole; at++) machine.bytes[at] = 0
  if (whole < end) zeroGranules(machine, whole, end - whole)
}

function resizeInPlace(machine: Machine, who: number, record: number, block: number, bytes: number, zero: boolean, stay: boolean): number {
  const largest = machine.sys[record + REC.LARGEST] as number
  if ((headerOf(machine, block) & BIG) !== 0) {
    const fits = (bytes > largest || stay) && fitsBig(machine, record, block, bytes)
    if (fits) resizeBigInPlace(machine, record, block, bytes, zero)
    return fits ? YES : NO
  }
  if (bytes > largest) return NO
  const have = granulesOf(machine, block)
  const want = granulesFor(machine, record, bytes)
  const known = knownSize(machine, record, block)
  const absorbed = want > have ? absorbNext(machine, who, record, block, have, want) : YES
  if (absorbed !== YES) return absorbed
  machine.sys[machine.slot + THREAD.RESIZED] = block
  if (want >= have) {
    request(machine, record, block, bytes, zero, known)
    return YES
  }
  // The tail's header first: nothing reaches it until the block is shorter, and then a walk finds it.
  writeFree(machine, block + want, have - want, 0)
  countBytes(machine.sys, record, bytes - requestedOf(machine, block))
  // From here on the tail is free: granules beyond the request are nobody's.
  setRequested(machine, block, bytes)
  writeSize(machine, block, want)
  mergeFree(machine, record, block + want, have - want)
  dress(machine, record, block, bytes, false, known)
  return YES
}

/** Gives a big block another size inside its reservation. Precondition: it fits there. */
function resizeBigInPlace(machine: Machine, record: number, block: number, bytes: number, zero: boolean): void {
  machine.sys[machine.slot + THREAD.RESIZED] = block
  request(machine, record, block, bytes, zero, knownSize(machine, record, block))
}

/** Stores another request for a block that has the granules for it: bytes that become the program's are dressed before, bytes that were its own after. */
function request(machine: Machine, record: number, block: number, bytes: number, zero: boolean, known: number): void {
  const old = requestedOf(machine, block)
  if (bytes > old) dress(machine, record, block, bytes, zero, known)
  countBytes(machine.sys, record, bytes - old)
  setRequested(machine, block, bytes)
  if (bytes <= old) dress(machine, record, block, bytes, zero, known)
}

/** Grows `block` from `have` to `want` granules into the free block behind it; NO if there is none that suffices, HELD if it cannot be committed. They are the program's once they are requested. */
function absorbNext(machine: Machine, who: number, record: number, block: number, have: number, want: number): number {
  const next = block + have
  const region = regionOf(machine, block)
  if (next === regionEnd(machine, region)) return NO
  const header = headerOf(machine, next)
  const total = have + granulesOf(machine, next)
  if ((header & FREE) === 0 || total < want) return NO
  if ((header & HOLES) !== 0 && !allCommitted(machine, next * GRANULE, (want - have) * GRANULE)) {
    const own = machine.sys[record + REC.CALLBACKS] === 0
    if (own) enter(machine, HDR.LOCK, who)
    if (!commitGranules(machine, who, record, next, want - have)) return own ? HELD : NO
    if (own) leave(machine, HDR.LOCK)
  }
  removeFree(machine, record, next, total - have)
  if (total > want) addFree(machine, record, block + want, total - want, header & HOLES)
  writeSize(machine, block, want)
  eraseStart(machine, next)
  machine.sys[record + REC.ROVER] = block
  return YES
}
