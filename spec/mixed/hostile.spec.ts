// Every function of the compatibility table with a hostile value in each argument, alone and in pairs: what fails changes nothing, misuse throws what it is
// documented to throw and nothing else does, and every invariant holds afterwards.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Draw } from '../../src/mixed/draw.ts'
import { openCom } from '../../src/com/index.ts'
import { openHost } from '../../src/hosting/index.ts'
import {
  AccessViolation,
  attachThread,
  type CeThread,
  createProcess,
  type Finding,
  GuardPageException,
  HEAPENTRY32,
  HEAPLIST32,
  LockTimeoutError,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_GUARD,
  PAGE_READONLY,
  PAGE_READWRITE,
  type profiles
} from '../../src/index.ts'
import { CALLS } from '../../src/coredll/calls.ts'
import { COM_CALLS, HOST_CALLS } from '../../src/coredll/uppercalls.ts'

const PAGE = 4096
const MEMORY = 1024 * 1024
const UNTOUCHED = 0xabcd
const PAIRS = 10

/** A call: its name, and how to make it with so many arguments. */
interface Target {
  readonly name: string
  readonly count: number
  readonly run: (...args: number[]) => unknown
}

/** A small process in which everything is there that a call may be given, and every call. */
function scene(profile: keyof typeof profiles, kernelMode: boolean) {
  const process = createProcess({ profile, memory: MEMORY, physical: 64 * PAGE, kernelMode, lockTimeout: 5 })
  const ce = process.thread
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  const other = attachThread(process.share())
  const heap = ce.GetProcessHeap()
  const fixed = ce.HeapCreate(0, 0, 0x4000)
  const dead = ce.HeapCreate(0, 0, 0x1000)
  ce.HeapDestroy(dead)
  const both = MEM_RESERVE | MEM_COMMIT
  const scratch = ce.LocalAlloc(0x40, 256)
  HEAPLIST32.set(ce.memory, scratch, 'dwSize', HEAPLIST32.size)
  HEAPENTRY32.set(ce.memory, scratch + 64, 'dwSize', HEAPENTRY32.size)
  const [section, held, entered] = [scratch + 128, scratch + 160, scratch + 192]
  for (const at of [section, held, entered]) ce.InitializeCriticalSection(at)
  other.EnterCriticalSection(held)
  ce.EnterCriticalSection(entered)
  const block = ce.HeapAlloc(heap, 0, 100)
  const gone = ce.HeapAlloc(heap, 0, 300)
  ce.HeapAlloc(heap, 0, 10)
  ce.HeapFree(heap, 0, gone)
  const within = ce.HeapAlloc(fixed, 0, 64)
  const readonly = ce.VirtualAlloc(0, PAGE, both, PAGE_READONLY)
  const guard = ce.VirtualAlloc(0, PAGE, both, PAGE_READWRITE | PAGE_GUARD)
  const reserved = ce.VirtualAlloc(0, 4 * PAGE, MEM_RESERVE, PAGE_READWRITE)
  ce.VirtualAlloc(reserved + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE)
  const snapshot = ce.CreateToolhelp32Snapshot(1, 0)
  const com = openCom(ce)
  const malloc = com.CoGetMalloc(1).ppMalloc
  const host = openHost(ce, { budget: { task: 0x8000, appDomain: 0x10000 } })
  const hosted = host.VirtualAlloc(0, 2 * PAGE, both, PAGE_READWRITE, 0).ppMem
  const hostMalloc = host.CreateMalloc(0).ppMalloc
  assert.ok(malloc && hostMalloc)
  const lent = hostMalloc.Alloc(40, 0).ppMem
  const places = { block, within, gone, readonly, guard, reserved, hosted, lent, scratch, section, held, entered }
  const objects: Record<string, unknown> = { IMalloc: malloc, IHostMalloc: hostMalloc, IHostMemoryManager: host }
  const targetOf = (name: string): Target => {
    const [object, method] = name.includes('::') ? (name.split('::') as [string, string]) : ['', name]
    const owner = (object === '' ? (name.startsWith('Co') && name in com ? com : ce) : objects[object]) as Record<string, unknown>
    const run = owner[method] as (...args: unknown[]) => unknown
    return { name, count: run.length, run: (...args) => run.apply(owner, args) }
  }
  findings.length = 0
  const image: { hash: string | undefined } = { hash: undefined }
  return { process, ce, findings, image, heap, fixed, dead, snapshot, places, targetOf }
}
type Scene = ReturnType<typeof scene>

