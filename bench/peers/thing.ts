import { MemPool } from '@thi.ng/malloc'
import type { HeapUnderTest } from '../../src/conform/index.ts'
import { shimOf } from './shim.ts'

/** 4 MB, as this emulator has when it is asked; no block in the lowest 64 KB. */
const bytes = 4 * 1024 * 1024

/** @thi.ng/malloc: an allocator in TypeScript over any buffer. */
export default function thing(): HeapUnderTest {
  const buf = new ArrayBuffer(bytes)
  const pool = new MemPool({ buf, start: 0x10000 })
  return shimOf({
    malloc: (size) => pool.malloc(size),
    realloc: (block, size) => pool.realloc(block, size),
    free: (block) => void pool.free(block),
    buffer: () => buf
  })
}
