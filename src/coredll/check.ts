import { heapFault, strayFault } from '../heap/check.ts'
import { marksFault } from '../heap/marks.ts'
import { pagesFault } from '../machine/check.ts'
import type { Machine } from '../machine/machine.ts'
import { sectionsFault } from '../machine/sectiontable.ts'
import { frozen } from './snapshot.ts'

/** Thrown by `process.check()`: the emulator's own state contradicts itself. That is a fault of this library. */
export class InvariantError extends Error {
  constructor(fault: string) {
    super(`the process's state contradicts itself: ${fault}`)
    this.name = 'InvariantError'
  }
}

/** Checks every invariant of every heap, of the pages, and that no block starts outside the heaps; throws an InvariantError. */
export function checkProcess(machine: Machine, tid: number): void {
  const fault = frozen(machine, tid, (records) => {
    for (const record of records) {
      const found = heapFault(machine, record)
      if (found !== undefined) return found
    }
    return pagesFault(machine) ?? strayFault(machine, records) ?? marksFault(machine) ?? sectionsFault(machine)
  })
  if (fault !== undefined) throw new InvariantError(fault)
}