/** What a program may pass where it should not: each kind of address, handle and size, and each flag. */
function hostile({ heap, fixed, dead, snapshot, places }: Scene): number[] {
  const addresses = Object.values(places).flatMap((at) => [at, at + 1, at + 4, at + PAGE - 2])
  const ends = [MEMORY - PAGE, MEMORY - 28, MEMORY - 4, MEMORY - 1, MEMORY, MEMORY + 4]
  const flags = Array.from({ length: 32 }, (_, bit) => 2 ** bit)
  const types = [MEM_RESERVE | MEM_COMMIT, 0x103000, 0xc000, 0x83000, 0x42, 0xfffff]
  const sizes = [
    0,
    1,
    3,
    28,
    31,
    33,
    PAGE - 1,
    PAGE + 1,
    0x10001,
    0x7fff8,
    0x7fffffff,
    0x80000001,
    0xffffefff,
    0xffffffe0,
    0xfffffffe,
    0xffffffff
  ]
  return [...new Set([heap, fixed, dead, snapshot, ...addresses, ...ends, ...flags, ...types, ...sizes])]
}

/** Values that no DWORD is. */
const NO_DWORDS: readonly unknown[] = [
  undefined,
  null,
  '1',
  1n,
  true,
  -1,
  0.5,
  2 ** 32,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  {},
  [],
  Symbol('x')
]

/** Arguments with which most calls work. */
function usual({ heap, places }: Scene, { name, count }: Target): number[] {
  if (/^Virtual|^IHostMemoryManager::Virtual/.test(name)) {
    const args = /Free/.test(name)
      ? [places.reserved, 0, 0x4000]
      : /Query/.test(name)
        ? [places.block, places.scratch, 28]
        : [places.reserved, PAGE, MEM_COMMIT, PAGE_READWRITE]
    if (/Protect/.test(name))
      return [...(name.endsWith('Ex') ? [0x42] : []), places.reserved + PAGE, PAGE, PAGE_READONLY, places.scratch].slice(0, count)
    return [...(name.endsWith('Ex') ? [0x42] : []), ...args, 0].slice(0, count)
  }
  if (/CriticalSection/.test(name)) return [places.section]
  if (/^Heap(Alloc|Size|Free|ReAlloc|Validate|Compact|Destroy)/.test(name))
    return [heap, 0, /^HeapAlloc/.test(name) ? 20 : places.block, 20].slice(0, count)
  if (/^(Local|Global)(Alloc)/.test(name)) return [0, 20]
  if (/^(Local|Global)|Realloc|GetSize|DidAlloc|Free$/.test(name)) return [places.block, 20, 0].slice(0, count)
  return Array.from({ length: count }, () => 0)
}

/** The same for a new reservation, where the call can make one. */
function fresh(target: Target, args: readonly number[]): number[] {
  const at = target.name.endsWith('AllocEx') ? 1 : 0
  return /VirtualAlloc(Ex)?$/.test(target.name)
    ? [...args.slice(0, at), 0, PAGE, MEM_RESERVE | MEM_COMMIT, ...args.slice(at + 3)]
    : [...args]
}

