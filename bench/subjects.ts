import { createRequire } from 'node:module'
import type * as ceheapTypes from '../src/index.ts'
import type { Placement } from '../src/index.ts'

// What users get: the bundle. As single modules the same code is a third slower, because V8 does not fold constants across modules.
const { createProcess, HEAP_ZERO_MEMORY } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof ceheapTypes

/** An allocator as the scenarios use it. Addresses are numbers, 0 means refused. */
export interface Subject {
  alloc(bytes: number): number
  free(address: number): void
  realloc?(address: number, bytes: number): number
  zeroed?(bytes: number): number
  /** Where the bytes are, for the scenarios that compare with TypedArray.fill. */
  readonly bytes?: Uint8Array
}

export const subjectNames = ['ceheap segregated', 'ceheap next-fit', '@thi.ng/malloc', 'malloc (codemix)', 'AssemblyScript TLSF'] as const
export type SubjectName = (typeof subjectNames)[number]

/**
 * A peer is imported where it is asked for: a large module in the process slows down the calls of the others by a tenth.
 *
 * Makes a subject with room for `room` bytes of blocks; `fixed` bounds a ceheap heap to that size exactly.
 */
export async function makeSubject(name: SubjectName, room: number, fixed: boolean): Promise<Subject> {
  switch (name) {
    case 'ceheap segregated':
      return ceheap('segregated', room, fixed)
    case 'ceheap next-fit':
      return ceheap('next-fit', room, fixed)
    case '@thi.ng/malloc': {
      const { MemPool } = await import('@thi.ng/malloc')
      const pool = new MemPool({ buf: new SharedArrayBuffer(room) })
      return {
        alloc: (bytes) => pool.malloc(bytes),
        free: (address) => void pool.free(address),
        realloc: (address, bytes) => pool.realloc(address, bytes)
      }
    }
    case 'malloc (codemix)': {
      const Allocator = createRequire(import.meta.url)('malloc') as new (heap: ArrayBuffer) => Subject
      // It knows ArrayBuffer only, so it runs on unshared memory.
      const heap = new Allocator(new ArrayBuffer(room))
      return { alloc: (bytes) => heap.alloc(bytes), free: (address) => heap.free(address) }
    }
    case 'AssemblyScript TLSF':
      return await (await import('./tlsf.ts')).tlsfSubject()
  }
}

function ceheap(placement: Placement, room: number, fixed: boolean): Subject {
  const memory = (Math.ceil(room / 65536) + 32) * 65536
  const ce = createProcess({ placement, memory }).thread
  const heap = ce.HeapCreate(0, 0, fixed ? room : 0)
  return {
    alloc: (bytes) => ce.HeapAlloc(heap, 0, bytes),
    free: (address) => void ce.HeapFree(heap, 0, address),
    realloc: (address, bytes) => ce.HeapReAlloc(heap, 0, address, bytes),
    zeroed: (bytes) => ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, bytes),
    bytes: ce.memory.bytes
  }
}
