// What the process says of odd calls: which rule, how serious, whose call, in words.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CallName, CALLS } from '../../src/coredll/calls.ts'
import { type DeathKind, type FindingKind, KINDS } from '../../src/coredll/findings.ts'
import {
  attachThread,
  CURRENT_PROCESS,
  HEAP_ZERO_MEMORY,
  HEAPENTRY32,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_GUARD,
  PAGE_READWRITE,
  TH32CS_SNAPHEAPLIST
} from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter } from '../../src/machine/section.ts'
import { ruleById } from '../../src/rules/index.ts'
import { hex, sectionCases } from './sectioncases.ts'
import type { Case, SectionKind } from './sectioncases.ts'
import { messagesApart } from './apart.ts'
import { open } from './world.ts'
import type { World } from './world.ts'

/** A process with one heap of each kind and a live block of 100 bytes in each. */
const block = ({ ce, heap }: World, handle = heap): number => ce.HeapAlloc(handle, 0, 100)

/** A CeHeapCreate heap whose pages are the app's own; `answer` stands between. */
function lent({ ce }: World, answer: (pages: () => number, action: number) => number): number {
  return ce.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => answer(() => ce.VirtualAlloc(address, size, action, PAGE_READWRITE), action),
    () => 1
  )
}

const ownCases: Readonly<Omit<Record<FindingKind, Case>, keyof typeof toolHelpCases | SectionKind | DeathKind>> = {
  badHeap: {
    rule: 'C-4',
    severity: 'error',
    raise: ({ ce }) => {
      ce.HeapAlloc(0x123456, 0, 10)
      return 'HeapAlloc: 0x00123456 is not the handle of a live heap'
    }
  },
  nullPointer: {
    rule: 'C-5',
    severity: 'error',
    raise: ({ ce, heap }) => {
      ce.HeapFree(heap, 0, 0)
      return 'HeapFree: the pointer is NULL: CE, unlike desktop Windows, does not promise that this is harmless (HF-4, HR-3)'
    }
  },
  foreign: {
    rule: 'C-38',
    severity: 'error',
    raise: ({ ce, heap }) => {
      ce.HeapSize(heap, 0, 0xfedcba98)
      return 'HeapSize: 0xFEDCBA98 was never handed out by a heap'
    }
  },
  appPages: {
    rule: 'C-5',
    severity: 'error',
    raise: ({ ce, heap }) => {
      const pages = ce.VirtualAlloc(0, 10, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
      ce.HeapFree(heap, 0, pages)
      return `HeapFree: ${hex(pages)} lies in pages that the program took with VirtualAlloc, not in a heap`
    }
  },
  otherHeap: {
    rule: 'C-6',
    severity: 'error',
    raise: (world) => {
      const pointer = block(world, world.ce.HeapCreate(0, 0, 0))
      world.ce.HeapReAlloc(world.heap, 0, pointer, 10)
      return `HeapReAlloc: ${hex(pointer)} belongs to another heap`
    }
  },
  freed: {
    rule: 'C-5',
    severity: 'error',
    raise: (world) => {
      const pointer = block(world)
      for (let n = 0; n < 2; n++) world.ce.HeapFree(world.heap, 0, pointer)
      return `HeapFree: ${hex(pointer)} was freed before`
    }
  },
  interior: {
    rule: 'C-15',
    severity: 'error',
    raise: (world) => {
      const pointer = block(world)
      world.ce.LocalFree(pointer + 40)
      return `LocalFree: ${hex(pointer + 40)} points into the block at ${hex(pointer)}, not at its start`
    }
  },
  control: {
    rule: 'C-5',
    severity: 'error',
    raise: ({ ce, process }) => {
      const fixed = ce.HeapCreate(0, 0, 0x10000)
      const start = process.snapshot().heaps[1]?.regions[0]?.address ?? 0
      ce.HeapFree(fixed, 0, start)
      return `HeapFree: ${hex(start)} points into the heap's own structures`
    }
  },
  unlistedFlags: {
    rule: 'C-13',
    severity: 'warning',
    raise: ({ ce, heap }) => {
      ce.HeapAlloc(heap, 0x800000f9, 10)
      return "HeapAlloc: flags 0x800000F0 are not in CE's table and are ignored"
    }
  },
  exceptions: {
    rule: 'W-2',
    severity: 'warning',
    raise: ({ ce, heap }) => {
      ce.HeapAlloc(heap, 4, 10)
      return 'HeapAlloc: HEAP_GENERATE_EXCEPTIONS is not a CE flag: a failure returns NULL and nothing is raised'
    }
  },
  execute: {
    rule: 'W-3',
    severity: 'warning',
    raise: ({ ce }) => {
      ce.HeapCreate(0x40000, 0, 0)
      return 'HeapCreate: HEAP_CREATE_ENABLE_EXECUTE is not a CE flag: the heap is not made executable'
    }
  },
  processHeap: {
    rule: 'C-12',
    severity: 'error',
    raise: ({ ce, heap }) => {
      ce.HeapDestroy(heap)
      return 'HeapDestroy: the process heap must not be destroyed'
    }
  },
  moveable: {
    rule: 'C-14',
    severity: 'warning',
    raise: ({ ce }) => {
      ce.GlobalAlloc(0x42, 10)
      return 'GlobalAlloc: flags 0x00000042 ask for movable memory, which CE does not have: the block is fixed'
    }
  },
  nullHandle: {
    rule: 'C-15',
    severity: 'error',
    raise: ({ ce }) => {
      ce.LocalSize(0)
      return 'LocalSize: the handle is NULL: only LocalFree takes that (LF-2)'
    }
  },
  sharedReadonly: {
    rule: 'C-16',
    severity: 'error',
    raise: ({ ce }) => {
      ce.HeapCreate(0x1000, 0, 0)
      return 'HeapCreate: HEAP_SHARED_READONLY needs kernel mode'
    }
  },
  fixedLimit: {
    rule: 'W-16',
    severity: 'error',
    raise: ({ ce }) => {
      ce.HeapAlloc(ce.HeapCreate(0, 0, 0x100000), 0, 600_000)
      return 'HeapAlloc: 600000 bytes asked of a fixed heap, which refuses 0x7FFF8 (524,288 - 8) bytes and more'
    }
  },
  overrun: {
    rule: 'DT-2',
    severity: 'error',
    raise: (world) => {
      const pointer = block(world)
      world.ce.memory.writeU8(pointer + 101, 1)
      world.ce.HeapFree(world.heap, 0, pointer)
      return `HeapFree: the block at ${hex(pointer)} was written past its end, first at ${hex(pointer + 101)}`
    }
  },
  busyHeap: {
    rule: 'C-44',
    severity: 'error',
    raise: (world) => {
      let inside = (): void => undefined
      const heap = lent(world, (pages) => {
        inside()
        return pages()
      })
      inside = () => void world.ce.HeapSize(heap, 0, 0)
      block(world, heap)
      world.ce.HeapAlloc(heap, 0, 20_000)
      return `HeapSize: the heap ${hex(heap)} is in the middle of a call: its page callbacks cannot use it`
    }
  },
  badPages: {
    rule: 'C-35',
    severity: 'error',
    raise: (world) => {
      lent(world, () => 0x12345)
      return "CeHeapCreate: the heap's page callback answered 0x00012345, which is not the pages it was asked for"
    }
  },
  pagesThrew: {
    rule: 'C-35',
    severity: 'error',
    raise: (world) => {
      const answer = (): never => {
        throw new Error('no pages')
      }
      assert.equal(
        messagesApart(() => lent(world, answer)),
        ['no pages']
      )
      return "CeHeapCreate: the heap's page callback threw an error, which is taken for an answer of 0"
    }
  },
  strayPages: {
    rule: 'C-43',
    severity: 'error',
    raise: (world) => {
      const heap = lent(world, (pages) => pages())
      attachThread(world.process.share()).HeapAlloc(heap, 0, 20_000)
      world.process.drainFindings()
      return 'HeapAlloc: the heap needs pages, but its page callbacks live in the thread that created it'
    }
  },
  commitNull: {
    rule: 'C-20',
    severity: 'note',
    raise: ({ ce }) => {
      ce.VirtualAlloc(0, 10, MEM_COMMIT, PAGE_READWRITE)
      return 'VirtualAlloc: MEM_COMMIT without an address also reserves here, as on desktop Windows; CE 5.0 asks for MEM_RESERVE first'
    }
  },
  heapPages: {
    rule: 'C-21',
    severity: 'error',
    raise: (world) => {
      const pointer = block(world)
      world.ce.VirtualFree(pointer, 0, 0x8000)
      return `VirtualFree: ${hex(pointer)} lies in a heap: its pages are not the program's to free, commit or protect`
    }
  },
  badOut: {
    rule: 'C-62',
    severity: 'error',
    raise: ({ ce }) => {
      ce.GlobalMemoryStatus(0)
      return 'GlobalMemoryStatus: 0x00000000 is no place where the program could write 32 bytes: the call writes nothing'
    }
  },
  misalignedOut: {
    rule: 'C-63',
    severity: 'warning',
    raise: (world) => {
      const pointer = block(world)
      world.ce.GetSystemInfo(pointer + 2)
      return `GetSystemInfo: ${hex(pointer + 2)} is not a multiple of 4: many CE processors cannot write a DWORD there`
    }
  },
  structureSize: {
    rule: 'GM-3',
    severity: 'warning',
    raise: (world) => {
      const pointer = block(world)
      world.ce.memory.writeU32(pointer, 24)
      world.ce.GlobalMemoryStatus(pointer)
      return 'GlobalMemoryStatus: the size field holds 24: it is to be set to 32 before the call'
    }
  },
  otherProcess: {
    rule: 'C-94',
    severity: 'error',
    raise: ({ ce }) => {
      ce.VirtualAllocEx(0xffffffff, 0, 4096, MEM_RESERVE, PAGE_READWRITE)
      return "VirtualAllocEx: 0xFFFFFFFF is neither this process's pseudo handle nor its id: there is no other process"
    }
  },
  since6: {
    rule: 'VX-1',
    severity: 'error',
    raise: ({ ce }) => {
      ce.VirtualFreeEx(CURRENT_PROCESS, 0x10000, 0, MEM_RELEASE)
      return 'VirtualFreeEx: CE 5.0 does not have the function: a program that calls it does not link'
    }
  },
  sharedAlloc: {
    rule: 'VX-2',
    severity: 'error',
    raise: ({ ce }) => {
      ce.CeVirtualSharedAlloc(0, 4096, 0)
      return 'CeVirtualSharedAlloc: only a program in kernel mode may call it'
    }
  },
  guardSpent: {
    rule: 'C-68',
    severity: 'warning',
    raise: ({ ce }) => {
      const page = ce.VirtualAlloc(0, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD)
      ce.IsBadReadPtr(page + 7, 4)
      return `IsBadReadPtr: ${hex(page + 7)} lies in a guard page, whose guard has gone off unseen by this`
    }
  }
}

const toolHelpCases: Readonly<Pick<Record<FindingKind, Case>, 'dwSize' | 'badSnapshot' | 'heapIdIsHandle'>> = {
  dwSize: {
    rule: 'TH-11',
    severity: 'error',
    raise: ({ ce, heap }) => {
      const at = ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, 100)
      ce.Heap32ListFirst(ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0), at)
      return 'Heap32ListFirst: dwSize holds 0: set it to 16, the size of the structure, before the call'
    }
  },
  badSnapshot: {
    rule: 'C-74',
    severity: 'error',
    raise: ({ ce }) => {
      ce.CloseToolhelp32Snapshot(0x1234)
      return "CloseToolhelp32Snapshot: 0x00001234 is not an open snapshot of this thread's"
    }
  },
  heapIdIsHandle: {
    rule: 'TH-16',
    severity: 'error',
    raise: ({ ce, heap }) => {
      const at = ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, 100)
      HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
      ce.Heap32First(ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0), at, 0, heap)
      return `Heap32First: ${hex(heap)} is a heap handle: pass th32HeapID of the HEAPLIST32 instead`
    }
  }
}

