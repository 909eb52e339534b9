// Arguments that are no DWORD are misuse of this library: a TypeError or RangeError that names the call and the parameter, and nothing done.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CALLS } from '../../src/coredll/calls.ts'
import type { CallName } from '../../src/coredll/calls.ts'
import {
  createProcess,
  CURRENT_PROCESS,
  HEAP_SHARED_READONLY,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  TH32CS_SNAPHEAPLIST
} from '../../src/index.ts'
import type { CeThread } from '../../src/index.ts'
import { open, places, refuses } from './world.ts'
import type { World } from './world.ts'

/** Each bad value, and how the message shows it. */
const wrongNumbers: readonly (readonly [value: unknown, shown: string])[] = [
  [Number.NaN, 'NaN'],
  [-1, '-1'],
  [0.5, '0.5'],
  [2 ** 32, '4294967296'],
  [2 ** 32 + 32, '4294967328'],
  [2 ** 53, '9007199254740992'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [Number.NEGATIVE_INFINITY, '-Infinity']
]
const wrongTypes: readonly (readonly [value: unknown, shown: string])[] = [
  ['1', '"1"'],
  ['', '""'],
  [null, 'null'],
  [undefined, 'undefined'],
  [{}, 'an object (Object)'],
  [1n, '1n'],
  [[], 'an object (Array)'],
  [[1], 'an object (Array)'],
  [true, 'true'],
  [() => 1, 'a function'],
  [Symbol('s'), 'Symbol(s)'],
  [{ valueOf: () => 1 }, 'an object (Object)'],
  [new Date(0), 'an object (Date)']
]

type Parameters = readonly (readonly [name: string, good: unknown])[]

/** Every call with arguments that it takes; a call that would succeed must not be reached. */
function calls(world: World): Readonly<Record<CallName, Parameters>> {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0)
  const block = ce.HeapAlloc(heap, 0, 100)
  const local = ce.LocalAlloc(0, 100)
  const pages = ce.VirtualAlloc(0, 4096, MEM_RESERVE, PAGE_READWRITE)
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  const none = (): number => 0
  const walk = (structure: string): Parameters => [
    ['hSnapshot', snapshot],
    [structure, pages]
  ]
  const localAlloc = (bytes: string): Parameters => [
    ['uFlags', 0],
    [bytes, 10]
  ]
  const one = (name: string): Parameters => [[name, local]]
  const critical = one('lpCriticalSection')
  return {
    HeapCreate: [
      ['flOptions', 0],
      ['dwInitialSize', 0],
      ['dwMaximumSize', 0]
    ],
    CeHeapCreate: [
      ['flOptions', 0],
      ['dwInitialSize', 0],
      ['dwMaximumSize', 0],
      ['pfnAlloc', none],
      ['pfnFree', none]
    ],
    HeapDestroy: [['hHeap', heap]],
    HeapAlloc: [
      ['hHeap', heap],
      ['dwFlags', 0],
      ['dwBytes', 10]
    ],
    HeapReAlloc: [
      ['hHeap', heap],
      ['dwFlags', 0],
      ['lpMem', block],
      ['dwBytes', 10]
    ],
    HeapFree: [
      ['hHeap', heap],
      ['dwFlags', 0],
      ['lpMem', block]
    ],
    HeapSize: [
      ['hHeap', heap],
      ['dwFlags', 0],
      ['lpMem', block]
    ],
    HeapValidate: [
      ['hHeap', heap],
      ['dwFlags', 0],
      ['lpMem', block]
    ],
    HeapCompact: [
      ['hHeap', heap],
      ['dwFlags', 0]
    ],
    GetProcessHeap: [],
    LocalAlloc: localAlloc('uBytes'),
    LocalReAlloc: [
      ['hMem', local],
      ['uBytes', 10],
      ['fuFlags', 0]
    ],
    LocalFree: one('hMem'),
    LocalSize: one('hMem'),
    LocalLock: one('hMem'),
    LocalUnlock: one('hMem'),
    LocalHandle: one('pMem'),
    LocalFlags: one('hMem'),
    GlobalAlloc: localAlloc('dwBytes'),
    GlobalReAlloc: [
      ['hMem', local],
      ['dwBytes', 10],
      ['uFlags', 0]
    ],
    GlobalFree: one('hMem'),
    GlobalSize: one('hMem'),
    GlobalLock: one('hMem'),
    GlobalUnlock: one('hMem'),
    GlobalHandle: one('pMem'),
    GlobalFlags: one('hMem'),
    VirtualAlloc: [
      ['lpAddress', 0],
      ['dwSize', 4096],
      ['flAllocationType', MEM_RESERVE | MEM_COMMIT],
      ['flProtect', PAGE_READWRITE]
    ],
    VirtualFree: [
      ['lpAddress', pages],
      ['dwSize', 0],
      ['dwFreeType', MEM_RELEASE]
    ],
    GetLastError: [],
    SetLastError: [['dwErrCode', 0]],
    CeVirtualSharedAlloc: [
      ['lpvAddr', 0],
      ['cbSize', 4096],
      ['fdwAction', 0]
    ],
    VirtualAllocEx: [
      ['hProcess', CURRENT_PROCESS],
      ['lpAddress', 0],
      ['dwSize', 4096],
      ['flAllocationType', 0x3000],
      ['flProtect', 4]
    ],
    VirtualFreeEx: [
      ['hProcess', CURRENT_PROCESS],
      ['lpAddress', 0],
      ['dwSize', 0],
      ['dwFreeType', 0x8000]
    ],
    VirtualProtectEx: [
      ['hProcess', CURRENT_PROCESS],
      ['lpAddress', pages],
      ['dwSize', 1],
      ['flNewProtect', 4],
      ['lpflOldProtect', pages]
    ],
    VirtualProtect: [
      ['lpAddress', pages],
      ['dwSize', 4096],
      ['flNewProtect', PAGE_READWRITE],
      ['lpflOldProtect', local]
    ],
    VirtualQuery: [
      ['lpAddress', pages],
      ['lpBuffer', local],
      ['dwLength', 28]
    ],
    IsBadReadPtr: [
      ['lp', local],
      ['ucb', 10]
    ],
    IsBadWritePtr: [
      ['lp', local],
      ['ucb', 10]
    ],
    IsBadCodePtr: [['lpfn', local]],
    GlobalMemoryStatus: [['lpBuffer', local]],
    GetSystemInfo: [['lpSystemInfo', local]],
    CreateToolhelp32Snapshot: [
      ['dwFlags', 1],
      ['th32ProcessID', 0]
    ],
    Heap32ListFirst: walk('lphl'),
    Heap32ListNext: walk('lphl'),
    Heap32First: [...walk('lphe'), ['th32ProcessID', 0], ['th32HeapID', 0]],
    Heap32Next: walk('lphe'),
    CloseToolhelp32Snapshot: [['hSnapshot', snapshot]],
    InitializeCriticalSection: critical,
    EnterCriticalSection: critical,
    TryEnterCriticalSection: critical,
    LeaveCriticalSection: critical,
    DeleteCriticalSection: critical
  }
}

