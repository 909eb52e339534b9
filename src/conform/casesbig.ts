// Blocks above the threshold, which a growable heap takes from VirtualAlloc.
import { caseOf, type ConformCase, family } from './case.ts'

export const bigBlockCases: readonly ConformCase[] = family('heapcreate', [
  caseOf(
    'big-block',
    'HC-6 HI-10',
    'a request above 0x18000 bytes does not fail for that reason',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 0x18001) -> pointer\nfill(p, 0x18001, 7)\nbytes(p, 0x18001) -> all 7\nHeapFree(heap, 0, p) -> nonzero'
  ),
  caseOf(
    'big-block-64',
    'HI-7 HI-9',
    'a block of more than 64 KB',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 0x10001) -> pointer\nHeapSize(heap, 0, p) -> >= 0x10001\nHeapFree(heap, 0, p) -> nonzero'
  ),
  caseOf(
    'big-block-192',
    'HI-11 HI-12',
    'a block of more than 192 KB',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 0x30001) -> pointer\nHeapSize(heap, 0, p) -> >= 0x30001\nHeapFree(heap, 0, p) -> nonzero'
  ),
  caseOf(
    'big-block-zero',
    'HC-6 FL-3',
    'HEAP_ZERO_MEMORY zeroes a big block that was used before',
    'heap = HeapCreate(0, 0, 0) -> nonzero\nrepeat 4: p = HeapAlloc(heap, HEAP_ZERO_MEMORY, 0x19000) -> pointer; bytes(p, 0x19000) -> all 0; fill(p, 0x19000, 9); HeapFree(heap, 0, p) -> nonzero'
  ),
  caseOf(
    'big-block-apart',
    'HC-6 HA-6',
    'two big blocks share no byte',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 0x18001) -> pointer\nq = HeapAlloc(heap, 0, 0x18001) -> pointer\nfill(p, 0x18001, 0x1D)\nfill(q, 0x18001, 0xD1)\nbytes(p, 0x18001) -> all 0x1D\nbytes(q, 0x18001) -> all 0xD1'
  ),
  caseOf(
    'big-block-resize',
    'HC-6 HR-2',
    'a big block keeps its contents as it grows and shrinks',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 0x20000) -> pointer\nfill(p, 0x20000, 0x3F)\nq = HeapReAlloc(heap, 0, p, 0x40000) -> pointer\nbytes(q, 0x20000) -> all 0x3F\nr = HeapReAlloc(heap, 0, q, 0x1A000) -> pointer\nbytes(r, 0x1A000) -> all 0x3F'
  ),
  caseOf(
    'big-block-zero-resize',
    'HC-6 HR-2',
    'HEAP_ZERO_MEMORY zeroes what a big block grows by',
    'heap = HeapCreate(0, 0, 0) -> nonzero\nx = HeapAlloc(heap, 0, 0x50000) -> pointer\nfill(x, 0x50000, 0xBB)\nHeapFree(heap, 0, x) -> nonzero\np = HeapAlloc(heap, HEAP_ZERO_MEMORY, 0x20000) -> pointer\nfill(p, 0x20000, 0x3F)\nq = HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 0x40000) -> pointer\nbytes(q, 0x20000) -> all 0x3F\nbytes(q + 0x20000, 0x20000) -> all 0'
  ),
  caseOf(
    'big-block-grow',
    'HC-6 HR-4',
    'a small block grows into a big one and shrinks again',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 100) -> pointer\nfill(p, 100, 0x2B)\nq = HeapReAlloc(heap, 0, p, 0x40000) -> pointer\nbytes(q, 100) -> all 0x2B\nr = HeapReAlloc(heap, 0, q, 50) -> pointer\nbytes(r, 50) -> all 0x2B'
  ),
  caseOf(
    'big-block-kept',
    'HC-6 HD-4',
    'big blocks end with their heap',
    'repeat 40: heap = HeapCreate(0, 0, 0) -> nonzero; p = HeapAlloc(heap, 0, 0x60000) -> pointer; HeapDestroy(heap) -> nonzero'
  )
])
