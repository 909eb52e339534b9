// Faults in pages, in heaps on a program's own pages, in what is told of memory, and in critical sections.
import { EXCEPTION_GUARD_PAGE, MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, MEM_RESET } from '../../src/constants.ts'
import type { Fault, Good } from './fault.ts'

function write32(good: Good, address: number, value: number): void {
  good.memory?.write(address, new Uint8Array(new Uint32Array([value]).buffer))
}

export const pageFaults: readonly Fault[] = [
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
  }
]
