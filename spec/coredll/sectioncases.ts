import type { FindingKind } from '../../src/coredll/findings.ts'
import { attachThread, CRITICAL_SECTION, type Finding, HEAP_ZERO_MEMORY } from '../../src/index.ts'
import type { World } from './world.ts'

export const hex = (value: number): string => `0x${value.toString(16).toUpperCase().padStart(8, '0')}`

/** One kind of finding, and what raises it. */
export interface Case {
  readonly rule: string
  readonly severity: Finding['severity']
  /** Makes the call; gives the message that it must raise. */
  readonly raise: (world: World) => string
}

export type SectionKind =
  | 'noSection'
  | 'sectionDeleted'
  | 'sectionCopied'
  | 'sectionOverwritten'
  | 'notOwner'
  | 'sectionHeld'
  | 'sectionOwn'
  | 'sectionTwice'
  | 'sectionsFull'

function made({ ce, heap }: World): number {
  const at = ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, 2 * CRITICAL_SECTION.size)
  ce.InitializeCriticalSection(at)
  return at
}

/** What critical sections of the program's own can raise. */
export const sectionCases: Readonly<Record<SectionKind & FindingKind, Case>> = {
  noSection: {
    rule: 'C-76',
    severity: 'error',
    raise: ({ ce, heap }) => {
      const at = ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, 20)
      ce.EnterCriticalSection(at)
      return `EnterCriticalSection: ${hex(at)} is no critical section: it was never initialised, or is deleted`
    }
  },
  sectionDeleted: {
    rule: 'C-76',
    severity: 'error',
    // A thread that waits for real is in critical.spec.ts; here another one deletes it between the look at the structure and the taking.
    raise: (world) => {
      const { ce, process } = world
      const at = made(world)
      const other = attachThread(process.share())
      const { machine } = ce
      const { take } = machine
      machine.take = (address, who) => {
        machine.take = take
        other.DeleteCriticalSection(at)
        return take(address, who)
      }
      ce.EnterCriticalSection(at)
      return `EnterCriticalSection: the critical section ${hex(at)} was deleted while this thread waited for it: nothing is entered`
    }
  },
  sectionCopied: {
    rule: 'C-77',
    severity: 'error',
    raise: (world) => {
      const at = made(world)
      world.ce.memory.copy(at + 20, at, 20)
      world.ce.EnterCriticalSection(at + 20)
      return `EnterCriticalSection: ${hex(at + 20)} is a copy of the critical section ${hex(at)}, and no section itself`
    }
  },
  sectionOverwritten: {
    rule: 'C-78',
    severity: 'error',
    raise: (world) => {
      const at = made(world)
      world.ce.memory.fill(at, 0xcd, 20)
      world.ce.EnterCriticalSection(at)
      return `EnterCriticalSection: the critical section ${hex(at)} was overwritten: its hCrit held 0xCDCDCDCD, and is mended`
    }
  },
  notOwner: {
    rule: 'C-79',
    severity: 'error',
    raise: (world) => {
      const at = made(world)
      world.ce.LeaveCriticalSection(at)
      return `LeaveCriticalSection: the critical section ${hex(at)} is nobody's, not this thread's`
    }
  },
  sectionHeld: {
    rule: 'C-80',
    severity: 'error',
    raise: (world) => {
      const at = made(world)
      const other = attachThread(world.process.share())
      other.EnterCriticalSection(at)
      world.ce.DeleteCriticalSection(at)
      return `DeleteCriticalSection: thread 2 is inside the critical section ${hex(at)}, which therefore stays as it is`
    }
  },
  sectionOwn: {
    rule: 'C-80',
    severity: 'warning',
    raise: (world) => {
      const at = made(world)
      world.ce.EnterCriticalSection(at)
      world.ce.DeleteCriticalSection(at)
      return `DeleteCriticalSection: this thread is still inside the critical section ${hex(at)} that it deletes`
    }
  },
  sectionTwice: {
    rule: 'C-81',
    severity: 'warning',
    raise: (world) => {
      const at = made(world)
      world.ce.InitializeCriticalSection(at)
      return `InitializeCriticalSection: the critical section ${hex(at)} was not deleted before it is initialised again`
    }
  },
  sectionsFull: {
    rule: 'C-83',
    severity: 'error',
    raise: ({ ce, heap, process }) => {
      const most = process.snapshot().memory / 4096
      const at = ce.HeapAlloc(heap, 0, (most + 1) * 20)
      for (let n = 0; n <= most; n++) ce.InitializeCriticalSection(at + n * 20)
      return `InitializeCriticalSection: no critical section is left for ${hex(at + most * 20)}: too many live at once`
    }
  }
}
