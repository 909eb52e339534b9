// Faults in heaps, the Local functions and what else a program calls every day.
import { LMEM_MODIFY, LMEM_MOVEABLE, LMEM_ZEROINIT } from '../../src/constants.ts'
import { after, type Fault, type Good } from './fault.ts'

const requested = new WeakMap<object, Map<number, number>>()

/** Sizes as they were asked for. */
function asked(good: Good): Map<number, number> {
  const known = requested.get(good) ?? new Map<number, number>()
  requested.set(good, known)
  return known
}

export const heapFaults: readonly Fault[] = [
  {
    what: 'HeapSize tells the requested size on retail',
    rule: 'HS-3',
    plant: (good) => ({
      HeapAlloc: (heap, flags, bytes) => {
        const p = good.HeapAlloc(heap, flags, bytes)
        asked(good).set(p, bytes)
        return p
      },
      HeapSize: (heap, flags, p) => asked(good).get(p) ?? good.HeapSize(heap, flags, p)
    })
  },
  {
    what: 'HeapSize tells the rounded size on debug',
    rule: 'HS-4',
    build: 'debug',
    plant: (good) => ({ HeapSize: (h, f, p) => Math.ceil(good.HeapSize(h, f, p) / 32) * 32 })
  },
  { what: 'HeapSize counts a header', rule: 'HS-3', plant: (good) => ({ HeapSize: (h, f, p) => good.HeapSize(h, f, p) + 8 }) },
  {
    what: 'HeapSize sets the last error of a bad heap',
    rule: 'HS-5',
    plant: (good) => ({
      HeapSize: (h, f, p) => {
        const size = good.HeapSize(h, f, p)
        if (size === 0xffffffff) good.SetLastError(6)
        return size
      }
    })
  },
  {
    what: 'HeapReAlloc does not keep the contents',
    rule: 'HR-2',
    plant: (good) => ({
      HeapReAlloc: (h, f, p, n) => {
        const q = good.HeapReAlloc(h, f, p, n)
        if (q !== 0) good.memory?.write(q, new Uint8Array(1))
        return q
      }
    })
  },
  {
    what: 'HeapReAlloc frees the block when it fails',
    rule: 'HR-7',
    plant: (good) => ({ HeapReAlloc: (h, f, p, n) => good.HeapReAlloc(h, f, p, n) || after(good.HeapFree(h, 0, p), 0) })
  },
  {
    what: 'HeapReAlloc moves where it may not',
    rule: 'FL-4',
    plant: (good) => ({ HeapReAlloc: (h, f, p, n) => good.HeapReAlloc(h, f & ~0x10, p, n) })
  },
  {
    what: 'HeapReAlloc does not zero what it adds',
    rule: 'HR-2',
    plant: (good) => ({ HeapReAlloc: (h, f, p, n) => good.HeapReAlloc(h, f & ~8, p, n) })
  },
  {
    what: 'HeapReAlloc zeroes the whole block',
    rule: 'HR-2',
    plant: (good) => ({
      HeapReAlloc: (h, f, p, n) => {
        const q = good.HeapReAlloc(h, f, p, n)
        if (q !== 0 && (f & 8) !== 0) good.memory?.write(q, new Uint8Array(n))
        return q
      }
    })
  },
  {
    what: 'HeapReAlloc of NULL allocates',
    rule: 'C-6',
    plant: (good) => ({ HeapReAlloc: (h, f, p, n) => (p === 0 ? good.HeapAlloc(h, f, n) : good.HeapReAlloc(h, f, p, n)) })
  },
  {
    what: 'HeapReAlloc to 0 bytes frees',
    rule: 'C-7',
    plant: (good) => ({ HeapReAlloc: (h, f, p, n) => (n === 0 ? after(good.HeapFree(h, f, p), 0) : good.HeapReAlloc(h, f, p, n)) })
  },
  { what: 'HeapFree of NULL succeeds', rule: 'C-5', plant: (good) => ({ HeapFree: (h, f, p) => (p === 0 ? 1 : good.HeapFree(h, f, p)) }) },
  {
    what: 'HeapFree with a NULL heap takes the process heap',
    rule: 'HF-3',
    plant: (good) => ({ HeapFree: (h, f, p) => (h === 0 ? 1 : good.HeapFree(h, f, p)) })
  },
  { what: 'HeapFree frees nothing', rule: 'HF-5', plant: () => ({ HeapFree: () => 1 }) },
  {
    what: 'HeapFree answers 0 for success',
    rule: 'HF-5',
    plant: (good) => ({ HeapFree: (h, f, p) => (good.HeapFree(h, f, p) === 0 ? 1 : 0) })
  },
  { what: 'HeapAlloc does not zero', rule: 'FL-3', plant: (good) => ({ HeapAlloc: (h, f, n) => good.HeapAlloc(h, f & ~8, n) }) },
  {
    what: 'HeapAlloc of 0 bytes fails',
    rule: 'C-1',
    plant: (good) => ({ HeapAlloc: (h, f, n) => (n === 0 ? 0 : good.HeapAlloc(h, f, n)) })
  },
  {
    what: 'HeapAlloc rounds down',
    rule: 'HA-6',
    plant: (good) => ({ HeapAlloc: (h, f, n) => good.HeapAlloc(h, f, n >= 0x10000000 ? n : n - (n % 64)) })
  },
  {
    what: 'the size of HeapAlloc wraps',
    rule: 'HA-4',
    plant: (good) => ({ HeapAlloc: (h, f, n) => good.HeapAlloc(h, f, ((n + 31) & ~31) >>> 0) })
  },
  {
    what: 'HeapAlloc leaves the last error alone',
    rule: 'HA-4',
    plant: (good) => ({
      HeapAlloc: (h, f, n) => {
        const before = good.GetLastError()
        const p = good.HeapAlloc(h, f, n)
        good.SetLastError(before)
        return p
      }
    })
  },
  {
    what: 'HeapAlloc sets the last error on CE 5.0',
    rule: 'HA-5',
    profile: 'ce-5.0',
    plant: (good) => ({ HeapAlloc: (h, f, n) => good.HeapAlloc(h, f, n) || after(good.SetLastError(8), 0) })
  },
  {
    what: 'a fixed heap grants 0x7FFF8 bytes',
    rule: 'HA-2',
    plant: (good) => ({ HeapAlloc: (h, f, n) => (n >= 0x7fff8 ? 0x20000 : good.HeapAlloc(h, f, n)) })
  },
  {
    what: 'a fixed heap refuses 0x7FFF7 bytes',
    rule: 'HA-2',
    plant: (good) => ({ HeapAlloc: (h, f, n) => (n === 0x7fff7 ? 0 : good.HeapAlloc(h, f, n)) })
  },
  { what: 'a maximum is ignored', rule: 'HC-3', plant: (good) => ({ HeapCreate: (f, initial) => good.HeapCreate(f, initial, 0) }) },
  {
    what: 'a fixed heap costs nothing',
    rule: 'HC-10',
    plant: (good) => ({ HeapCreate: (f, initial, most) => good.HeapCreate(f, initial, most === 0 ? 0 : most + 0x1000) })
  },
  {
    what: 'big blocks are refused',
    rule: 'HC-6',
    plant: (good) => ({ HeapAlloc: (h, f, n) => (n > 0x18000 ? 0 : good.HeapAlloc(h, f, n)) })
  },
  {
    what: 'HEAP_SHARED_READONLY is granted',
    rule: 'FL-8',
    plant: (good) => ({ HeapCreate: (f, initial, most) => good.HeapCreate(f & ~0x1000, initial, most) })
  },
  { what: 'HeapDestroy destroys nothing', rule: 'HD-4', plant: () => ({ HeapDestroy: () => 1 }) },
  { what: 'HeapValidate always says yes', rule: 'HV-3', plant: () => ({ HeapValidate: () => 1 }) },
  {
    what: 'HeapValidate sets the last error',
    rule: 'HV-4',
    plant: (good) => ({ HeapValidate: (h, f, p) => good.HeapValidate(h, f, p) || after(good.SetLastError(87), 0) })
  },
  { what: 'HeapCompact always answers 0', rule: 'HP-3', plant: (good) => ({ HeapCompact: (h, f) => good.HeapCompact(h, f) * 0 }) },
  {
    what: 'HeapCompact does not tell a full heap from a failure',
    rule: 'HP-6',
    plant: (good) => ({
      HeapCompact: (h, f) => {
        const before = good.GetLastError()
        const size = good.HeapCompact(h, f)
        if (size === 0) good.SetLastError(before)
        return size
      }
    })
  },
  { what: 'GetProcessHeap makes a heap', rule: 'GP-1', plant: (good) => ({ GetProcessHeap: () => good.HeapCreate(0, 0, 0) }) },
  { what: 'LocalFree answers TRUE', rule: 'LF-1', plant: (good) => ({ LocalFree: (p) => (good.LocalFree(p) === 0 ? 1 : 0) }) },
  { what: 'LocalFree(NULL) fails', rule: 'LF-2', plant: (good) => ({ LocalFree: (p) => (p === 0 ? 1 : good.LocalFree(p)) }) },
  {
    what: 'LocalSize of a bad handle is 0xFFFFFFFF',
    rule: 'LS-3',
    plant: (good) => ({ LocalSize: (p) => good.LocalSize(p) || 0xffffffff })
  },
  {
    what: 'LocalReAlloc moves without LMEM_MOVEABLE',
    rule: 'LR-4',
    plant: (good) => ({ LocalReAlloc: (p, n, f) => good.LocalReAlloc(p, n, f | 2) })
  },
  { what: 'LMEM_MODIFY resizes', rule: 'LR-2', plant: (good) => ({ LocalReAlloc: (p, n, f) => good.LocalReAlloc(p, n, f & ~0x80) }) },
  {
    what: 'VirtualFree releases with a size',
    rule: 'VF-2',
    plant: (good) => ({ VirtualFree: (p, n, f) => good.VirtualFree(p, f === 0x8000 ? 0 : n, f) })
  },
  {
    what: 'VirtualAlloc of 0 bytes reserves',
    rule: 'VA-4',
    plant: (good) => ({ VirtualAlloc: (p, n, t, x) => good.VirtualAlloc(p, n || 1, t, x) })
  },
  { what: 'a section is not recursive', rule: 'CS-4', plant: () => ({ TryEnterCriticalSection: () => 0 }) },
  {
    what: 'CoTaskMemRealloc(NULL) fails',
    rule: 'IM-4',
    plant: (good) => ({ CoTaskMemRealloc: (p, n) => (p === 0 ? 0 : good.CoTaskMemRealloc(p, n)) })
  },
  {
    what: 'CoTaskMemRealloc(p, 0) keeps the block',
    rule: 'IM-5',
    plant: (good) => ({ CoTaskMemRealloc: (p, n) => (n === 0 ? 0 : good.CoTaskMemRealloc(p, n)) })
  },
  { what: 'CoGetMalloc takes any context', rule: 'CM-1', plant: (good) => ({ CoGetMalloc: () => good.CoGetMalloc(1) }) },
  { what: 'a revoke never waits', rule: 'SP-6', plant: (good) => ({ CoRevokeMallocSpy: () => after(good.CoRevokeMallocSpy(), 0) }) },
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
    what: 'free blocks are never merged',
    rule: 'HP-2',
    plant: (good) => {
      // What was freed serves requests of its own size alone.
      const free = new Map<string, number[]>()
      const kept = (h: number, bytes: number): number[] => {
        const key = `${h} ${Math.ceil(bytes / 32)}`
        const list = free.get(key) ?? []
        free.set(key, list)
        return list
      }
      return {
        HeapAlloc: (h, f, n) => kept(h, n).pop() ?? good.HeapAlloc(h, f, n),
        HeapFree: (h, _, p) => kept(h, good.HeapSize(h, 0, p)).push(p)
      }
    }
  },
  {
    what: 'HeapReAlloc takes a fixed heap past its maximum',
    rule: 'HC-3',
    plant: (good) => ({
      HeapReAlloc: (h, f, p, n) => good.HeapReAlloc(h, f, p, n) || (n < 0x7fff8 ? good.HeapAlloc(good.GetProcessHeap(), f, n) : 0)
    })
  },
  {
    what: 'big blocks overlap',
    rule: 'HC-6',
    plant: (good) => {
      let last = 0
      return {
        HeapAlloc: (h, f, n) => {
          if (n > 0x18000 && n < 0x7fff8 && last !== 0) return after(good.HeapAlloc(h, f, 32), last + 0x1000)
          const p = good.HeapAlloc(h, f, n)
          if (n > 0x18000 && n < 0x7fff8) last = p
          return p
        }
      }
    }
  },
  {
    what: 'a big block that grows keeps its first page alone',
    rule: 'HR-2',
    plant: (good) => ({
      HeapReAlloc: (h, f, p, n) => {
        const q = good.HeapReAlloc(h, f, p, n)
        if (q !== 0 && n > 0x18000) good.memory?.write(q + 0x1000, new Uint8Array(n - 0x1000))
        return q
      }
    })
  },
  {
    what: 'HeapReAlloc does not zero what a big block grows by',
    rule: 'HR-2',
    plant: (good) => ({
      HeapReAlloc: (h, f, p, n) => {
        const old = good.HeapSize(h, 0, p)
        const q = good.HeapReAlloc(h, f, p, n)
        if (q !== 0 && n > 0x18000 && n > old) good.memory?.write(q + old, new Uint8Array(n - old).fill(0xcd))
        return q
      }
    })
  },
  {
    what: 'blocks of whole pages are too short, and nothing tells their size',
    rule: 'HA-6',
    plant: (good) => ({
      HeapAlloc: (h, f, n) => good.HeapAlloc(h, f, n === 0x1000 ? n - 32 : n),
      HeapSize: (_h, _f, p) => (p === 0 ? 0xffffffff : 0xff00)
    })
  }
]
