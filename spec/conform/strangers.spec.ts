// The battery must leave the freedom that the documentation leaves: implementations that use it, and are right for all that, fail no case.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runBattery, trials } from '../../src/conform/battery.ts'
import { emulator } from '../../src/conform/emulator.ts'
import { reportOf } from '../../src/conform/report.ts'
import { LMEM_MOVEABLE, MEM_RESERVE, MEM_TOP_DOWN } from '../../src/constants.ts'
import type { ProfileName } from '../../src/profile.ts'
import { after, type Good } from './fault.ts'
import { allocator, hosted } from './faultsinterfaces.ts'

/** A difference from the emulator that no page speaks against. */
interface Freedom {
  readonly what: string
  readonly profile?: ProfileName
  change(good: Good): object
}

/** Sets a last error of its own behind a call that fails. */
function telling<A extends number[]>(good: Good, call: (...args: A) => number, failure: number, code: number): (...args: A) => number {
  return (...args) => {
    const answer = call(...args)
    if (answer === failure && good.GetLastError() !== 0) good.SetLastError(code)
    return answer
  }
}

function undefinedCall(): never {
  throw new Error('access violation')
}

const freedoms: readonly Freedom[] = [
  {
    what: 'reserves from the highest address down',
    change: (good) => ({
      VirtualAlloc: (at: number, bytes: number, type: number, protect: number) =>
        good.VirtualAlloc(at, bytes, at === 0 && (type & MEM_RESERVE) !== 0 ? type | MEM_TOP_DOWN : type, protect)
    })
  },
  {
    what: 'reserves what is large outside the slot of 32 MB, which CE 5.0 had ways to do',
    profile: 'ce-5.0',
    change: (good) => ({
      VirtualAlloc: (at: number, bytes: number, type: number, protect: number) =>
        at === 0 && bytes >= 0x200000 && bytes < 0x10000000 && type === MEM_RESERVE
          ? 0x42000000
          : good.VirtualAlloc(at, bytes, type, protect)
    })
  },
  {
    what: 'has its blocks at the other end of the address space',
    change: (good) => {
      // Addresses are those of the emulator, 1 GB higher.
      const up = 0x40000000
      const out = (address: number): number => (address === 0 ? 0 : address + up)
      const back = (address: number): number => (address >= up ? address - up : address)
      return {
        memory: {
          read: (address: number, length: number) => good.memory?.read(back(address), length),
          write: (address: number, data: Uint8Array) => good.memory?.write(back(address), data)
        },
        HeapAlloc: (h: number, f: number, n: number) => out(good.HeapAlloc(h, f, n)),
        HeapReAlloc: (h: number, f: number, p: number, n: number) => out(good.HeapReAlloc(h, f, back(p), n)),
        HeapFree: (h: number, f: number, p: number) => good.HeapFree(h, f, back(p)),
        HeapSize: (h: number, f: number, p: number) => good.HeapSize(h, f, back(p)),
        HeapValidate: (h: number, f: number, p: number) => good.HeapValidate(h, f, back(p)),
        ...Object.fromEntries(
          Object.keys(good)
            .filter((name) => !/^(Heap|CeHeapCreate|GetProcessHeap|GetLastError|SetLastError|close)/.test(name))
            .map((name) => [name, undefined])
        )
      }
    }
  },
  {
    what: 'cannot tell by DidAlloc whose a block is',
    change: (good) => allocator(good, (malloc) => ({ DidAlloc: (p) => after(malloc.DidAlloc(p), -1) }))
  },
  {
    what: 'has other codes for failures whose code no page names',
    change: (good) => ({
      HeapCreate: telling(good, good.HeapCreate, 0, 5),
      HeapReAlloc: telling(good, good.HeapReAlloc, 0, 14),
      LocalAlloc: telling(good, good.LocalAlloc, 0, 14),
      LocalReAlloc: telling(good, good.LocalReAlloc, 0, 14),
      LocalSize: telling(good, good.LocalSize, 0, 6),
      VirtualFree: telling(good, good.VirtualFree, 0, 6)
    })
  },
  {
    what: 'says ERROR_INVALID_PARAMETER where memory is out',
    change: (good) => ({ HeapAlloc: telling(good, good.HeapAlloc, 0, 87) })
  },
  {
    what: 'wants the initial size below the maximum, as desktop Windows does',
    change: (good) => ({
      HeapCreate: (f: number, initial: number, maximum: number) =>
        maximum !== 0 && initial >= maximum ? 0 : good.HeapCreate(f, initial, maximum)
    })
  },
  {
    what: 'ends a program that frees a handle twice or passes one that is none',
    change: (good) => ({
      LocalFree: (p: number) => (p !== 0 && good.LocalSize(p) === 0 ? undefinedCall() : good.LocalFree(p)),
      LocalReAlloc: (p: number, n: number, f: number) => (good.LocalSize(p) === 0 ? undefinedCall() : good.LocalReAlloc(p, n, f)),
      CoTaskMemFree: (p: number) => (p !== 0 && good.LocalSize(p) === 0 ? undefinedCall() : good.CoTaskMemFree(p)),
      CoTaskMemRealloc: (p: number, n: number) => (p !== 0 && good.LocalSize(p) === 0 ? undefinedCall() : good.CoTaskMemRealloc(p, n))
    })
  },
  {
    what: 'ends a program that passes a bad heap or block',
    change: (good) => {
      const alive = (h: number, p: number): boolean => good.HeapValidate(h, 0, p) !== 0
      return {
        HeapFree: (h: number, f: number, p: number) => (h === 0 || (p !== 0 && alive(h, p)) ? good.HeapFree(h, f, p) : undefinedCall()),
        HeapReAlloc: (h: number, f: number, p: number, n: number) =>
          p !== 0 && alive(h, p) ? good.HeapReAlloc(h, f, p, n) : undefinedCall(),
        HeapAlloc: (h: number, f: number, n: number) => (alive(h, 0) ? good.HeapAlloc(h, f, n) : undefinedCall()),
        HeapCompact: (h: number, f: number) => (alive(h, 0) ? good.HeapCompact(h, f) : undefinedCall()),
        HeapDestroy: (h: number) => (alive(h, 0) && h !== good.GetProcessHeap() ? good.HeapDestroy(h) : undefinedCall())
      }
    }
  },
  {
    what: 'knows no flags but those of the pages',
    change: (good) => ({
      HeapCreate: (f: number, initial: number, maximum: number) => ((f & ~0x1001) === 0 ? good.HeapCreate(f, initial, maximum) : 0),
      HeapAlloc: (h: number, f: number, n: number) => ((f & ~9) === 0 ? good.HeapAlloc(h, f, n) : 0),
      LocalAlloc: (f: number, n: number) => ((f & LMEM_MOVEABLE) === 0 ? good.LocalAlloc(f, n) : 0)
    })
  },
  {
    what: 'gives blocks full of garbage, and none of 0 bytes',
    change: (good) => ({
      HeapAlloc: (h: number, f: number, n: number) => {
        const p = n === 0 ? 0 : good.HeapAlloc(h, f, n)
        if (p !== 0 && (f & 8) === 0) good.memory?.write(p, new Uint8Array(n).fill(0xcd))
        return p
      }
    })
  },
  {
    what: 'decommits on HeapCompact before it measures, down to a page',
    change: (good) => ({ HeapCompact: (h: number, f: number) => Math.min(good.HeapCompact(h, f), 0xfe0) })
  },
  {
    what: 'moves every block that is resized, where it may',
    change: (good) => ({
      HeapReAlloc: (h: number, f: number, p: number, n: number) => {
        if ((f & 0x10) !== 0 || p === 0 || n >= 0x7fff8) return good.HeapReAlloc(h, f, p, n)
        const old = good.HeapSize(h, 0, p)
        const q = old === 0xffffffff ? 0 : good.HeapAlloc(h, f, n)
        if (q === 0) return good.HeapReAlloc(h, f, p, n)
        const kept = good.memory?.read(p, Math.min(old, n)) as Uint8Array
        good.memory?.write(q, kept)
        good.HeapFree(h, 0, p)
        return q
      }
    })
  },
  {
    what: 'is a host with so much memory that no request shows in its load',
    change: (good) =>
      hosted(good, (manager) => ({
        GetMemoryLoad: () => ({ ...manager.GetMemoryLoad(), pMemoryLoad: 3 })
      }))
  }
]

const strangers = suite('conform: a correct stranger fails nothing')

for (const { what, profile = 'compact-2013', change } of freedoms) {
  strangers(`one that ${what}`, () => {
    const selected = trials({ profiles: [profile], builds: ['retail'] })
    const results = runBattery(selected, () => {
      const good = emulator(profile, 'retail') as Good
      return { ...good, ...change(good), close: () => good.close?.() }
    })
    const wrong = reportOf('stranger', results, { strict: false }).results.filter(({ status }) => status === 'fail')
    assert.equal(
      wrong.map(({ id, reason }) => `${id}: ${reason}`),
      []
    )
  })
}

strangers.run()
