// The table of heap records: who gets which, what a heap leaves in its own, and whose sections are entered and left on the way.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ABANDONED, indexOf, REC, recordAt, recordOf } from '../../src/heap/record.ts'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  createProcess,
  ERROR_NOT_ENOUGH_MEMORY,
  LockTimeoutError,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  type PFN_AllocHeapMem
} from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, isOwn, leave } from '../../src/machine/section.ts'
import { waitingInVain } from '../coredll/afterdeathscene.ts'

const UNIT = 0x10000

interface Scene {
  readonly process: CeProcess
  readonly one: CeThread
  readonly two: CeThread
}

function scene(units = 16): Scene {
  const process = createProcess({ memory: units * UNIT, lockTimeout: 30 })
  return { process, one: process.thread, two: attachThread(process.share()) }
}

/** Makes a heap on the program's own pages; `before` is told of each request for some. */
function lend(
  ce: CeThread,
  before: (...asked: Parameters<PFN_AllocHeapMem>) => void,
  after = (_action: number): void => undefined
): number {
  return ce.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => {
      before(address, size, action)
      const given = ce.VirtualAlloc(address, size, action, PAGE_READWRITE)
      after(action)
      return given
    },
    (address, size, action) => {
      const done = ce.VirtualFree(address, action === MEM_RELEASE ? 0 : size, action)
      after(action)
      return done
    }
  )
}

function placeOf({ machine }: CeThread, heap: number): number {
  return indexOf(machine, recordOf(machine, heap))
}

/** The sections that the thread takes while `call` runs, each time. */
function takenIn({ machine }: CeThread, call: () => void): number[] {
  const { take } = machine
  const taken: number[] = []
  machine.take = (at, who) => {
    taken.push(at >> 2)
    return take(at, who)
  }
  call()
  machine.take = take
  return taken
}

function inVain(call: () => unknown): void {
  waitingInVain(() => assert.throws(call, (error: unknown) => error instanceof LockTimeoutError))
}

const table = suite('the table of heaps')

table('C-11: where heaps that are being made have every record, one more is NULL with error 8, and takes the process section alone', () => {
  const { process, one } = scene(4)
  let deepest = 0
  const dive = (depth: number): void => {
    one.CeHeapCreate(
      0,
      0,
      0,
      () => {
        if (deepest === 0) dive(depth + 1)
        if (deepest === 0) {
          deepest = depth
          one.SetLastError(0)
          const taken = takenIn(one, () => assert.equal([one.HeapCreate(0, 0, 0), one.GetLastError()], [0, ERROR_NOT_ENOUGH_MEMORY]))
          assert.equal(taken, [HDR.LOCK])
          assert.ok((one.machine.sys[HDR.HEAPS] as number) <= 4)
        }
        return 0
      },
      () => 1
    )
  }
  dive(1)
  assert.is(deepest, 3, 'the process heap has the first of four')
  process.check()
  assert.is.not(one.HeapCreate(0, 0, 0), 0)
})

table('a destroyed heap leaves nothing in its record but the generation', () => {
  const { one } = scene()
  const { sys, heapsAt, heapsEnd } = one.machine
  one.HeapCreate(0, 0, 0)
  const words = (): number[] => [...sys.subarray(heapsAt, heapsEnd)]
  const record = recordAt(one.machine, 2)
  for (const make of [() => one.HeapCreate(0, 0x3000, 0), () => one.HeapCreate(0, 0, 0x8000), () => lend(one, () => undefined)]) {
    const before = words()
    const heap = make()
    assert.is(recordOf(one.machine, heap), record)
    const blocks = [10, 300, 5000, 0x20000].map((bytes) => one.HeapAlloc(heap, 0, bytes))
    one.HeapFree(heap, 0, blocks[1] as number)
    Object.assign(sys, { [record + REC.LEFT_BLOCK]: 1, [record + REC.LEFT_RESIZED]: 1 })
    assert.is(one.HeapDestroy(heap), 1)
    before[record + REC.GENERATION - heapsAt] = (before[record + REC.GENERATION - heapsAt] as number) + 1
    assert.equal(words(), before)
  }
})

table('a heap that could not be made leaves its handle to the next one', () => {
  const [failed, other] = [scene(), scene()]
  assert.is(failed.one.HeapCreate(0, 0x40000000, 0), 0)
  assert.is(failed.one.HeapCreate(0, 0, 0), other.one.HeapCreate(0, 0, 0))
})

