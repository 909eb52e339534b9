// Handles and pointers of every wrong kind: the documented answer or our choice, the last error, the rule of the finding, and nothing changed.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ERROR_INVALID_PARAMETER,
  HEAP_SIZE_FAILED,
  HEAP_ZERO_MEMORY,
  LMEM_MOVEABLE,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { everywhere, heapOf } from './world.ts'
import type { Answer, World } from './world.ts'

interface Bad {
  readonly kind: string
  readonly pointer: number
  /** What the finding must say of it. */
  readonly says: RegExp
}

const HANDED_OUT = /was never handed out/
const FREED = /was freed before/
const PAGES = /that the program took with VirtualAlloc/
const OTHER = /belongs to another heap/
const INTERIOR = /points into the block at/
const CONTROL = /heap's own structures/

/** A growable heap, a fixed one and a third, each with live blocks, so that every wrong kind of pointer exists. */
interface Scene {
  readonly growable: number
  readonly fixed: number
  readonly third: number
}

function scene({ ce }: World): Scene {
  const third = ce.HeapCreate(0, 0, 0)
  return { growable: ce.HeapCreate(0, 0, 0), fixed: ce.HeapCreate(0, 0, 0x40000), third }
}

/** Pointers that are no live block of `heap`; `other` is another heap. */
function badPointers(world: World, heap: number, other: number): Bad[] {
  const { ce, process } = world
  const alloc = (bytes: number, from = heap): number => {
    const pointer = ce.HeapAlloc(from, 0, bytes)
    assert.is.not(pointer, 0)
    return pointer
  }
  const free = (pointer: number, from = heap): number => {
    assert.is(ce.HeapFree(from, 0, pointer), 1)
    return pointer
  }
  const live = alloc(200)
  const alone = alloc(100)
  alloc(10)
  const [first, second, third] = [alloc(64), alloc(64), alloc(64)]
  alloc(10)
  const reused = [alloc(64), alloc(64)] as const
  alloc(10)
  free(alone)
  for (const pointer of [first, second, third]) free(pointer)
  for (const pointer of reused) free(pointer)
  const again = alloc(world.debug ? 160 : 128)
  const pages = ce.VirtualAlloc(0, 8192, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  const memory = process.snapshot().memory
  const space = heapOf(world, heap).regions[0]
  assert.ok(space)
  const bads: Bad[] = [
    { kind: 'a heap handle', pointer: heap, says: /./ },
    { kind: 'an address inside a block', pointer: live + 64, says: INTERIOR },
    { kind: 'a misaligned address inside a block', pointer: live + 8, says: INTERIOR },
    { kind: "the byte behind a block's start", pointer: live + 1, says: INTERIOR },
    { kind: 'a freed block', pointer: alone, says: FREED },
    { kind: 'an address inside a freed block', pointer: alone + 64, says: FREED },
    { kind: 'a freed block that was merged with the one before it', pointer: second, says: FREED },
    { kind: 'a freed block that was merged into a larger one', pointer: third, says: FREED },
    { kind: "another heap's block", pointer: alloc(100, other), says: OTHER },
    { kind: "another heap's freed block", pointer: free(alloc(100, other), other), says: OTHER },
    { kind: 'memory that no heap has', pointer: memory - 64, says: HANDED_OUT },
    { kind: "the app's own pages", pointer: pages, says: PAGES },
    { kind: 'the end of memory', pointer: memory, says: HANDED_OUT },
    { kind: 'an address behind memory', pointer: memory + 4096, says: HANDED_OUT },
    { kind: 'an address in the upper half', pointer: 0x80000020, says: HANDED_OUT },
    { kind: 'the last granule of the address space', pointer: 0xffffffe0, says: HANDED_OUT },
    { kind: '0xFFFFFFFF', pointer: 0xffffffff, says: HANDED_OUT },
    { kind: 'an address below 64 KB', pointer: 0x20, says: HANDED_OUT },
    { kind: '1', pointer: 1, says: HANDED_OUT }
  ]
  if (again === reused[0]) {
    bads.push({ kind: 'a freed block inside a later one', pointer: reused[1], says: FREED })
    bads.push({ kind: 'a misaligned address behind such a start', pointer: reused[1] + 8, says: INTERIOR })
  }
  const { maximum } = heapOf(world, heap)
  if (maximum !== 0) {
    bads.push({ kind: "the fixed heap's control area", pointer: space.address, says: CONTROL })
    bads.push({ kind: "the inside of the fixed heap's control area", pointer: space.address + 32, says: CONTROL })
  } else {
    const big = alloc(0x4000)
    bads.push({ kind: 'the inside of a big block', pointer: big + 0x2000, says: INTERIOR })
    bads.push({ kind: 'a freed big block', pointer: free(alloc(0x4000)), says: FREED })
  }
  const doomed = ce.HeapCreate(0, 0, 0)
  const lost = [alloc(32, doomed), alloc(0x4000, doomed)] as const
  assert.is(ce.HeapDestroy(doomed), 1)
  bads.push({ kind: 'a block of a destroyed heap', pointer: lost[0], says: FREED })
  bads.push({ kind: 'a big block of a destroyed heap', pointer: lost[1], says: FREED })
  return bads
}

/** One call with a bad pointer must answer so, say so and change nothing. */
function refused(world: World, { kind, says }: Bad, call: () => number, expected: Omit<Answer, 'changed'>): void {
  assert.equal(world.answer(call), { ...expected, changed: false }, kind)
  if (expected.rules.length > 0) assert.match(world.findings.at(-1)?.message ?? '', says, kind)
}

/** Little memory, and big blocks that are not large: the whole image is compared before and after each call. */
const FEW = { memory: 0x200000, bigBlock: 0x2000 }

const pointers = suite('bad pointers')

everywhere(
  pointers,
  'C-5: HeapFree of what is no live block of the heap is FALSE with error 87, a finding, and changes nothing',
  (world) => {
    const { growable, fixed, third } = scene(world)
    for (const heap of [growable, fixed]) {
      for (const bad of badPointers(world, heap, third)) {
        refused(world, bad, () => world.ce.HeapFree(heap, 0, bad.pointer), { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-5'] })
      }
    }
  },
  FEW
)

everywhere(
  pointers,
  'C-6: HeapReAlloc of what is no live block of the heap is NULL with error 87, a finding, and changes nothing',
  (world) => {
    const { growable, fixed, third } = scene(world)
    for (const heap of [growable, fixed]) {
      for (const bad of badPointers(world, heap, third)) {
        for (const bytes of [0, 10, 1000, 0xffffffff]) {
          refused(world, bad, () => world.ce.HeapReAlloc(heap, HEAP_ZERO_MEMORY, bad.pointer, bytes), {
            result: 0,
            error: ERROR_INVALID_PARAMETER,
            rules: ['C-6']
          })
        }
      }
    }
  },
  FEW
)

everywhere(
  pointers,
  'C-38: HeapSize of what is no live block of the heap is 0xFFFFFFFF and leaves the last error alone',
  (world) => {
    const { growable, fixed, third } = scene(world)
    for (const heap of [growable, fixed]) {
      for (const bad of badPointers(world, heap, third)) {
        refused(world, bad, () => world.ce.HeapSize(heap, 0, bad.pointer), {
          result: HEAP_SIZE_FAILED,
          error: 'untouched',
          rules: ['C-38']
        })
      }
    }
  },
  FEW
)

everywhere(
  pointers,
  'C-36: HeapValidate of what is no live block of the heap is FALSE, without last error or finding',
  (world) => {
    const { growable, fixed, third } = scene(world)
    for (const heap of [growable, fixed]) {
      for (const bad of badPointers(world, heap, third)) {
        refused(world, bad, () => world.ce.HeapValidate(heap, 0, bad.pointer), { result: 0, error: 'untouched', rules: [] })
      }
      assert.is(world.ce.HeapValidate(heap, 0, 0), 1)
    }
  },
  FEW
)

everywhere(
  pointers,
  'C-15: Local and Global calls with what is no live block of the process heap fail with error 87, a finding, and change nothing',
  (world) => {
    const { ce, heap } = world
    for (const bad of badPointers(world, heap, ce.HeapCreate(0, 0, 0))) {
      const { pointer } = bad
      const failure = { error: ERROR_INVALID_PARAMETER, rules: ['C-15'] }
      refused(world, bad, () => ce.LocalFree(pointer), { result: pointer, ...failure })
      refused(world, bad, () => ce.GlobalFree(pointer), { result: pointer, ...failure })
      refused(world, bad, () => ce.LocalSize(pointer), { result: 0, ...failure })
      refused(world, bad, () => ce.GlobalSize(pointer), { result: 0, ...failure })
      refused(world, bad, () => ce.LocalReAlloc(pointer, 10, LMEM_MOVEABLE), { result: 0, ...failure })
      refused(world, bad, () => ce.GlobalReAlloc(pointer, 10, LMEM_MOVEABLE), { result: 0, ...failure })
    }
  },
  FEW
)

everywhere(pointers, 'NULL is no block: C-5, C-6, C-38, C-15, HF-4 and HR-3 say what each call answers', (world) => {
  const { ce, heap } = world
  const fixed = ce.HeapCreate(0, 0, 0x10000)
  for (const handle of [heap, fixed]) {
    const bad: Bad = { kind: 'NULL', pointer: 0, says: /the pointer is NULL/ }
    refused(world, bad, () => ce.HeapFree(handle, 0, 0), { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-5'] })
    refused(world, bad, () => ce.HeapReAlloc(handle, 0, 0, 100), { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-6'] })
    refused(world, bad, () => ce.HeapSize(handle, 0, 0), { result: HEAP_SIZE_FAILED, error: 'untouched', rules: ['C-38'] })
  }
  const bad: Bad = { kind: 'NULL', pointer: 0, says: /the handle is NULL/ }
  for (const size of [ce.LocalSize, ce.GlobalSize])
    refused(world, bad, () => size.call(ce, 0), { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-15'] })
  for (const grow of [ce.LocalReAlloc, ce.GlobalReAlloc]) {
    refused(world, bad, () => grow.call(ce, 0, 10, LMEM_MOVEABLE), { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-15'] })
  }
  for (const free of [ce.LocalFree, ce.GlobalFree])
    assert.equal(
      world.answer(() => free.call(ce, 0)),
      { result: 0, error: 'untouched', rules: [], changed: false }
    )
})

everywhere(pointers, 'a freed block whose address was handed out again is that new block', ({ ce, heap }) => {
  const old = ce.HeapAlloc(heap, 0, 64)
  ce.HeapAlloc(heap, 0, 64)
  ce.HeapFree(heap, 0, old)
  const taken: number[] = []
  while (!taken.includes(old)) taken.push(ce.HeapAlloc(heap, 0, 64))
  assert.is(ce.HeapFree(heap, 0, old), 1)
  assert.is(ce.HeapFree(heap, 0, old), 0)
})

everywhere(pointers, 'C-5: the first address behind a heap that does not fill its 64 KB was never handed out', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x3000)
  const region = heapOf(world, heap).regions[0]
  assert.ok(region)
  assert.is(region.size, 0x3000)
  assert.is(ce.HeapFree(heap, 0, region.address + 0x3000), 0)
  assert.match(world.findings.at(-1)?.message ?? '', HANDED_OUT)
})
pointers.run()

const handles = suite('bad handles')

/** Handles of no live heap. */
function badHandles({ ce, heap }: World): readonly (readonly [kind: string, handle: number])[] {
  const block = ce.HeapAlloc(heap, 0, 100)
  const dead = ce.HeapCreate(0, 0, 0)
  ce.HeapDestroy(dead)
  const replaced = ce.HeapCreate(0, 0, 0)
  ce.HeapDestroy(replaced)
  const taker = ce.HeapCreate(0, 0, 0)
  const fixed = ce.HeapCreate(0, 0, 0x10000)
  return [
    ['NULL', 0],
    ['1', 1],
    ['2', 2],
    ['0xFFFFFFFF', 0xffffffff],
    ['0xFFFFFFFE', 0xfffffffe],
    ['0xFFFF0002', 0xffff0002],
    ['a block', block],
    ['a block that looks like a handle', block + 2],
    ['an address in user memory', 0x10000],
    ['a destroyed heap whose record was used again', dead],
    ['the heap destroyed last, whose record was used again', replaced],
    ['the heap behind', taker + 16],
    ['one off', fixed + 1],
    ['one below', fixed - 1],
    ['the upper half', heap + 0x80000000],
    ['another generation', (heap ^ 0x40000) >>> 0]
  ]
}

everywhere(handles, 'C-4: a heap call with what is no live heap fails as documented, raises a finding and changes nothing', (world) => {
  const { ce, heap } = world
  const block = ce.HeapAlloc(heap, 0, 100)
  for (const [kind, handle] of badHandles(world)) {
    const bad: Bad = { kind, pointer: handle, says: /is not the handle of a live heap/ }
    const failure = { error: ERROR_INVALID_PARAMETER, rules: ['C-4'] }
    refused(world, bad, () => ce.HeapAlloc(handle, 0, 10), { result: 0, ...failure, error: world.allocError(ERROR_INVALID_PARAMETER) })
    refused(world, bad, () => ce.HeapReAlloc(handle, 0, block, 10), { result: 0, ...failure })
    refused(world, bad, () => ce.HeapFree(handle, 0, block), { result: 0, ...failure })
    refused(world, bad, () => ce.HeapDestroy(handle), { result: 0, ...failure })
    refused(world, bad, () => ce.HeapCompact(handle, 0), { result: 0, ...failure })
    refused(world, bad, () => ce.HeapSize(handle, 0, block), { result: HEAP_SIZE_FAILED, error: 'untouched', rules: ['C-4'] })
    for (const pointer of [0, block]) {
      refused(world, bad, () => ce.HeapValidate(handle, 0, pointer), { result: 0, error: 'untouched', rules: ['C-4'] })
    }
  }
})

everywhere(handles, 'C-4: the handle of a destroyed heap stays dead while its record is free, and when another heap has it', (world) => {
  const { ce } = world
  const first = ce.HeapCreate(0, 0, 0)
  ce.HeapDestroy(first)
  assert.is(ce.HeapAlloc(first, 0, 10), 0)
  const second = ce.HeapCreate(0, 0, 0)
  assert.is.not(second, first)
  const block = ce.HeapAlloc(second, 0, 10)
  assert.equal(
    world.answer(() => ce.HeapFree(first, 0, block)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-4'], changed: false }
  )
  assert.is(ce.HeapFree(second, 0, block), 1)
})

handles.run()
