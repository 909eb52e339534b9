import * as fc from 'fast-check'
import { HEAP_GENERATE_EXCEPTIONS, HEAP_NO_SERIALIZE, HEAP_REALLOC_IN_PLACE_ONLY, HEAP_ZERO_MEMORY, profiles } from '../../src/index.ts'

export const MEMORY: number = 32 * 1024 * 1024

/** Which pointer a call is given; `at` counts modulo what there is. */
export interface Pick {
  readonly kind: 'live' | 'other' | 'stale' | 'inside' | 'misaligned' | 'null' | 'handle' | 'wild'
  readonly at: number
}

/** One call; `heap` counts modulo what there is, and now and then names no heap. */
export type Command =
  | { readonly do: 'HeapCreate'; readonly initial: number; readonly maximum: number; readonly shared: boolean }
  | { readonly do: 'HeapDestroy' | 'HeapCompact'; readonly heap: number }
  | { readonly do: 'HeapAlloc'; readonly heap: number; readonly bytes: number; readonly flags: number }
  /** As many bytes as the heap's largest free block would hold, and `more`. */
  | { readonly do: 'fill'; readonly heap: number; readonly more: number }
  | { readonly do: 'HeapReAlloc'; readonly heap: number; readonly pointer: Pick; readonly bytes: number; readonly flags: number }
  | { readonly do: 'HeapFree' | 'HeapSize' | 'HeapValidate'; readonly heap: number; readonly pointer: Pick }
  | { readonly do: 'LocalAlloc'; readonly bytes: number }
  | { readonly do: 'LocalReAlloc'; readonly pointer: Pick; readonly bytes: number; readonly flags: number }
  | { readonly do: 'LocalFree' | 'LocalSize'; readonly pointer: Pick }
  | { readonly do: 'SetLastError'; readonly code: number }

const thresholds = Object.values(profiles).flatMap(({ bigBlock }) => [bigBlock - 1, bigBlock, bigBlock + 1])
const bytes: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 31, 32, 33, 4095, 4096, 4097, 65_535, 65_536, 65_537, ...thresholds) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      0x7fff7,
      0x7fff8,
      0x7fff8,
      0x7fff9,
      0x80000,
      MEMORY,
      0x7fffffff,
      0x80000000,
      0xffffffe0,
      0xffffffe1,
      0xffffffff
    )
  }
)
const heap = fc.integer({ min: 0, max: 40 })
const pointer: fc.Arbitrary<Pick> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('live' as const) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        'other' as const,
        'stale' as const,
        'inside' as const,
        'misaligned' as const,
        'null' as const,
        'handle' as const,
        'wild' as const
      )
    }
  ),
  at: fc.integer({ min: 0, max: 0xffffffff })
})
const flags = fc.constantFrom(
  0,
  0,
  HEAP_ZERO_MEMORY,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_REALLOC_IN_PLACE_ONLY | HEAP_ZERO_MEMORY,
  HEAP_NO_SERIALIZE,
  HEAP_GENERATE_EXCEPTIONS
)
const maximum = fc.oneof(
  fc.constant(0),
  fc.constantFrom(1, 4096, 0x10000, 0x10001, 0x100000, 0x100000),
  fc.constantFrom(MEMORY, 0x80000000, 0xffffffff)
)
export const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('HeapCreate' as const),
      initial: fc.constantFrom(0, 0, 1, 5000, 0x10001, 0xffffffff),
      maximum,
      shared: fc.nat(9).map((n) => n === 0)
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('HeapDestroy' as const, 'HeapCompact' as const, 'HeapCompact' as const), heap })
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('HeapAlloc' as const), heap, bytes, flags }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fill' as const), heap, more: fc.constantFrom(-32, -31, -1, 0, 1, 32) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('HeapReAlloc' as const), heap, pointer, bytes, flags }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom('HeapFree' as const, 'HeapFree' as const, 'HeapSize' as const, 'HeapValidate' as const),
      heap,
      pointer
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('LocalAlloc' as const), bytes }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('LocalReAlloc' as const),
      pointer,
      bytes,
      flags: fc.constantFrom(0, 2, 2, 0x40, 0x42, 0x80, 0x82)
    })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('LocalFree' as const, 'LocalSize' as const), pointer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('SetLastError' as const), code: fc.integer({ min: 0, max: 0xffffffff }) }) }
)
