// CE's calls on an allocator that knows nothing of them, as a port writes them in an afternoon: every heap is the one allocator, flags are what
// the few lines here do, and what the allocator cannot do is not there. What fails with it is what CE asks beyond malloc.
import type { HeapUnderTest } from '../../src/conform/index.ts'
import { ERROR_NOT_ENOUGH_MEMORY, HEAP_ZERO_MEMORY, LMEM_ZEROINIT } from '../../src/index.ts'

/** An allocator; addresses are numbers, 0 means refused. */
export interface Allocator {
  malloc(bytes: number): number
  realloc(block: number, bytes: number): number
  free(block: number): void
  /** Bytes that a block can hold, where it tells. */
  usable?(block: number): number
  /** The memory that addresses count in: another one after it has grown. */
  buffer(): ArrayBufferLike
}

const processHeap = 1

export function shimOf({ malloc, realloc, free, usable, buffer }: Allocator): HeapUnderTest {
  let heaps = processHeap
  let lastError = 0
  const view = (address: number, length: number): Uint8Array => new Uint8Array(buffer(), address, length)
  const granted = (block: number): number => {
    if (block === 0) lastError = ERROR_NOT_ENOUGH_MEMORY
    // wasm answers signed numbers.
    return block >>> 0
  }
  const alloc = (bytes: number, zero: number): number => {
    const block = granted(malloc(bytes))
    if (block !== 0 && zero !== 0) view(block, bytes).fill(0)
    return block
  }
  const resize = (block: number, bytes: number): number => granted(realloc(block, bytes))
  return {
    memory: { read: (address, length) => view(address, length).slice(), write: (address, data) => view(address, data.length).set(data) },
    GetLastError: () => lastError,
    SetLastError: (code) => {
      lastError = code
    },
    HeapCreate: () => ++heaps,
    GetProcessHeap: () => processHeap,
    HeapAlloc: (_heap, flags, bytes) => alloc(bytes, flags & HEAP_ZERO_MEMORY),
    HeapReAlloc: (_heap, _flags, block, bytes) => resize(block, bytes),
    HeapFree: (_heap, _flags, block) => {
      free(block)
      return 1
    },
    LocalAlloc: (flags, bytes) => alloc(bytes, flags & LMEM_ZEROINIT),
    LocalReAlloc: (block, bytes) => resize(block, bytes),
    LocalFree: (block) => {
      free(block)
      return 0
    },
    CoTaskMemAlloc: (bytes) => alloc(bytes, 0),
    CoTaskMemRealloc: resize,
    CoTaskMemFree: free,
    ...(usable === undefined ? {} : { HeapSize: (_heap, _flags, block) => usable(block), LocalSize: usable })
  }
}
