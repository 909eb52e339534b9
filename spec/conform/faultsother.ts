// Faults in pages, sections, COM and its spy, hosts, CeHeapCreate, and the calls that few programs make.
import type { IMalloc } from '../../src/com/malloc.ts'
import type { IMallocSpy } from '../../src/com/spy.ts'
import {
  CO_E_OBJNOTREG,
  EXCEPTION_GUARD_PAGE,
  HOST_E_CLRNOTAVAILABLE,
  LMEM_MODIFY,
  LMEM_MOVEABLE,
  LMEM_ZEROINIT,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_RESET,
  S_OK
} from '../../src/constants.ts'
import type { IHostMalloc } from '../../src/hosting/malloc.ts'
import type { IHostMemoryManager } from '../../src/hosting/manager.ts'
import type { HeapUnderTest } from '../../src/conform/subject.ts'
import { after, type Fault, type Good } from './fault.ts'

/** The object with some methods replaced. */
function changed<T extends object>(object: T, changes: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      if (name in changes) return changes[name as keyof T]
      const value = target[name as keyof T]
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** A registration that puts something between the spy and the allocator. */
function spied(good: Good, changes: (spy: IMallocSpy) => Partial<IMallocSpy>): Partial<HeapUnderTest> {
  return {
    CoRegisterMallocSpy: (spy) => {
      if (spy === null) return good.CoRegisterMallocSpy(null)
      const between: IMallocSpy = changed(spy, {
        ...changes(spy),
        QueryInterface: (riid) => {
          const { hr, ppvObject } = spy.QueryInterface?.(riid) ?? { hr: S_OK, ppvObject: spy }
          return { hr, ppvObject: ppvObject === null ? null : between }
        }
      })
      return good.CoRegisterMallocSpy(between)
    }
  }
}

function allocator(good: Good, changes: (malloc: IMalloc) => Partial<IMalloc>): Partial<HeapUnderTest> {
  return {
    CoGetMalloc: (context) => {
      const { hr, ppMalloc } = good.CoGetMalloc(context)
      return { hr, ppMalloc: ppMalloc === null ? null : changed(ppMalloc, changes(ppMalloc)) }
    }
  }
}

function hosted(good: Good, changes: (manager: IHostMemoryManager) => Partial<IHostMemoryManager>): Partial<HeapUnderTest> {
  return {
    openHost: (policy) => {
      const manager = (good.openHost as NonNullable<Good['openHost']>)(policy)
      return changed(manager, changes(manager))
    }
  }
}

function hostMalloc(good: Good, changes: (malloc: IHostMalloc) => Partial<IHostMalloc>): Partial<HeapUnderTest> {
  return hosted(good, (manager) => ({
    CreateMalloc: (type) => {
      const { hr, ppMalloc } = manager.CreateMalloc(type)
      return { hr, ppMalloc: ppMalloc === null ? null : changed(ppMalloc, changes(ppMalloc)) }
    }
  }))
}

function write32(good: Good, address: number, value: number): void {
  good.memory?.write(address, new Uint8Array(new Uint32Array([value]).buffer))
}

export const otherFaults: readonly Fault[] = [
  {
    what: 'VirtualAlloc does not zero',
    rule: 'VA-2',
    plant: (good) => ({
      VirtualAlloc: (p, n, t, x) => {
        const q = good.VirtualAlloc(p, n, t, x)
        if (q !== 0 && (t & MEM_COMMIT) !== 0 && x === 4) good.memory?.write(q, new Uint8Array([0xcc]))
        return q
      }
    })
  },
  {
    what: 'a reservation begins at any page',
    rule: 'VA-3',
    plant: (good) => ({
      VirtualAlloc: (p, n, t, x) => {
        if (p !== 0 || (t & MEM_RESERVE) === 0) return good.VirtualAlloc(p, n, t, x)
        const q = good.VirtualAlloc(0, n + 0x1000, t, x)
        return q === 0 ? 0 : q + 0x1000
      }
    })
  },
  {
    what: 'committing committed pages fails',
    rule: 'VA-8',
    plant: (good) => {
      const committed = new Set<number>()
      return {
        VirtualAlloc: (p, n, t, x) => {
          if ((t & MEM_COMMIT) !== 0 && committed.has(p)) return 0
          const q = good.VirtualAlloc(p, n, t, x)
          if ((t & MEM_COMMIT) !== 0) committed.add(q)
          return q
        }
      }
    }
  },
  {
    what: 'what is reserved is reserved again',
    rule: 'VA-9',
    plant: (good) => ({ VirtualAlloc: (p, n, t, x) => good.VirtualAlloc(p, n, t, x) || ((t & MEM_RESERVE) !== 0 ? p : 0) })
  },
  {
    what: 'MEM_TOP_DOWN is ignored',
    rule: 'VA-10',
    plant: (good) => ({ VirtualAlloc: (p, n, t, x) => good.VirtualAlloc(p, n, t & ~0x100000, x) })
  },
  {
    what: 'MEM_RESET is accepted',
    rule: 'VA-11',
    plant: (good) => ({ VirtualAlloc: (p, n, t, x) => ((t & MEM_RESET) !== 0 ? p : good.VirtualAlloc(p, n, t, x)) })
  },
  {
    what: 'a program of CE 5.0 has 32 MB to reserve',
    rule: 'VL-1',
    profile: 'ce-5.0',
    plant: (good) => ({ VirtualAlloc: (p, n, t, x) => (n >= 0x2000000 ? 0x30000 : good.VirtualAlloc(p, n, t, x)) })
  },
  {
    what: 'decommitting uncommitted pages fails',
    rule: 'VF-3',
    plant: (good) => {
      const committed = new Set<number>()
      return {
        VirtualAlloc: (p, n, t, x) => {
          const q = good.VirtualAlloc(p, n, t, x)
          if ((t & MEM_COMMIT) !== 0) committed.add(q)
          return q
        },
        VirtualFree: (p, n, f) => (f === MEM_DECOMMIT && !committed.has(p) ? 0 : good.VirtualFree(p, n, f))
      }
    }
  },
  {
    what: 'VirtualFree without a flag releases',
    rule: 'VF-4',
    plant: (good) => ({ VirtualFree: (p, n, f) => good.VirtualFree(p, n, f === 0 ? MEM_RELEASE : f) })
  },
  {
    what: 'a partly committed region is released',
    rule: 'VF-5',
    plant: (good) => {
      const sizes = new Map<number, number>()
      return {
        VirtualAlloc: (p, n, t, x) => {
          const q = good.VirtualAlloc(p, n, t, x)
          if ((t & MEM_RESERVE) !== 0) sizes.set(q, n)
          return q
        },
        VirtualFree: (p, n, f) => {
          if (f === MEM_RELEASE && sizes.has(p)) good.VirtualFree(p, sizes.get(p) as number, MEM_DECOMMIT)
          return good.VirtualFree(p, n, f)
        }
      }
    }
  },
  {
    what: 'VirtualProtect does not tell the old protection',
    rule: 'VP-1',
    plant: (good) => ({
      VirtualProtect: (p, n, x, old) => {
        const done = good.VirtualProtect(p, n, x, old)
        if (done !== 0) write32(good, old, 0)
        return done
      }
    })
  },
  { what: 'VirtualProtect spans two allocations', rule: 'VP-2', plant: () => ({ VirtualProtect: () => 1 }) },
  {
    what: 'a guard page alarms again and again',
    rule: 'VP-4',
    plant: (good) => {
      const guarded = new Set<number>()
      const memory = good.memory as NonNullable<Good['memory']>
      return {
        memory: {
          ...memory,
          touch: (address) => {
            const code = memory.touch?.(address) ?? 0
            if (code === EXCEPTION_GUARD_PAGE) guarded.add(address)
            return guarded.has(address) ? EXCEPTION_GUARD_PAGE : code
          }
        }
      }
    }
  },
  {
    what: 'VirtualQuery does not round the address down',
    rule: 'VQ-1',
    plant: (good) => ({
      VirtualQuery: (p, b, n) => {
        const written = good.VirtualQuery(p, b, n)
        if (written !== 0) write32(good, b, p)
        return written
      }
    })
  },
  {
    what: 'CeVirtualSharedAlloc is granted to everybody',
    rule: 'VX-2',
    plant: (good) => ({ CeVirtualSharedAlloc: (p, n) => good.VirtualAlloc(p, n, MEM_RESERVE + MEM_COMMIT, 4) })
  },
  {
    what: 'CeHeapCreate takes pages of its own',
    rule: 'CH-4',
    plant: (good) => ({ CeHeapCreate: (f, initial, most) => good.HeapCreate(f, initial, most) })
  },
  {
    what: 'CeHeapCreate ignores the maximum',
    rule: 'CH-3',
    plant: (good) => ({ CeHeapCreate: (f, initial, _most, alloc, free) => good.CeHeapCreate(f, initial, 0, alloc, free) })
  },
  {
    what: 'CeHeapCreate makes a heap without pages',
    rule: 'CH-5',
    plant: (good) => ({ CeHeapCreate: (f, initial, most, alloc, free) => good.CeHeapCreate(f, initial, most, alloc, free) || 0x42 })
  },
  {
    what: 'CeHeapCreate takes any options',
    rule: 'C-34',
    plant: (good) => ({ CeHeapCreate: (_f, initial, most, alloc, free) => good.CeHeapCreate(0, initial, most, alloc, free) })
  },
  {
    what: 'rounding the initial size up wraps',
    rule: 'HC-8',
    plant: (good) => ({ HeapCreate: (f, initial, most) => good.HeapCreate(f, ((initial + 0xfff) & ~0xfff) >>> 0, most) })
  },
  {
    what: 'HeapReAlloc takes a fixed heap past 0x7FFF7 bytes',
    rule: 'C-9',
    plant: (good) => ({ HeapReAlloc: (h, f, p, n) => good.HeapReAlloc(h, f, p, n === 0x7fff8 ? 0x7fff0 : n) })
  },
  {
    what: 'HeapReAlloc leaves the last error of a failure alone',
    rule: 'HR-6',
    plant: (good) => ({
      HeapReAlloc: (h, f, p, n) => {
        const before = good.GetLastError()
        const q = good.HeapReAlloc(h, f, p, n)
        good.SetLastError(before)
        return q
      }
    })
  },
  {
    what: 'the last error is one for all threads',
    rule: 'HA-4',
    plant: (good) => ({ secondThread: { ...good.secondThread, HeapAlloc: (h, f, n) => good.HeapAlloc(h, f, n) } })
  },
  {
    what: 'LocalAlloc has a heap of its own',
    rule: 'LA-2',
    plant: (good) => {
      const heap = good.HeapCreate(0, 0, 0)
      return { LocalAlloc: (f, n) => good.HeapAlloc(heap, (f & LMEM_ZEROINIT) !== 0 ? 8 : 0, n) }
    }
  },
  { what: 'LPTR does not zero', rule: 'LA-3', plant: (good) => ({ LocalAlloc: (f, n) => good.LocalAlloc(f & ~LMEM_ZEROINIT, n) }) },
  {
    what: 'a fixed block is made movable',
    rule: 'LR-3',
    plant: (good) => ({ LocalReAlloc: (p, n, f) => (f === LMEM_MODIFY + LMEM_MOVEABLE ? p : good.LocalReAlloc(p, n, f)) })
  },
  {
    what: 'LocalReAlloc does not zero what it adds',
    rule: 'LR-5',
    plant: (good) => ({ LocalReAlloc: (p, n, f) => good.LocalReAlloc(p, n, f & ~LMEM_ZEROINIT) })
  },
  {
    what: 'LocalReAlloc frees the block when it fails',
    rule: 'LR-6',
    plant: (good) => ({ LocalReAlloc: (p, n, f) => good.LocalReAlloc(p, n, f) || after(good.LocalFree(p), 0) })
  },
  { what: 'LocalUnlock counts', rule: 'LM-1', plant: () => ({ LocalUnlock: () => 1 }) },
  {
    what: 'GlobalMemoryStatus writes past its structure',
    rule: 'GM-2',
    plant: (good) => ({
      GlobalMemoryStatus: (s) => {
        good.GlobalMemoryStatus(s)
        write32(good, s + 32, 1)
      }
    })
  },
  {
    what: "GlobalMemoryStatus tells the device's address space on CE 5.0",
    rule: 'GM-4',
    profile: 'ce-5.0',
    plant: (good) => ({
      GlobalMemoryStatus: (s) => {
        good.GlobalMemoryStatus(s)
        write32(good, s + 24, 0x7fff0000)
      }
    })
  },
  {
    what: 'a section does not count how often it was entered',
    rule: 'CS-2',
    plant: (good) => {
      const inside = new Set<number>()
      return {
        EnterCriticalSection: (s) => {
          if (!inside.has(s)) good.EnterCriticalSection(s)
          inside.add(s)
        },
        LeaveCriticalSection: (s) => {
          if (inside.delete(s)) good.LeaveCriticalSection(s)
        }
      }
    }
  },
  {
    what: 'a section keeps no other thread out',
    rule: 'CS-4',
    plant: (good) => ({ secondThread: { ...good.secondThread, TryEnterCriticalSection: () => 1 } })
  },
  {
    what: 'a section writes past its structure',
    rule: 'CS-3',
    plant: (good) => ({
      EnterCriticalSection: (s) => {
        good.EnterCriticalSection(s)
        write32(good, s + 20, 1)
      }
    })
  },
  {
    what: 'Realloc of IMalloc frees the block when it fails',
    rule: 'IM-6',
    plant: (good) => allocator(good, (malloc) => ({ Realloc: (p, n) => malloc.Realloc(p, n) || (n === 0 ? 0 : after(malloc.Free(p), 0)) }))
  },
  {
    what: 'GetSize of NULL is 0',
    rule: 'IM-9',
    plant: (good) => allocator(good, (malloc) => ({ GetSize: (p) => (p === 0 ? 0 : malloc.GetSize(p)) }))
  },
  { what: 'DidAlloc knows every pointer', rule: 'IM-10', plant: (good) => allocator(good, () => ({ DidAlloc: () => 1 })) },
  {
    what: 'HeapMinimize frees what is in use',
    rule: 'IM-11',
    plant: (good) => {
      let last = 0
      return allocator(good, (malloc) => ({
        Alloc: (n) => {
          last = malloc.Alloc(n)
          return last
        },
        HeapMinimize: () => {
          good.memory?.write(last, new Uint8Array(1))
          malloc.HeapMinimize()
        }
      }))
    }
  },
  {
    what: 'a second spy takes the place of the first',
    rule: 'SP-1',
    plant: (good) => ({ CoRegisterMallocSpy: (spy) => after(good.CoRevokeMallocSpy(), good.CoRegisterMallocSpy(spy)) })
  },
  {
    what: 'any object is taken for a spy',
    rule: 'SP-2',
    plant: (good) => ({ CoRegisterMallocSpy: (spy) => after(good.CoRegisterMallocSpy(spy), S_OK) })
  },
  {
    what: 'a revoke without a spy succeeds',
    rule: 'SP-5',
    plant: (good) => ({
      CoRevokeMallocSpy: () => {
        const hr = good.CoRevokeMallocSpy()
        return hr === CO_E_OBJNOTREG ? S_OK : hr
      }
    })
  },
  { what: 'a revoked spy is kept', rule: 'SP-7', plant: (good) => spied(good, () => ({ Release: () => 1 })) },
  {
    what: 'PreAlloc is not asked how much',
    rule: 'SP-10',
    plant: (good) => spied(good, (spy) => ({ PreAlloc: (n) => after(spy.PreAlloc(n), n) }))
  },
  { what: 'PreAlloc cannot refuse', rule: 'SP-11', plant: (good) => spied(good, (spy) => ({ PreAlloc: (n) => spy.PreAlloc(n) || n })) },
  {
    what: 'PostAlloc is not called where memory is out',
    rule: 'SP-12',
    plant: (good) => spied(good, (spy) => ({ PostAlloc: (p) => (p === 0 ? 0 : spy.PostAlloc(p)) }))
  },
  {
    what: 'the answer of PostAlloc does not reach the caller',
    rule: 'SP-14',
    plant: (good) => spied(good, (spy) => ({ PostAlloc: (p) => after(spy.PostAlloc(p), p) }))
  },
  { what: 'every block counts as spied', rule: 'SP-16', plant: (good) => spied(good, (spy) => ({ PreFree: (p) => spy.PreFree(p, 1) })) },
  {
    what: 'PreRealloc cannot refuse',
    rule: 'SP-18',
    plant: (good) =>
      spied(good, (spy) => ({
        PreRealloc: (p, n, fSpyed) => {
          const asked = spy.PreRealloc(p, n, fSpyed)
          return { ...asked, cb: asked.cb || n }
        }
      }))
  },
  {
    what: 'the answer of PostGetSize does not reach the caller',
    rule: 'SP-20',
    plant: (good) => spied(good, (spy) => ({ PostGetSize: (n, fSpyed) => after(spy.PostGetSize(n, fSpyed), n) }))
  },
  {
    what: 'IHostMalloc says S_OK to what it refuses',
    rule: 'HO-8',
    plant: (good) => hostMalloc(good, (malloc) => ({ Alloc: (n, level) => ({ ...malloc.Alloc(n, level), hr: S_OK }) }))
  },
  {
    what: 'IHostMalloc frees anything',
    rule: 'HO-10',
    plant: (good) => hostMalloc(good, (malloc) => ({ Free: (p) => after(malloc.Free(p), S_OK) }))
  },
  {
    what: 'a host grants address space without end',
    rule: 'HO-18',
    plant: (good) => hosted(good, () => ({ NeedsVirtualAddressSpace: () => S_OK }))
  },
  {
    what: "a host frees anybody's pages",
    rule: 'HO-13',
    plant: (good) => hosted(good, (manager) => ({ VirtualFree: (p, n, f) => after(manager.VirtualFree(p, n, f), S_OK) }))
  },
  {
    what: 'a host does not see its load rise',
    rule: 'HO-16',
    plant: (good) => hosted(good, () => ({ GetMemoryLoad: () => ({ hr: S_OK, pMemoryLoad: 7, pAvailableBytes: 0x1000 }) }))
  },
  {
    what: 'a host goes on after a failure at process level',
    rule: 'HO-5',
    plant: (good) =>
      hosted(good, (manager) => ({
        GetMemoryLoad: () => {
          const answer = manager.GetMemoryLoad()
          return answer.hr === HOST_E_CLRNOTAVAILABLE ? { ...answer, hr: S_OK } : answer
        }
      }))
  },
  {
    what: 'a host never tells its callback',
    rule: 'HO-21',
    plant: (good) => hosted(good, () => ({ RegisterMemoryNotificationCallback: () => S_OK }))
  }
]
