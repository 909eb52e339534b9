// An error in the middle of a call, at no matter which store: a stack that overflows above all. Whatever the family of the call, nothing stays entered.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type IMallocSpy, openCom } from '../../src/com/index.ts'
import {
  attachThread,
  type Build,
  type CeThread,
  createProcess,
  eTaskCritical,
  MALLOC_EXECUTABLE,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_READWRITE,
  S_OK,
  TH32CS_SNAPHEAPLIST
} from '../../src/index.ts'
import { openHost } from '../../src/hosting/index.ts'
import { sectionsOf } from '../../src/coredll/death.ts'
import { HDR } from '../../src/machine/layout.ts'
import { COLD } from '../../src/machine/machine.ts'
import { isOwn } from '../../src/machine/section.ts'
import { sectionRecords } from '../../src/machine/sectiontable.ts'
import { Witness } from '../../src/mixed/spies.ts'
import { crowded, heapCalls, heapEnds, lentCalls, pageCalls } from './cutcalls.ts'
import { Cutting, cutsOf } from './cutting.ts'
import { Cut, underScissors } from './scissors.ts'

const overflow = suite('a stack that overflows')

/** Calls from every depth of a stack that has just overflowed, the deepest first. */
function fromTheDepth(call: () => void, left = { frames: 400 }): void {
  try {
    fromTheDepth(call, left)
  } catch {
    // The stack ends here or just below.
  }
  if (left.frames-- > 0) call()
}

/** A family's calls, as a program makes them; what is prepared is prepared in peace. */
type Family = (ce: CeThread) => () => void

function pass(method: string): unknown {
  if (method === 'PreRealloc') return (pv: number, cb: number) => ({ cb, ppNewRequest: pv })
  return (first: number, _: number, third: number) => (method === 'PostDidAlloc' ? third : first)
}

const spyMethods = ['Alloc', 'Free', 'Realloc', 'GetSize', 'DidAlloc', 'HeapMinimize'].flatMap((name) => [`Pre${name}`, `Post${name}`])