table('a heap that takes the place of an older one hides none of those behind it', () => {
  const { process, one } = scene()
  const heaps = [1, 2, 3].map(() => one.HeapCreate(0, 0, 0))
  one.HeapDestroy(heaps[0] as number)
  const heir = one.HeapCreate(0, 0, 0)
  assert.is(placeOf(one, heir), 1)
  assert.equal(
    process.snapshot().heaps.map(({ handle }) => handle),
    [one.GetProcessHeap(), heir, heaps[1], heaps[2]]
  )
})

table('a heap that comes to life after process.close() ends itself', () => {
  const { process, one } = scene()
  const record = recordAt(one.machine, 1)
  try {
    lend(
      one,
      () => undefined,
      (action) => {
        if (action === MEM_COMMIT) process.close()
      }
    )
  } catch (error) {
    assert.instance(error, TypeError)
  }
  assert.is(one.machine.sys[record + REC.HANDLE], 0)
})

table('page callbacks are asked for as much as there is memory, and for no more', () => {
  const memory = 4 * UNIT
  for (const [initial, maximum, asked] of [
    [memory, 0, [memory]],
    [memory + 1, 0, []],
    [0, memory, [memory]],
    [0, memory + 1, []],
    [0xffffffff, 0, []],
    [0, 0xffffffff, []]
  ] as const) {
    const { one } = scene(4)
    const sizes: number[] = []
    const refuse = (_address: number, size: number): number => {
      sizes.push(size)
      return 0
    }
    assert.is(
      one.CeHeapCreate(0, initial, maximum, refuse, () => 1),
      0
    )
    assert.equal(sizes, asked, `${initial} ${maximum}`)
  }
})
table.run()

const sections = suite('the sections on the way to a heap')

sections('HeapCreate enters that of no heap that lives, and leaves alone who is inside of one', () => {
  const { one, two } = scene()
  const heap = one.HeapCreate(0, 0, 0)
  const record = recordOf(one.machine, heap)
  enter(two.machine, record, two.tid)
  let next = 0
  const taken = takenIn(one, () => {
    next = one.HeapCreate(0, 0, 0)
  })
  assert.ok(taken.includes(recordOf(one.machine, next)))
  assert.not(taken.includes(record))
  assert.ok(isOwn(one.machine.sys[record] as number, two.tid))
})

sections("a handle that can be no heap's is answered without a look at any section", () => {
  const { one, two } = scene()
  const heap = one.HeapCreate(0, 0, 0)
  const { heapLimit, heapsEnd } = one.machine
  for (const at of [recordOf(one.machine, heap), heapsEnd]) enter(two.machine, at, two.tid)
  for (const wrong of [heap - 2, heap - 1, heap + 1, ((heap >>> 18) << 18) | (heapLimit << 2) | 2]) {
    assert.is(one.HeapAlloc(wrong, 0, 10), 0)
    assert.is(one.HeapFree(wrong, 0, 0x10000), 0)
    assert.is(one.HeapDestroy(wrong), 0)
  }
})

sections('HeapCreate passes by a heap to be ended while another thread is inside, and ends it afterwards', () => {
  const { process, one, two } = scene()
  const heap = one.HeapCreate(0, 0, 0)
  const record = recordOf(one.machine, heap)
  one.machine.sys[record + REC.MAKER] = ABANDONED
  enter(two.machine, record, two.tid)
  assert.is(placeOf(one, one.HeapCreate(0, 0, 0)), 2)
  assert.ok(isOwn(one.machine.sys[record] as number, two.tid))
  assert.is(one.machine.sys[record + REC.HANDLE], heap)
  leave(two.machine, record)
  assert.is(placeOf(one, one.HeapCreate(0, 0, 0)), 1)
  process.check()
})

sections('HeapCreate ends no heap that somebody else has made meanwhile, where there was one to be ended', () => {
  const { one } = scene()
  const heap = one.HeapCreate(0, 0, 0)
  const record = recordOf(one.machine, heap)
  one.machine.sys[record + REC.MAKER] = ABANDONED
  const { take } = one.machine
  one.machine.take = (at, who) => {
    if (at === record << 2) one.machine.sys[record + REC.MAKER] = 0
    return take(at, who)
  }
  assert.is(placeOf(one, one.HeapCreate(0, 0, 0)), 2)
  one.machine.take = take
  assert.is(one.HeapFree(heap, 0, one.HeapAlloc(heap, 0, 10)), 1)
})

sections('HeapCreate waits for who is still inside of a heap that is gone, and takes nothing from him if that is in vain', () => {
  const { process, one, two } = scene()
  const heap = one.HeapCreate(0, 0, 0)
  const record = recordOf(one.machine, heap)
  one.HeapDestroy(heap)
  enter(two.machine, record, two.tid)
  inVain(() => one.HeapCreate(0, 0, 0))
  assert.ok(isOwn(one.machine.sys[record] as number, two.tid))
  assert.is(one.machine.sys[HDR.LOCK], 0)
  leave(two.machine, record)
  assert.is(recordOf(one.machine, one.HeapCreate(0, 0, 0)), record)
  process.check()
})