/** A thread that died cannot call: spec/coredll/death.spec.ts has its kinds. */
const cases: Readonly<Record<Exclude<FindingKind, DeathKind>, Case>> = { ...ownCases, ...toolHelpCases, ...sectionCases }

const kinds = suite('kinds of findings')

for (const [kind, { rule, severity, raise }] of Object.entries(cases)) {
  kinds(`${kind}: says what is wrong, with rule ${rule} and severity ${severity}`, () => {
    const profile = kind === 'since6' ? 'ce-5.0' : 'compact-2013'
    const world = open({ name: '', profile, build: kind === 'overrun' ? 'debug' : 'retail' })
    const message = raise(world)
    assert.equal(
      world.findings.map((finding) => finding.message),
      [message]
    )
    const [finding] = world.findings
    assert.ok(finding)
    assert.is(finding.rule, rule)
    assert.is(finding.severity, severity)
    assert.is(`${finding.call}: `, message.slice(0, finding.call.length + 2))
    assert.ok((CALLS as readonly string[]).includes(finding.call))
    assert.is(finding.thread, kind === 'strayPages' ? 2 : 1)
    world.process.check()
  })
}

kinds('the table above has every kind, and every rule of a finding exists', () => {
  assert.equal(
    Object.keys(cases).sort(),
    Object.keys(KINDS)
      .filter((kind) => !kind.startsWith('died'))
      .sort()
  )
  for (const { rule } of Object.values(cases)) assert.ok(ruleById(rule), rule)
})