function invoke(ce: CeThread, call: CallName, args: readonly unknown[]): unknown {
  return (ce[call] as (...args: readonly unknown[]) => unknown)(...args)
}

const DWORD = 'a whole number from 0 to 4294967295'
const bad = suite('bad input')

for (const place of places) {
  for (const call of CALLS) {
    bad(`${call}: a parameter that is no DWORD throws, names itself and changes nothing [${place.name}]`, () => {
      const world = open(place)
      const { ce, process, findings } = world
      const parameters = calls(world)[call]
      const before = process.imageHash()
      parameters.forEach(([name, good], at) => {
        if (typeof good !== 'number') return
        for (const [wrong, type] of [
          [wrongNumbers, RangeError],
          [wrongTypes, TypeError]
        ] as const) {
          for (const [value, shown] of wrong) {
            const args = parameters.map(([, kept], place) => (place === at ? value : kept))
            refuses(() => invoke(ce, call, args), type, `${call}: ${name}: expected ${DWORD}, got ${shown}`)
          }
        }
      })
      assert.is(process.imageHash(), before)
      assert.equal(findings, [])
      process.check()
    })
  }
}

bad('CeHeapCreate: a page callback that is no function throws a TypeError and names itself', () => {
  const { ce, process } = open({ name: '', profile: 'compact-2013', build: 'retail' })
  const before = process.imageHash()
  for (const value of [undefined, null, 0, 1, 'f', {}, []]) {
    const shown = Array.isArray(value)
      ? 'an object (Array)'
      : typeof value === 'string'
        ? '"f"'
        : typeof value === 'object' && value
          ? 'an object (Object)'
          : String(value)
    refuses(
      () => invoke(ce, 'CeHeapCreate', [0, 0, 0, value, () => 0]),
      TypeError,
      `CeHeapCreate: pfnAlloc: expected a function, got ${shown}`
    )
    refuses(
      () => invoke(ce, 'CeHeapCreate', [0, 0, 0, () => 0, value]),
      TypeError,
      `CeHeapCreate: pfnFree: expected a function, got ${shown}`
    )
  }
  assert.is(process.imageHash(), before)
})

bad('HeapCreate: a size that is no DWORD throws, whatever the flags alone would be answered', () => {
  const { ce, findings } = open({ name: '', profile: 'compact-2013', build: 'retail' })
  refuses(() => ce.HeapCreate(HEAP_SHARED_READONLY, Number.NaN, 0), RangeError, `HeapCreate: dwInitialSize: expected ${DWORD}, got NaN`)
  refuses(() => ce.HeapCreate(HEAP_SHARED_READONLY, 0, -1), RangeError, `HeapCreate: dwMaximumSize: expected ${DWORD}, got -1`)
  refuses(() => ce.HeapCreate(4, 0, -1), RangeError, `HeapCreate: dwMaximumSize: expected ${DWORD}, got -1`)
  refuses(
    () =>
      ce.CeHeapCreate(
        1,
        -1,
        0,
        () => 0,
        () => 0
      ),
    RangeError,
    `CeHeapCreate: dwInitialSize: expected ${DWORD}, got -1`
  )
  assert.equal(findings, [], 'a call that was never made has no findings')
})

bad('a call without its arguments throws a TypeError', () => {
  const { ce, process } = createAt()
  const before = process.imageHash()
  for (const call of CALLS) {
    if (call === 'GetProcessHeap' || call === 'GetLastError') continue
    assert.throws(
      () => invoke(ce, call, []),
      (error: unknown) => error instanceof TypeError && error.message.startsWith(`${call}: `),
      call
    )
  }
  assert.is(process.imageHash(), before)
})

bad('-0 is 0', () => {
  const { ce } = createAt()
  const heap = ce.HeapCreate(-0, -0, -0)
  assert.ok(heap !== 0)
  assert.is(ce.HeapFree(heap, -0, -0), 0)
  assert.is.not(ce.HeapAlloc(heap, -0, -0), 0)
})

function createAt(): { ce: CeThread; process: ReturnType<typeof createProcess> } {
  const process = createProcess({ memory: 1024 * 1024 })
  return { ce: process.thread, process }
}

bad.run()
