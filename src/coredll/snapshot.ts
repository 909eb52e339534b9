import { heapCount, REC, recordAt } from '../heap/record.ts'
import { blockFigures, heapInfo } from '../heap/walk.ts'
import type { HeapInfo } from '../heap/walk.ts'
import { appReservations } from '../machine/check.ts'
import { HDR, PAGE, UNIT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { RES, res } from '../machine/pages.ts'
import { enter, leave, PATIENCE } from '../machine/section.ts'
import { CREATOR, liveThreads, THREAD, threadAt } from '../machine/threads.ts'
import { undoBuried } from './death.ts'
import { sectionInfos } from './critical.ts'
import type { SectionInfo } from './critical.ts'

/** A process in plain data. Addresses and sizes in bytes. */
export interface Snapshot {
  readonly memory: number
  readonly physical: number
  readonly committed: number
  readonly peakCommitted: number
  readonly heaps: readonly (HeapInfo & { readonly largestFree: number })[]
  /** Reservations made with VirtualAlloc. */
  readonly reservations: readonly { readonly address: number; readonly size: number; readonly committed: number }[]
  /** The program's own critical sections. */
  readonly sections: readonly SectionInfo[]
  readonly threads: readonly { readonly id: number; readonly lastError: number }[]
}

/** Runs `look` with every heap's section and the process section held, so that all of it is one moment; the live heaps are in the order of their records. `patience` as in `enter`. */
export function frozen<T>(machine: Machine, tid: number, look: (records: number[]) => T, patience: number = PATIENCE): T {
  const held: number[] = []
  // Each wait may end in a LockTimeoutError: then what is held already is left.
  const hold = (section: number): void => {
    enter(machine, section, tid, patience)
    held.push(section)
  }
  const letGo = (): void => {
    for (const section of held.splice(0).reverse()) leave(machine, section)
  }
  try {
    // Once more when a record was first used meanwhile: without its section its heap would go on changing.
    for (let count = -1; count !== heapCount(machine); ) {
      letGo()
      count = heapCount(machine)
      // From the newest on: page callbacks of a heap use older ones, the process heap above all, while they are inside their own.
      for (let index = count - 1; index >= 0; index--) hold(recordAt(machine, index))
      // A heap's section comes before the process section everywhere.
      hold(HDR.LOCK)
    }
    if (tid === CREATOR) undoBuried(machine, tid)
    return look(held.filter((section) => section !== HDR.LOCK && (machine.sys[section + REC.HANDLE] as number) > 0).reverse())
  } finally {
    // What undoBuried has half changed it has entered once more: that is left at the border of the call (machine/adrift.ts).
    letGo()
  }
}

export function takeSnapshot(machine: Machine, tid: number): Snapshot {
  return frozen(machine, tid, (records) => ({
    memory: machine.layout.units * UNIT,
    physical: (machine.sys[HDR.PHYSICAL] as number) * PAGE,
    committed: (machine.sys[HDR.COMMITTED] as number) * PAGE,
    peakCommitted: (machine.sys[HDR.PEAK_COMMITTED] as number) * PAGE,
    heaps: records.map((record) => {
      const info = heapInfo(machine, record)
      return { ...info, largestFree: blockFigures(info.blocks).largestFree }
    }),
    reservations: [...appReservations(machine)].map((unit) => ({
      address: unit * UNIT,
      size: res(machine, unit, RES.PAGES) * PAGE,
      committed: res(machine, unit, RES.COMMITTED) * PAGE
    })),
    sections: sectionInfos(machine),
    threads: liveThreads(machine).map((id) => ({ id, lastError: (machine.sys[threadAt(machine, id) + THREAD.LAST_ERROR] as number) >>> 0 }))
  }))
}