sections('HeapCreate that has waited for such a place gets it, and leaves no other one claimed', () => {
  const { process, one, two } = scene()
  const heap = one.HeapCreate(0, 0, 0)
  const record = recordOf(one.machine, heap)
  one.HeapDestroy(heap)
  enter(two.machine, record, two.tid)
  const got: number[] = []
  waitingInVain(
    () => got.push(one.HeapCreate(0, 0, 0)),
    () => leave(two.machine, record)
  )
  assert.is(recordOf(one.machine, got[0] as number), record)
  process.check()
})

sections('HeapCreate is one hold of the process section, so that the heap comes to life at one moment', () => {
  const { one } = scene()
  const given: number[] = []
  const { give } = one.machine
  one.machine.give = (at) => {
    given.push(at >> 2)
    return give(at)
  }
  const record = recordOf(one.machine, one.HeapCreate(0, 0x3000, 0))
  assert.equal(given, [record, HDR.LOCK])
})

sections('a sound error in the midst of HeapCreate leaves both sections, and the record to the next HeapCreate', () => {
  const { process, one } = scene()
  const { abandon } = one.machine
  // What the border of the call would let go of.
  one.machine.abandon = () => undefined
  const record = recordAt(one.machine, 1)
  const { take } = one.machine
  let taken = 0
  one.machine.take = (at, who) => {
    if (at === HDR.LOCK << 2 && ++taken === 2) throw new LockTimeoutError(9, 30)
    return take(at, who)
  }
  assert.throws(
    () => one.HeapCreate(0, 0, 0),
    (error: unknown) => error instanceof LockTimeoutError
  )
  one.machine.take = take
  assert.equal([one.machine.sys[HDR.LOCK], one.machine.sys[record]], [0, 0])
  one.machine.abandon = abandon
  assert.is(recordOf(one.machine, one.HeapCreate(0, 0, 0)), record)
  process.check()
})

sections('a heap that is being made on pages of the program is entered by nobody else while its callbacks run', () => {
  const { one, two } = scene()
  const record = recordAt(one.machine, 1)
  let asked = 0
  lend(one, () => {
    asked++
    assert.ok(isOwn(one.machine.sys[record] as number, one.tid))
    assert.not(isOwn(one.machine.sys[HDR.LOCK] as number, one.tid))
  })
  assert.is(asked, 2)
  assert.is(one.machine.sys[record], 0)
  two.detach()
})

sections('CeHeapCreate takes the process section from nobody: neither when it is done, nor when it gives up', () => {
  const { one, two } = scene()
  const steal = (when: number) => (action: number) => {
    if (action === when) enter(two.machine, HDR.LOCK, two.tid)
  }
  const heap = lend(one, () => undefined, steal(MEM_COMMIT))
  assert.is.not(heap, 0)
  assert.ok(isOwn(one.machine.sys[HDR.LOCK] as number, two.tid))
  leave(two.machine, HDR.LOCK)
  inVain(() => lend(one, () => undefined, steal(MEM_RESERVE)))
  assert.ok(isOwn(one.machine.sys[HDR.LOCK] as number, two.tid))
})

sections('while a callback of a heap that is being destroyed runs, other threads reserve pages', () => {
  const { one, two } = scene()
  const got: number[] = []
  const heap = lend(
    one,
    () => undefined,
    (action) => {
      if (action === MEM_RELEASE) got.push(two.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE))
    }
  )
  assert.is(one.HeapDestroy(heap), 1)
  assert.is(got.length, 1)
  assert.is.not(got[0], 0)
})

sections(
  'HeapDestroy of a heap on pages of the program waits for the process section at its end; in vain, it is no heap any more, and the next HeapCreate has its record',
  () => {
    const { process, one, two } = scene()
    const heap = lend(
      one,
      () => undefined,
      (action) => {
        if (action === MEM_RELEASE) enter(two.machine, HDR.LOCK, two.tid)
      }
    )
    const record = recordOf(one.machine, heap)
    inVain(() => one.HeapDestroy(heap))
    assert.ok(isOwn(one.machine.sys[HDR.LOCK] as number, two.tid))
    leave(two.machine, HDR.LOCK)
    assert.is(two.HeapAlloc(heap, 0, 10), 0)
    assert.equal(
      process.snapshot().heaps.map(({ handle }) => handle),
      [one.GetProcessHeap()]
    )
    assert.is(recordOf(one.machine, one.HeapCreate(0, 0, 0)), record)
    process.check()
  }
)
sections.run()
