import * as fc from 'fast-check'
import { type Build, type Placement, type ProfileName, placements, profileNames } from '../src/profile.ts'

/** The process that a case runs in. Sizes in 64 KB units and 4 KB pages. */
export interface Setup {
  readonly profile: ProfileName
  readonly build: Build
  readonly placement: Placement
  readonly units: number
  readonly physicalPages: number
  /** User memory comes from the caller, full of bytes that are not zero. */
  readonly dirty: boolean
}

/** One command; `heap` and `block` count modulo what there is. */
export type Command =
  | { readonly do: 'create'; readonly initial: number; readonly maximum: number }
  | { readonly do: 'destroy'; readonly heap: number }
  | { readonly do: 'alloc'; readonly heap: number; readonly bytes: number; readonly zero: boolean }
  | { readonly do: 'free'; readonly block: number }
  | { readonly do: 'resize'; readonly block: number; readonly bytes: number; readonly zero: boolean; readonly stay: boolean }
  | { readonly do: 'bad pointer'; readonly heap: number; readonly block: number; readonly how: BadPointer; readonly call: BadCall }
  | { readonly do: 'compact'; readonly heap: number }
  | { readonly do: 'pages'; readonly units: number }
  | { readonly do: 'verify' }

export const badPointers = ['interior', 'past the end', 'other heap', 'freed', 'null', 'wild'] as const
export type BadPointer = (typeof badPointers)[number]
export const badCalls = ['HeapFree', 'HeapReAlloc', 'HeapSize', 'HeapValidate'] as const
export type BadCall = (typeof badCalls)[number]

export interface Case {
  readonly setup: Setup
  readonly commands: readonly Command[]
}

const setup: fc.Arbitrary<Setup> = fc
  .record({
    profile: fc.constantFrom(...profileNames),
    build: fc.constantFrom('retail' as const, 'debug' as const),
    placement: fc.constantFrom(...placements),
    units: fc.oneof(fc.integer({ min: 5, max: 10 }), fc.integer({ min: 8, max: 40 })),
    plenty: fc.boolean(),
    share: fc.integer({ min: 5, max: 60 }),
    dirty: fc.boolean()
  })
  .map(({ plenty, share, ...rest }) => ({ ...rest, physicalPages: plenty ? rest.units * 16 : Math.ceil((rest.units * 16 * share) / 100) }))

/** Small, any magnitude, around pages and units, around each profile's big-block limit and the limit of fixed heaps, and far beyond. */
const bytes: fc.Arbitrary<number> = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 14 }).chain((bits) => fc.integer({ min: 1, max: 1 << bits })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(4096, 8192, 0x4000, 0x10000, 0x18000, 0x30000), fc.integer({ min: -40, max: 40 }))
      .map(([at, off]) => at + off)
  },
  { weight: 1, arbitrary: fc.integer({ min: 0x7ffe0, max: 0x80010 }) },
  { weight: 1, arbitrary: fc.oneof(fc.integer({ min: 0x7fffff00, max: 0x80000100 }), fc.integer({ min: 0xfffeff00, max: 0xffffffff })) }
)

const heap = fc.nat({ max: 1000 })
const block = fc.nat({ max: 100_000 })
const zero = fc.boolean()

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      initial: fc.constantFrom(0, 0, 1, 4096, 5000, 70_000),
      maximum: fc.oneof(fc.constant(0), fc.constantFrom(1, 4096, 0x3000, 0x10000, 0x12345, 0x90000))
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('destroy' as const), heap }) },
  { weight: 40, arbitrary: fc.record({ do: fc.constant('alloc' as const), heap, bytes, zero }) },
  { weight: 26, arbitrary: fc.record({ do: fc.constant('free' as const), block }) },
  { weight: 16, arbitrary: fc.record({ do: fc.constant('resize' as const), block, bytes, zero, stay: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('bad pointer' as const),
      heap,
      block,
      how: fc.constantFrom(...badPointers),
      call: fc.constantFrom(...badCalls)
    })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('compact' as const), heap }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pages' as const), units: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'verify' as const }) }
)

export const cases: fc.Arbitrary<Case> = fc.record({ setup, commands: fc.array(command, { maxLength: 200, size: 'max' }) })
