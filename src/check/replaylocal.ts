import { LMEM_MODIFY, LMEM_MOVEABLE } from '../constants.ts'
import { faults } from './faults.ts'
import { type PointerUse, reportPointer } from './pointers.ts'
import { fits } from './looks.ts'
import { adopt, compareSize, reportMixed, resized, settle } from './replayheap.ts'
import type { Replay } from './run.ts'

// The Global functions are the Local ones on CE (GA-1); the recording's flags have the same numbers.
const uses: PointerUse = { bad: faults.badLocal, frees: false, endsHidden: true }
const frees: PointerUse = { bad: undefined, frees: true, endsHidden: true }

export const localAlloc: Replay = (run, process, event) => {
  const { result } = event
  if (result === undefined) {
    run.notReplayed++
    return
  }
  const heap = process.processHeap
  const size = event.args[1]!
  const block = result === 0 ? undefined : process.allocated(event, result, heap, size, 'local')
  settle(run, process, event, block, heap, fits(size) ? process.ce.LocalAlloc(0, size) : 0)
}

export const localReAlloc: Replay = (run, process, event) => {
  const { result } = event
  const [handle, size, flags] = event.args as [number, number, number]
  const failed = result === 0
  const block = process.ledger.find(handle)
  if (block === undefined || block.freed) {
    reportPointer(run, process, event, handle, undefined, failed, uses)
    if (!failed && result !== undefined && (flags & LMEM_MODIFY) === 0) adopt(run, process, event, result, process.processHeap, size)
    return
  }
  if (result === undefined) {
    run.notReplayed++
    return
  }
  if ((flags & LMEM_MODIFY) !== 0) {
    if ((flags & LMEM_MOVEABLE) !== 0 && !failed) run.groups.hit(faults.modify, event)
    return
  }
  const own = block.own === 0 || !fits(size) ? 0 : process.ce.LocalReAlloc(block.own, size, flags & LMEM_MOVEABLE)
  resized(run, process, event, block, own, size, (flags & LMEM_MOVEABLE) !== 0 ? 'moving' : 'not moveable')
}

export const localFree: Replay = (run, process, event) => {
  const handle = event.args[0]!
  if (handle === 0) return
  // The handle itself comes back for a failure (LF-1).
  const failed = event.result !== undefined && event.result !== 0
  const block = process.ledger.find(handle)
  if (block === undefined || block.freed) {
    reportPointer(run, process, event, handle, undefined, failed, block === undefined ? uses : frees)
    return
  }
  if (failed) {
    run.groups.hit(block.heap === process.processHeap ? faults.refused : faults.badLocal, event)
    return
  }
  if (block.heap !== process.processHeap && block.family === 'heap') run.groups.hit(faults.badLocal, event)
  reportMixed(run, event, block, 'local')
  if (block.own === 0) run.notReplayed++
  process.freed(block, event)
}

export const localSize: Replay = (run, process, event) => {
  const handle = event.args[0]!
  const failed = event.result === 0
  if (handle === 0) {
    run.groups.hit(faults.sizeFails, event)
    return
  }
  const block = process.ledger.find(handle)
  if (block === undefined || block.freed) {
    reportPointer(run, process, event, handle, undefined, failed, uses)
    return
  }
  // A block of 0 bytes has the size 0 on the desktop.
  compareSize(
    run,
    process,
    event,
    block,
    failed && block.size !== 0,
    block.own === 0 ? 0 : process.ce.HeapSize(block.heap.own, 0, block.own)
  )
}

/** On the desktop the handle of movable memory is no pointer: what the lock returns is the same block. */
export const localLock: Replay = (_run, process, event) => {
  if (event.result === undefined || event.result === 0) return
  const block = process.ledger.find(event.args[0]!)
  if (block !== undefined && !block.freed) process.ledger.alias(block, event.result)
}