/** Whether a result says that the call failed, and so must have changed nothing; undefined for calls that have no way to say so: of them a finding that is an error says it. */
function failed(name: string, args: readonly number[], result: unknown, error: number): boolean | undefined {
  if (typeof result === 'object' && result !== null && 'hr' in result) return result.hr !== 0
  if (/^IHost(Malloc::(Free|Q)|MemoryManager::)/.test(name)) return typeof result === 'number' && result >= 0x80000000
  if (/^(HeapSize|CreateToolhelp32Snapshot)$/.test(name)) return result === 0xffffffff
  if (/^(LocalFree|GlobalFree)$/.test(name)) return args[0] !== 0 && result !== 0
  if (name === 'HeapCompact') return result === 0 && error !== 0
  // Freed by a resize to nothing: it says NULL too (IM-5).
  if (/Realloc$/.test(name)) return result === 0 && args[1] !== 0
  if (/IsBad|CriticalSection|Lock$|Unlock|Handle$|Flags$|GetLastError|SetLastError|::(AddRef|Release|GetSize|DidAlloc)|Minimize/.test(name))
    return undefined
  return result === 0
}

/** Calls whose arguments are no plain numbers, or that end what the others need: they have specs of their own. */
const ELSEWHERE = /^(CeHeapCreate|CoRegisterMallocSpy|CoRevokeMallocSpy|SetLastError)$|QueryInterface|DebugAlloc|RegisterMemoryNotification/
const names = [...CALLS, ...COM_CALLS, ...HOST_CALLS].filter((name) => !ELSEWHERE.test(name))

/** What a call is documented to throw: what the device would raise, and the end of a wait that CE has no end for (C-85). */
function isException(name: string, error: unknown): boolean {
  if (name === 'EnterCriticalSection' && error instanceof LockTimeoutError) return true
  return /CriticalSection/.test(name) && (error instanceof AccessViolation || error instanceof GuardPageException)
}

/** Makes one call and judges it; whether the scene is still what it was. */
function attempt({ process, ce, findings, image }: Scene, { name, run }: Target, args: readonly number[]): boolean {
  const what = `${name}(${args.map((arg) => `0x${arg.toString(16)}`).join(', ')})`
  ce.SetLastError(UNTOUCHED)
  findings.length = 0
  // Nothing has changed since the last look.
  image.hash ??= process.imageHash()
  const before = image.hash
  let result: unknown
  let thrown = false
  try {
    result = run(...args)
  } catch (error) {
    assert.ok(isException(name, error), `${what} threw ${String(error)}`)
    thrown = true
  }
  const error = ce.GetLastError()
  ce.SetLastError(UNTOUCHED)
  const same = process.imageHash() === before
  // A request at process level that fails ends the CLR (HO-5), and a guard goes off where a section is looked at.
  const ends = /^IHost/.test(name) && args.includes(2)
  const says = failed(name, args, result, error === UNTOUCHED ? 0 : error)
  const lost = result === undefined && !/CriticalSection/.test(name) && findings.some(({ severity }) => severity === 'error')
  if (!thrown && !ends && (says === true || lost)) assert.ok(same, `${what} failed and changed something`)
  return same
}

const suiteOf = suite('hostile arguments')

for (const [profile, kernelMode] of [
  ['compact-2013', false],
  ['ce-5.0', true]
] as const) {
  suiteOf(`each argument of each call, and pairs of them: no failure changes anything [${profile}]`, () => {
    let calls = 0
    const draw = new Draw(1, 0)
    for (const name of names) {
      let world = scene(profile, kernelMode)
      const values = hostile(world)
      const count = world.targetOf(name).count
      const tries: (readonly (readonly [at: number, value: number])[])[] = []
      for (let at = 0; at < count; at++) for (const value of values) tries.push([[at, value]])
      for (let n = 0; n < PAIRS * count; n++)
        tries.push([...Array.from({ length: Math.min(2, count) }, () => [draw.below(count), draw.pick(values)] as const)])
      const twice = /VirtualAlloc(Ex)?$/.test(name) ? [...tries, ...tries] : tries
      for (const [n, changes] of twice.entries()) {
        const target = world.targetOf(name)
        const args = n < tries.length ? usual(world, target) : fresh(target, usual(world, target))
        for (const [at, value] of changes) args[at] = value
        calls++
        if (attempt(world, target, args)) continue
        world.process.check()
        world = scene(profile, kernelMode)
      }
      world.process.check()
    }
    assert.ok(calls > 10_000, `${calls} calls`)
  })
}