const families: Readonly<Record<string, Family>> = {
  'Heap*': (ce) => {
    const heap = ce.HeapCreate(0, 0, 0)
    return () => {
      const p = ce.HeapAlloc(heap, 0, 100)
      const q = ce.HeapReAlloc(heap, 0, p, 40_000)
      ce.HeapFree(heap, 0, q || p)
      ce.HeapCompact(heap, 0)
    }
  },
  'HeapCreate and HeapDestroy': (ce) => () => void ce.HeapDestroy(ce.HeapCreate(0, 0x3000, 0x8000)),
  CeHeapCreate: (ce) => () => {
    const heap = ce.CeHeapCreate(
      0,
      0,
      0,
      (address, size, action) => ce.VirtualAlloc(address, size, action, PAGE_READWRITE),
      (address, size, action) => ce.VirtualFree(address, action === MEM_RELEASE ? 0 : size, action)
    )
    ce.HeapAlloc(heap, 0, 9000)
    ce.HeapDestroy(heap)
  },
  'Local*': (ce) => () => {
    const p = ce.LocalAlloc(0x40, 50)
    ce.LocalFree(ce.LocalReAlloc(p, 5000, 2) || p)
  },
  'Virtual*': (ce) => {
    const own = ce.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
    return () => {
      ce.VirtualAlloc(own, 0x5000, MEM_COMMIT, PAGE_READWRITE)
      ce.VirtualProtect(own + 0x1000, 0x1000, PAGE_NOACCESS, own)
      ce.VirtualQuery(own, own, 28)
      ce.VirtualFree(own, 0, MEM_DECOMMIT)
      ce.VirtualFree(ce.VirtualAlloc(0, 1, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), 0, MEM_RELEASE)
    }
  },
  'accesses to guard pages': (ce) => {
    const own = ce.VirtualAlloc(0, 0x1000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
    const old = ce.LocalAlloc(0, 4)
    return () => {
      ce.VirtualProtect(own, 0x1000, PAGE_READWRITE | PAGE_GUARD, old)
      try {
        ce.memory.readU8(own)
      } catch (error) {
        if (error instanceof RangeError) throw error
      }
    }
  },
  status: (ce) => {
    const out = ce.LocalAlloc(0, 64)
    return () => {
      ce.GlobalMemoryStatus(out)
      ce.GetSystemInfo(out)
    }
  },
  'tool help': (ce) => {
    const out = ce.LocalAlloc(0, 64)
    return () => {
      const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
      ce.memory.writeU32(out, 16)
      ce.Heap32ListFirst(snapshot, out)
      ce.CloseToolhelp32Snapshot(snapshot)
    }
  },
  'critical sections': (ce) => {
    const [one, two] = [ce.LocalAlloc(0, 20), ce.LocalAlloc(0, 20)]
    ce.InitializeCriticalSection(one)
    return () => {
      ce.EnterCriticalSection(one)
      ce.LeaveCriticalSection(one)
      ce.InitializeCriticalSection(two)
      ce.DeleteCriticalSection(two)
    }
  },
  'findings of a thread': (ce) => () => void ce.HeapFree(ce.GetProcessHeap(), 0, 12),
  COM: (ce) => {
    const com = openCom(ce)
    return () => com.CoTaskMemFree(com.CoTaskMemRealloc(com.CoTaskMemAlloc(10), 100))
  },
  'COM with a spy that calls': (ce) => {
    const com = openCom(ce)
    const spy = Object.fromEntries(spyMethods.map((name) => [name, pass(name)]))
    const PostAlloc = (p: number): number => {
      com.CoTaskMemFree(com.CoTaskMemAlloc(5))
      return p
    }
    com.CoRegisterMallocSpy({ ...spy, PostAlloc } as unknown as IMallocSpy)
    return () => com.CoTaskMemFree(com.CoTaskMemAlloc(10))
  },
  hosting: (ce) => {
    const host = openHost(ce)
    const { ppMalloc } = host.CreateMalloc(MALLOC_EXECUTABLE)
    return () => {
      const { ppMem } = host.VirtualAlloc(0, 0x2000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, eTaskCritical)
      host.VirtualFree(ppMem, 0, MEM_RELEASE)
      ppMalloc?.Free(ppMalloc.Alloc(100, eTaskCritical).ppMem)
    }
  }
}

for (const build of ['retail', 'debug'] as const satisfies readonly Build[]) {
  for (const [name, family] of Object.entries(families)) {
    overflow(`${name}: everything is whole, and no section held once the thread has made another call [${build}]`, () => {
      const process = createProcess({ memory: 4 * 1024 * 1024, build, lockTimeout: 100 })
      process.onFinding(() => undefined)
      const two = attachThread(process.share())
      two.machine.goBy({ alloc: () => 0, free: () => 0 })
      const calls = family(two)
      const sections = new Set(sectionRecords(two.machine))
      const held = (): number[] => [...sectionsOf(two.machine)].filter((at) => !sections.has(at) && isOwn(two.machine.sys[at] as number, 2))
      let overflows = 0
      let hot = false
      for (let round = 0; round < 8; round++) {
        fromTheDepth(() => {
          try {
            calls()
          } catch (error) {
            if (!(error instanceof RangeError)) throw error
            overflows++
            // Even where the stack has no room for any tidying.
            if (two.machine.adrift && two.machine.hot !== COLD) hot = true
            throw error
          }
        })
        two.GetLastError()
        assert.equal(held(), [])
        process.check()
      }
      assert.ok(overflows > 0, 'no call overflowed the stack')
      assert.not(hot, 'a thread that is adrift has its hot path')
      calls()
      assert.is.not(process.thread.HeapAlloc(process.thread.GetProcessHeap(), 0, 10), 0, 'another thread goes on')
      assert.is.not(process.thread.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE), 0)
    })
  }
}
overflow.run()

const errors = suite('an error at any store')

// What a page callback throws is thrown apart (C-97): here it is the planted error.
globalThis.process.on('uncaughtException', (error) => {
  if (!(error instanceof Cut)) throw error
})

for (const [n, call] of [...heapCalls, ...heapEnds, ...lentCalls, ...pageCalls].entries()) {
  const placement = n % 2 === 0 ? 'segregated' : 'next-fit'
  errors(`is as if the thread had died there, and it goes on: ${call.name} [${placement}]`, () => {
    const cutting = new Cutting(() => crowded(placement, n % 3 === 0 ? 'debug' : 'retail'), call)
    // One step; a few, in which the tidying begins; and all until the thread's next call.
    for (const k of cutsOf(cutting.steps, 45)) for (const length of [1, 7, Number.POSITIVE_INFINITY]) cutting.err(k, length)
  })
}

errors('leaves the hold on a section of the program as it was', () => {
  for (const before of [0, 1, 2]) {
    for (let k = 0, cut = true; cut; k++) {
      const process = createProcess({ memory: 1024 * 1024, lockTimeout: 100 })
      const two = attachThread(process.share())
      const lp = two.LocalAlloc(0, 20)
      two.InitializeCriticalSection(lp)
      for (let n = 0; n < before; n++) two.EnterCriticalSection(lp)
      const scissors = underScissors(two)
      scissors.limit = k
      scissors.once = true
      try {
        scissors.during(() => two.EnterCriticalSection(lp))
      } catch (error) {
        if (!(error instanceof Cut)) throw error
      }
      cut = scissors.cut
      scissors.rewind(Number.POSITIVE_INFINITY)
      const [at = 0] = sectionRecords(two.machine)
      const depth = before + (cut ? 0 : 1)
      assert.is(isOwn(two.machine.sys[at] as number, two.tid), depth > 0, `step ${k}`)
      assert.is(two.machine.sys[at + 1], Math.max(0, depth - 1), `step ${k}`)
      for (let n = 0; n < depth; n++) two.LeaveCriticalSection(lp)
      assert.is(process.thread.TryEnterCriticalSection(lp), 1, `step ${k}`)
    }
  }
})

