// AssemblyScript's own heap, the allocator of its runtime; no block in the lowest 64 KB.
import { compileTlsf } from '../tlsf.ts'
import type { HeapUnderTest } from '../../src/conform/index.ts'
import { shimOf } from './shim.ts'

const module = await compileTlsf(['--maximumMemory', '64', '--memoryBase', '65536'])

export default function tlsf(): HeapUnderTest {
  const { alloc, realloc, free, memory } = new WebAssembly.Instance(module).exports as unknown as {
    alloc(bytes: number): number
    realloc(block: number, bytes: number): number
    free(block: number): void
    memory: WebAssembly.Memory
  }
  return shimOf({ malloc: alloc, realloc, free, buffer: () => memory.buffer })
}