/** Flags by the call and the argument that takes them: each listed bit, and some that are listed nowhere or by desktop Windows alone. */
const FLAGS: readonly (readonly [name: string, at: number, bits: readonly number[]])[] = [
  ['HeapCreate', 0, [1, 4, 0x1000, 0x40000, 0x80000000]],
  ['HeapAlloc', 1, [1, 4, 8, 0x10, 0x80000000]],
  ['HeapReAlloc', 1, [1, 4, 8, 0x10, 0x80000000]],
  ['HeapFree', 1, [1, 8, 0x80000000]],
  ['LocalAlloc', 0, [2, 0x10, 0x20, 0x40, 0x80, 0xf00, 0x8000]],
  ['LocalReAlloc', 2, [2, 0x10, 0x40, 0x80, 0xf00]],
  ['VirtualAlloc', 2, [0x1000, 0x2000, 0x4000, 0x8000, 0x80000, 0x100000, 0x400000]],
  ['VirtualAlloc', 3, [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400]],
  ['VirtualProtect', 2, [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400]],
  ['VirtualFree', 2, [0x1000, 0x4000, 0x8000, 0x10000]],
  ['IHostMemoryManager::VirtualAlloc', 2, [0x1000, 0x2000, 0x4000, 0x8000, 0x80000, 0x100000]],
  ['IHostMemoryManager::VirtualFree', 2, [0x1000, 0x4000, 0x8000, 0x10000]],
  ['IHostMemoryManager::CreateMalloc', 0, [1, 2, 4, 0x80000000]],
  ['CreateToolhelp32Snapshot', 0, [1, 2, 4, 8, 0x10, 0x40000000, 0x80000000]],
  ['CeVirtualSharedAlloc', 2, [0x1000, 0x2000, 0x4000, 0x8000]]
]

suiteOf('every combination of flags: no failure changes anything, and the process stays sound', () => {
  for (const kernelMode of [false, true]) {
    for (const [name, at, bits] of FLAGS) {
      let world = scene('compact-2013', kernelMode)
      for (let mask = 0; mask < 2 ** bits.length; mask++) {
        const target = world.targetOf(name)
        const args = usual(world, target)
        // Alternately with an address and without.
        if (name.endsWith('VirtualAlloc') && mask % 2 === 1) args[0] = 0
        args[at] = bits.reduce((sum, bit, n) => (mask & (1 << n) ? sum + bit : sum), 0)
        if (attempt(world, target, args)) continue
        world.process.check()
        world = scene('compact-2013', kernelMode)
      }
    }
  }
})

suiteOf('what is no DWORD throws a TypeError or a RangeError, from each argument of each call, and changes nothing', () => {
  const world = scene('compact-2013', false)
  const before = world.process.imageHash()
  for (const name of names) {
    const target = world.targetOf(name)
    for (let at = 0; at < target.count; at++) {
      for (const value of NO_DWORDS) {
        const args = usual(world, target)
        args[at] = value as number
        let thrown: unknown
        try {
          target.run(...args)
        } catch (error) {
          thrown = error
        }
        assert.ok(
          thrown instanceof TypeError || thrown instanceof RangeError,
          `${name}: argument ${at} as ${String(value)} threw ${String(thrown)}`
        )
        assert.match(thrown.message, /expected .*, got /)
      }
    }
  }
  assert.is(world.process.imageHash(), before)
  world.process.check()
})

suiteOf('every function of the table is attacked here or has a spec of its own', () => {
  const ce: CeThread = createProcess({ memory: MEMORY }).thread
  for (const name of CALLS) assert.type(ce[name], 'function')
  assert.ok(names.length > 70, `${names.length}`)
})
suiteOf.run()