errors('outside of every section damages nothing, whichever of the 1,024 threads of a process makes it', () => {
  const process = createProcess({ memory: 1024 * 1024 })
  const heap = process.thread.GetProcessHeap()
  for (let tid = 2; tid <= 1024; tid++) {
    const ce = attachThread(process.share())
    assert.is(ce.tid, tid)
    assert.throws(() => ce.HeapSize(heap, 0, -1), /^HeapSize: lpMem/)
    assert.throws(() => ce.TryEnterCriticalSection(-1), /^TryEnterCriticalSection: lpCriticalSection/)
  }
  // A process that was overwritten anywhere is one that nobody can attach to, or that contradicts itself.
  process.check()
})

errors('inside of a method of a spy damages nothing either, whichever thread the spy lives in', () => {
  const process = createProcess({ memory: 1024 * 1024 })
  for (let tid = 2; tid <= 1024; tid++) {
    const ce = attachThread(process.share())
    const { CoRegisterMallocSpy, CoRevokeMallocSpy, CoTaskMemAlloc, CoTaskMemFree } = openCom(ce)
    const spy = new Witness()
    spy.PreAlloc = (cb) => {
      assert.throws(() => ce.TryEnterCriticalSection(-1), /^TryEnterCriticalSection: lpCriticalSection/)
      return cb
    }
    CoRegisterMallocSpy(spy)
    const block = CoTaskMemAlloc(10)
    assert.is.not(block, 0, `thread ${ce.tid}`)
    CoTaskMemFree(block)
    assert.is(CoRevokeMallocSpy(), S_OK, `thread ${ce.tid}`)
  }
  process.check()
})

errors('in one thread takes nothing from the spied call of another, which has entered the spy section more than once', () => {
  const process = createProcess({ memory: 1024 * 1024 })
  const { thread } = process
  const { machine, tid } = thread
  const two = attachThread(process.share())
  const com = openCom(thread)
  const spy = new Witness()
  const { take } = machine
  let failed = 0
  let stays = false
  spy.PostAlloc = (p) => {
    machine.take = (address, who) => {
      if (machine.sys[HDR.SPY_LOCK_COUNT] === 1) {
        assert.throws(() => two.TryEnterCriticalSection(-1), /^TryEnterCriticalSection: lpCriticalSection/)
        failed++
      }
      return take(address, who)
    }
    com.CoTaskMemFree(com.CoTaskMemAlloc(5))
    machine.take = take
    stays = isOwn(machine.sys[HDR.SPY_LOCK] as number, tid)
    return p
  }
  com.CoRegisterMallocSpy(spy)
  com.CoTaskMemAlloc(10)
  assert.ok(failed > 0)
  assert.ok(stays, 'others can enter in the midst of the spied call')
  assert.is(machine.sys[HDR.SPY_LOCK], 0)
  process.check()
})

errors('in a spied call leaves the spy section, and in a call that a method of the spy makes leaves it to the spied call', () => {
  for (let k = 0, cut = true; cut; k++) {
    const process = createProcess({ memory: 1024 * 1024, lockTimeout: 100 })
    const two = attachThread(process.share())
    const com = openCom(two)
    const spy = Object.fromEntries(spyMethods.map((name) => [name, pass(name)]))
    const scissors = underScissors(two)
    let inside = true
    const PostAlloc = (p: number): number => {
      try {
        com.CoTaskMemFree(com.CoTaskMemAlloc(5))
      } catch (error) {
        if (!(error instanceof Cut)) throw error
      }
      inside &&= isOwn(two.machine.sys[HDR.SPY_LOCK] as number, two.tid) && two.machine.sys[HDR.SPY_LOCK_COUNT] === 0
      return p
    }
    com.CoRegisterMallocSpy({ ...spy, PostAlloc } as unknown as IMallocSpy)
    scissors.rewind(k)
    scissors.once = true
    try {
      com.CoTaskMemAlloc(10)
    } catch (error) {
      if (!(error instanceof Cut)) throw error
    }
    cut = scissors.cut
    assert.ok(inside, `step ${k}`)
    assert.is((two.machine.sys[HDR.SPY_LOCK] as number) & 0x7fffffff, 0, `step ${k}`)
    process.check()
  }
})
errors.run()