kinds('what is found beside an answer has the name of its call: flags, a block written past its end, a page callback that throws', () => {
  const world = open({ name: '', profile: 'compact-2013', build: 'debug' })
  const { ce, heap, findings } = world
  const own = ce.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => ce.VirtualAlloc(address, size, action, PAGE_READWRITE),
    () => {
      throw new Error('no')
    }
  )
  ce.HeapFree(own, 0, ce.HeapAlloc(own, 0, 20_000))
  const broken = block(world)
  ce.memory.writeU8(broken + 101, 1)
  const calls: readonly (readonly [CallName, () => unknown])[] = [
    ['HeapReAlloc', () => ce.HeapReAlloc(heap, 0, broken, 10)],
    ['HeapFree', () => ce.HeapFree(heap, 4, broken)],
    ['HeapValidate', () => ce.HeapValidate(heap, 4, 0)],
    ['HeapCompact', () => ce.HeapCompact(heap, 4)],
    ['HeapCompact', () => ce.HeapCompact(own, 0)],
    ['HeapDestroy', () => ce.HeapDestroy(own)]
  ]
  assert.equal(findings, [])
  for (const [name, call] of calls) {
    messagesApart(call)
    const found = findings.splice(0)
    assert.ok(found.length > 0, name)
    for (const finding of found) assert.equal([finding.call, finding.message.split(':')[0]], [name, name])
  }
})

kinds('the finding of a thread that died in no call begins with what has happened', () => {
  const { process, findings } = open({ name: '', profile: 'compact-2013', build: 'retail' })
  const token = process.share()
  const two = attachThread(token)
  enter(two.machine, HDR.SPY_LOCK, two.tid)
  process.workerEnded(token)
  const message = "the thread ended inside the task allocator's section, which is free now: what it had begun there is done or undone"
  assert.equal(findings, [{ rule: 'C-92', severity: 'error', call: '', thread: 2, message }])
})

kinds.run()
