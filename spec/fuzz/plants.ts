// Faults as somebody might have built them, planted in front of a thread's calls.
import { instead, type Subject, type Wrap } from '../../src/fuzz/subject.ts'

export interface Plant {
  readonly what: string
  /** Fewer calls than these find it. */
  readonly within: number
  /** What is wrong is seen in commands, at most so many after shrinking. */
  readonly left: number
  plant(subject: Subject): Partial<Subject>
}

/** All threads of a process share what a fault remembers. */
export function planted({ plant }: Plant): Wrap {
  return (subject) => instead(subject, plant(subject))
}

const ZERO = 8
const IN_PLACE = 16

function words(subject: Subject): Int32Array {
  return new Int32Array(subject.memory.bytes.buffer)
}

export const plants: readonly Plant[] = [
  {
    what: 'HeapAlloc hands an address out twice',
    within: 5000,
    left: 6,
    plant: (good) => {
      let last = 0
      return {
        HeapAlloc: (heap, flags, bytes) => {
          if (bytes === 64 && last !== 0) return last
          const address = good.HeapAlloc(heap, flags, bytes)
          if (bytes === 64) last = address
          return address
        }
      }
    }
  },
  {
    what: 'HeapAlloc gives a block that reaches into the next one',
    within: 5000,
    left: 6,
    plant: (good) => ({ HeapAlloc: (heap, flags, bytes) => good.HeapAlloc(heap, flags, bytes === 33 ? 32 : bytes) })
  },
  {
    what: 'HeapFree loses a free',
    within: 100_000,
    left: 8,
    plant: (good) => ({ HeapFree: (heap, flags, p) => (flags === 1 && p % 4096 === 64 ? 1 : good.HeapFree(heap, flags, p)) })
  },
  {
    what: 'HeapFree of a bad pointer sets another last error',
    within: 20_000,
    left: 3,
    plant: (good) => ({
      HeapFree: (heap, flags, p) => {
        const result = good.HeapFree(heap, flags, p)
        if (result === 0) good.SetLastError(6)
        return result
      }
    })
  },
  {
    what: 'HeapAlloc clears the last error where it works',
    within: 20_000,
    left: 3,
    plant: (good) => ({
      HeapAlloc: (heap, flags, bytes) => {
        const address = good.HeapAlloc(heap, flags, bytes)
        if (address !== 0) good.SetLastError(0)
        return address
      }
    })
  },
  {
    what: 'HeapReAlloc moves all but the last word',
    within: 100_000,
    left: 10,
    plant: (good) => ({
      HeapReAlloc: (heap, flags, p, bytes) => {
        const old = good.HeapSize(heap, 0, p)
        const address = good.HeapReAlloc(heap, flags, p, bytes)
        if (address !== 0 && address !== p && bytes > old) words(good)[(address + old - 32) >>> 2] = 0x5a5a5a5a
        return address
      }
    })
  },
  {
    what: 'HeapReAlloc frees the block when it fails',
    within: 20_000,
    left: 4,
    plant: (good) => ({
      HeapReAlloc: (heap, flags, p, bytes) => {
        const address = good.HeapReAlloc(heap, flags, p, bytes)
        if (address === 0 && bytes > 0x7fffffff) good.HeapFree(heap, 0, p)
        return address
      }
    })
  },
  {
    what: 'HeapReAlloc moves a block that must stay',
    within: 20_000,
    left: 6,
    plant: (good) => ({ HeapReAlloc: (heap, flags, p, bytes) => good.HeapReAlloc(heap, flags & ~IN_PLACE, p, bytes) })
  },
  {
    what: 'HEAP_ZERO_MEMORY is forgotten',
    within: 20_000,
    left: 6,
    plant: (good) => ({ HeapAlloc: (heap, flags, bytes) => good.HeapAlloc(heap, flags & ~ZERO, bytes) })
  },
  {
    what: 'HEAP_ZERO_MEMORY is forgotten by HeapReAlloc',
    within: 100_000,
    left: 8,
    plant: (good) => ({ HeapReAlloc: (heap, flags, p, bytes) => good.HeapReAlloc(heap, flags & ~ZERO, p, bytes) })
  },
  {
    what: 'HeapAlloc refuses what there is room for',
    within: 20_000,
    left: 3,
    plant: (good) => ({
      HeapAlloc: (heap, flags, bytes) => {
        if (bytes !== 4097) return good.HeapAlloc(heap, flags, bytes)
        good.HeapAlloc(heap, flags, 0xffffffff)
        return 0
      }
    })
  },
  {
    what: 'a block of another size than was asked for',
    within: 20_000,
    left: 4,
    plant: (good) => ({ HeapAlloc: (heap, flags, bytes) => good.HeapAlloc(heap, flags, bytes === 32 ? 33 : bytes) })
  },
  {
    what: 'HeapSize counts a header',
    within: 20_000,
    left: 3,
    plant: (good) => ({ HeapSize: (heap, flags, p) => (good.HeapSize(heap, flags, p) + 8) >>> 0 })
  },
  {
    what: 'HeapValidate takes a pointer into a block for one',
    within: 50_000,
    left: 4,
    plant: (good) => ({ HeapValidate: (heap, flags, p) => good.HeapValidate(heap, flags, p - (p % 32)) })
  },
  {
    what: 'HeapDestroy leaves the heap alive',
    within: 100_000,
    left: 5,
    plant: (good) => ({ HeapDestroy: (heap) => (heap === good.GetProcessHeap() ? good.HeapDestroy(heap) : 1) })
  },
  {
    what: 'HeapCompact tells a page and gives nothing back',
    within: 50_000,
    left: 5,
    plant: (good) => ({
      HeapCompact: (heap, flags) => (good.HeapValidate(heap, 0, 0) === 1 ? 4096 : good.HeapCompact(heap, flags))
    })
  },
  {
    what: 'a big block is kept when it is freed',
    within: 300_000,
    left: 6,
    plant: (good) => ({
      HeapFree: (heap, flags, p) =>
        p % 0x10000 === 0 && good.HeapSize(heap, 0, p) > 0x18000 && good.HeapSize(heap, 0, p) !== 0xffffffff
          ? 1
          : good.HeapFree(heap, flags, p)
    })
  },
  {
    what: 'a commit is not counted',
    within: 100_000,
    left: 6,
    plant: (good) => ({
      GlobalMemoryStatus: (at) => {
        good.GlobalMemoryStatus(at)
        words(good)[(at >>> 2) + 3] = ((words(good)[(at >>> 2) + 3] as number) + 4096) | 0
      }
    })
  },
  {
    what: 'VirtualFree takes a partly committed reservation',
    within: 100_000,
    left: 6,
    plant: (good) => ({
      VirtualFree: (address, size, type) => {
        const result = good.VirtualFree(address, size, type)
        if (result !== 0 || type !== 0x8000 || size !== 0 || good.GetLastError() !== 87) return result
        good.VirtualFree(address, 0, 0x4000)
        return good.VirtualFree(address, 0, 0x8000)
      }
    })
  },
  {
    what: 'a page that is committed is not zero',
    within: 300_000,
    left: 8,
    plant: (good) => ({
      VirtualAlloc: (address, size, type, protection) => {
        const got = good.VirtualAlloc(address, size, type, protection)
        if (got !== 0 && (type & 0x1000) !== 0 && protection === 4) words(good)[got >>> 2] = 0x77
        return got
      }
    })
  },
  {
    what: 'LocalFree tells success as HeapFree does',
    within: 20_000,
    left: 3,
    plant: (good) => ({ LocalFree: (p) => (good.LocalFree(p) === 0 ? 1 : p) })
  },
  {
    what: 'LocalReAlloc moves without LMEM_MOVEABLE',
    within: 200_000,
    left: 8,
    plant: (good) => ({ LocalReAlloc: (p, bytes, flags) => good.LocalReAlloc(p, bytes, (flags & 0x80) === 0 ? flags | 2 : flags) })
  },
  {
    what: 'VirtualProtect tells the new protection for the old one',
    within: 200_000,
    left: 6,
    plant: (good) => ({
      VirtualProtect: (address, size, protection, out) => {
        const result = good.VirtualProtect(address, size, protection, out)
        if (result === 1) words(good)[out >>> 2] = protection
        return result
      }
    })
  },
  {
    what: 'the last error is one for all threads',
    within: 20_000,
    left: 3,
    plant: (good) => {
      return { SetLastError: (code) => shared(good, code), GetLastError: () => sharedError(good) }
    }
  }
]

const errors = new WeakMap<object, number>()

function shared(good: Subject, code: number): void {
  errors.set(good.memory.bytes.buffer, code)
  good.SetLastError(code)
}

function sharedError(good: Subject): number {
  const code = errors.get(good.memory.bytes.buffer)
  return code ?? good.GetLastError()
}
