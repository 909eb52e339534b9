// Any calls on virtual memory in any order, right and wrong ones, beside the naive model: every result, last error, exception and byte.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import {
  AccessViolation,
  type CeThread,
  GuardPageException,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_RESET,
  MEM_TOP_DOWN,
  MEMORYSTATUS,
  PAGE_EXECUTE,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_NOCACHE,
  PAGE_READONLY,
  PAGE_READWRITE,
  PAGE_WRITECOPY
} from '../../src/index.ts'
import { type Answer, type Outcome, VirtualModel } from '../../src/mixed/virtualmodel.ts'
import { open, type Place, places } from './world.ts'

const PAGE = 4096
const UNIT = 65_536
const MEMORY = 16 * UNIT
const UNTOUCHED = 0xabcd

type Step =
  | { readonly do: 'alloc'; readonly address: number; readonly size: number; readonly type: number; readonly protection: number }
  | { readonly do: 'free'; readonly address: number; readonly size: number; readonly type: number }
  | { readonly do: 'protect'; readonly address: number; readonly size: number; readonly protection: number; readonly out: number }
  | { readonly do: 'query'; readonly address: number; readonly out: number; readonly length: number }
  | { readonly do: 'access'; readonly address: number; readonly size: number; readonly value: number | undefined }
  | { readonly do: 'isBad'; readonly address: number; readonly size: number; readonly write: boolean }
  | { readonly do: 'budget'; readonly pages: number }

// Few units, pages and offsets, so that calls meet each other.
const place = fc
  .record({
    unit: fc.integer({ min: 2, max: 9 }),
    page: fc.integer({ min: 0, max: 5 }),
    offset: fc.constantFrom(0, 0, 0, 1, 4, 0xffd, 0xfff)
  })
  .map(({ unit, page, offset }) => unit * UNIT + page * PAGE + offset)
const address = fc.oneof(
  { weight: 20, arbitrary: place },
  { weight: 1, arbitrary: fc.constantFrom(0x10, MEMORY - PAGE, MEMORY - 1, MEMORY, 0x80000000, 0xffffffff) }
)
const size = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(1, 2, 28, PAGE, PAGE + 1, 2 * PAGE, 4 * PAGE) },
  { weight: 2, arbitrary: fc.constantFrom(0, UNIT, UNIT + 1, 3 * UNIT) },
  { weight: 1, arbitrary: fc.constantFrom(MEMORY, 0x80000000, 0xffffffff) }
)
const protection = fc.oneof(
  { weight: 6, arbitrary: fc.constant(PAGE_READWRITE) },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      PAGE_NOACCESS,
      PAGE_READONLY,
      PAGE_EXECUTE,
      PAGE_EXECUTE_READ,
      PAGE_EXECUTE_READWRITE,
      PAGE_READWRITE | PAGE_NOCACHE
    )
  },
  { weight: 3, arbitrary: fc.constantFrom(PAGE_READWRITE | PAGE_GUARD, PAGE_READONLY | PAGE_GUARD) },
  { weight: 1, arbitrary: fc.constantFrom(0, PAGE_WRITECOPY, PAGE_GUARD, PAGE_NOACCESS | PAGE_GUARD, 0xffffffff) }
)
const allocType = fc.oneof(
  { weight: 6, arbitrary: fc.constant(MEM_COMMIT) },
  { weight: 6, arbitrary: fc.constantFrom(MEM_RESERVE, MEM_RESERVE | MEM_COMMIT) },
  { weight: 1, arbitrary: fc.constantFrom(MEM_TOP_DOWN | MEM_RESERVE, MEM_TOP_DOWN | MEM_COMMIT, MEM_TOP_DOWN, MEM_RESET, 0) }
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('alloc' as const),
      address: fc.oneof({ weight: 5, arbitrary: address }, { weight: 1, arbitrary: fc.constant(0) }),
      size,
      type: allocType,
      protection
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('free' as const),
      address: fc.oneof(
        address,
        place.map((at) => at - (at % UNIT))
      ),
      size: fc.oneof(size, fc.constant(0)),
      type: fc.constantFrom(MEM_RELEASE, MEM_DECOMMIT, MEM_DECOMMIT, MEM_RELEASE | MEM_DECOMMIT, 0)
    })
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('protect' as const), address, size, protection, out: address }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('query' as const),
      address,
      out: address,
      length: fc.constantFrom(28, 28, 28, 0, 27, 0xffffffff)
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('access' as const),
      address,
      size: fc.constantFrom(0, 1, 4, PAGE, 2 * PAGE),
      value: fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined })
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('isBad' as const), address, size, write: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('budget' as const), pages: fc.integer({ min: 1, max: 40 }) }) }
)

/** The emulator and the model, side by side. */
class Both {
  readonly world: ReturnType<typeof open>
  readonly model: VirtualModel
  /** A block of the process heap that is made once: where the status goes. */
  readonly buffer: number
  readonly heap: number

  constructor(where: Place) {
    this.world = open(where, { memory: MEMORY, physical: 24 * PAGE })
    const { ce, process } = this.world
    this.buffer = ce.HeapAlloc(this.world.heap, 0, MEMORYSTATUS.size)
    MEMORYSTATUS.set(ce.memory, this.buffer, 'dwLength', MEMORYSTATUS.size)
    const region = process.snapshot().heaps[0]?.regions[0]
    assert.ok(region)
    this.heap = region.address
    this.model = new VirtualModel(MEMORY, 24 * PAGE, { address: region.address, pages: region.size / PAGE, committed: 1 })
  }

  take(one: Step): void {
    const { ce, process } = this.world
    const { model } = this
    if (one.do === 'budget') {
      process.setPhysical(one.pages * PAGE)
      model.physical = one.pages
    } else if (one.do === 'access') {
      assert.is(outcome(ce, one), model.access(one.address, one.size, one.value))
    } else {
      ce.SetLastError(UNTOUCHED)
      const result = call(ce, one)
      const error = ce.GetLastError()
      const expected = answer(model, one)
      assert.equal({ result, error }, { result: expected.result, error: expected.error ?? UNTOUCHED })
    }
    this.#status()
  }

  /** GM-2, C-69, C-71. */
  #status(): void {
    const { ce } = this.world
    const { model } = this
    ce.GlobalMemoryStatus(this.buffer)
    const told = MEMORYSTATUS.read(ce.memory, this.buffer)
    const { committed, physical, pages } = model
    const units = Array.from({ length: MEMORY / UNIT }, (_, unit) => pages.slice(unit * 16, unit * 16 + 16))
    assert.equal(told, {
      dwLength: 32,
      dwMemoryLoad: Math.min(100, Math.floor((committed * 100) / physical)),
      dwTotalPhys: physical * PAGE,
      dwAvailPhys: Math.max(0, physical - committed) * PAGE,
      dwTotalPageFile: 0,
      dwAvailPageFile: 0,
      dwTotalVirtual: MEMORY - UNIT,
      dwAvailVirtual: units.slice(1).filter((unit) => unit.every((page) => page === undefined)).length * UNIT
    })
  }

  /** Every byte that is committed, and what the emulator holds of itself. */
  agree(): void {
    const { ce, process } = this.world
    this.model.pages.forEach((page, index) => {
      if (page === undefined || page.heap || !page.committed) return
      assert.equal(ce.memory.bytes.slice(index * PAGE, (index + 1) * PAGE), page.bytes, `page ${index}`)
    })
    assert.is(process.snapshot().committed, this.model.committed * PAGE)
    process.check()
    process.close()
  }
}

function call(ce: CeThread, one: Exclude<Step, { do: 'budget' | 'access' }>): number {
  if (one.do === 'alloc') return ce.VirtualAlloc(one.address, one.size, one.type, one.protection)
  if (one.do === 'free') return ce.VirtualFree(one.address, one.size, one.type)
  if (one.do === 'protect') return ce.VirtualProtect(one.address, one.size, one.protection, one.out)
  if (one.do === 'query') return ce.VirtualQuery(one.address, one.out, one.length)
  return one.write ? ce.IsBadWritePtr(one.address, one.size) : ce.IsBadReadPtr(one.address, one.size)
}

function answer(model: VirtualModel, one: Exclude<Step, { do: 'budget' | 'access' }>): Answer {
  if (one.do === 'alloc') return model.alloc(one.address, one.size, one.type, one.protection)
  if (one.do === 'free') return model.free(one.address, one.size, one.type)
  if (one.do === 'protect') return model.protect(one.address, one.size, one.protection, one.out)
  if (one.do === 'query') return model.query(one.address, one.out, one.length)
  return model.isBad(one.address, one.size, one.write)
}

function outcome(ce: CeThread, { address, size, value }: { address: number; size: number; value: number | undefined }): Outcome {
  try {
    if (value === undefined) ce.memory.read(address, size)
    else ce.memory.fill(address, value, size)
    return 'done'
  } catch (error) {
    if (error instanceof GuardPageException) return `guard ${error.address}`
    assert.instance(error, AccessViolation)
    return `violation ${(error as AccessViolation).address}`
  }
}

const model = suite('the model of virtual memory')
let calls = 0

for (const where of places) {
  model(
    `every answer, last error, exception and byte is the model's, whatever is called: VA-2 to VA-11, VF-2 to VF-6, VP-1 to VP-4, VQ-1 [${where.name}]`,
    () => {
      property(
        'coredll/virtualmodel',
        fc.array(step, { minLength: 1, maxLength: 200, size: 'max' }),
        (steps) => {
          const both = new Both(where)
          steps.forEach((one, n) => {
            try {
              both.take(one)
            } catch (error) {
              const { message, actual, expects } = error as { message: string; actual?: unknown; expects?: unknown }
              throw new Error(
                `${where.name}: step ${n + 1}, ${JSON.stringify(one)}: ${message} (the emulator ${JSON.stringify(actual)}, the model ${JSON.stringify(expects)})`
              )
            }
          })
          both.agree()
          calls += steps.length
        },
        { runs: 40, within: 20_000 }
      )
    }
  )
}

model('about 30,000 calls were compared', () => {
  assert.ok(calls > 15_000 || process.env.CEHEAP_PATH, String(calls))
})

model.run()
