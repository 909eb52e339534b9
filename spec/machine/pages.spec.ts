// Address space in units of 64 KB, pages of 4 KB in three states, and physical memory as a budget.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import { createProcess, PAGE_READONLY, PAGE_READWRITE, profiles } from '../../src/index.ts'
import { pagesFault } from '../../src/machine/check.ts'
import { HDR, PAGE, PAGES_PER_UNIT, UNIT } from '../../src/machine/layout.ts'
import { createMachine, type Machine } from '../../src/machine/machine.ts'
import {
  allCommitted,
  commit,
  decommitPages,
  KIND_APP,
  pageProtection,
  pageState,
  RES,
  release,
  res,
  reservationAt,
  reserve,
  reserveAt
} from '../../src/machine/pages.ts'

const TID = 1
const FREE = 0
const RESERVED = 1
const COMMITTED = 2

/** A machine without a process on it: `units` times 64 KB, `physical` pages. */
function bare(units: number, physical = units * PAGES_PER_UNIT, dirty = false): Machine {
  const user = new SharedArrayBuffer(units * UNIT)
  if (dirty) new Uint8Array(user).fill(0xd7)
  const machine = createMachine(user)
  machine.sys[HDR.PHYSICAL] = physical
  machine.sys[HDR.USER_DIRTY] = dirty ? 1 : 0
  return machine
}

function sound(machine: Machine): void {
  assert.is(pagesFault(machine), undefined)
}

function states(machine: Machine, unit: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => pageState(machine, unit * PAGES_PER_UNIT + n))
}

const space = suite('address space')

space('VL-3: the first 64 KB are never mapped, so that 0 is no address', () => {
  const machine = bare(4)
  assert.is(reserveAt(machine, TID, 0, PAGE, KIND_APP, 0, PAGE_READWRITE), 0)
  assert.is(reserve(machine, TID, UNIT, KIND_APP, 0), 1)
  assert.is(reserve(machine, TID, 3 * UNIT, KIND_APP, 0), 0, 'the three others do not make a run of three')
  assert.is(reserve(machine, TID, 2 * UNIT, KIND_APP, 0), 2)
  assert.is(reserve(machine, TID, 1, KIND_APP, 0), 0)
  assert.is(reservationAt(machine, 0), -1)
  sound(machine)
})

space('VL-3: a process has nothing at 0 to FFFF, and checked accesses there fail', () => {
  const { thread } = createProcess({ memory: 4 * UNIT })
  for (const address of [0, 1, 0x7fff, 0xffff]) {
    assert.throws(() => thread.memory.readU8(address), /access violation/)
    assert.throws(() => thread.memory.writeU8(address, 1), /access violation/)
  }
  assert.is(thread.VirtualAlloc(1, 1, 0x2000, PAGE_READWRITE), 0)
})

space('the lowest run of free units that is long enough is taken, or the highest from the top down', () => {
  const machine = bare(12)
  const taken = [1, 2, 3, 4, 5].map((units) => (units < 4 ? reserve(machine, TID, units * UNIT, KIND_APP, 0) : 0))
  assert.equal(taken, [1, 2, 4, 0, 0])
  release(machine, TID, 2)
  assert.is(reserve(machine, TID, 3 * UNIT, KIND_APP, 0), 7)
  assert.is(reserve(machine, TID, UNIT, KIND_APP, 0, PAGE_READWRITE, true), 11)
  assert.is(reserve(machine, TID, 2 * UNIT, KIND_APP, 0, PAGE_READWRITE, true), 2)
  sound(machine)
})

space('VA-6: a reservation is whole pages of 4096 bytes, its units are its own to the last', () => {
  const machine = bare(6)
  const unit = reserve(machine, TID, UNIT + 1, KIND_APP, 0)
  assert.is(res(machine, unit, RES.PAGES), PAGES_PER_UNIT + 1)
  assert.equal(states(machine, unit, 2 * PAGES_PER_UNIT), [...Array(17).fill(RESERVED), ...Array(15).fill(FREE)])
  assert.is(reservationAt(machine, unit + 1), unit)
  assert.is(reserveAt(machine, TID, (unit + 1) * UNIT, PAGE, KIND_APP, 0, PAGE_READWRITE), 0, "the rest of its last unit is nobody else's")
  sound(machine)
})

space('a reservation at an address is there or nowhere', () => {
  const machine = bare(6)
  assert.is(reserveAt(machine, TID, 3 * UNIT, 2 * UNIT, KIND_APP, 0, PAGE_READWRITE), 3)
  for (const [unit, units] of [
    [3, 1],
    [2, 2],
    [4, 1],
    [5, 2],
    [6, 1],
    [0, 1]
  ] as const) {
    assert.is(reserveAt(machine, TID, unit * UNIT, units * UNIT, KIND_APP, 0, PAGE_READWRITE), 0, `unit ${unit}`)
  }
  sound(machine)
})

space('VL-1, VL-2, C-29: a process may have 32 MB in ce-5.0 and 2 GB in the others, and no more', () => {
  for (const { name, addressSpace } of Object.values(profiles)) {
    assert.is(addressSpace, name === 'ce-5.0' ? 32 * 2 ** 20 : 2 ** 31)
    assert.is(createProcess({ profile: name, memory: addressSpace, physical: PAGE * 16 }).snapshot().memory, addressSpace)
    assert.throws(() => createProcess({ profile: name, memory: addressSpace + UNIT }), RangeError)
  }
})
space.run()

const paging = suite('pages')

paging('VA-6: a commit takes every page that it touches, and those alone', () => {
  const machine = bare(4)
  const unit = reserve(machine, TID, UNIT, KIND_APP, 0)
  const base = unit * UNIT
  assert.is(commit(machine, TID, base + PAGE - 1, 2), 2)
  assert.is(commit(machine, TID, base + 5 * PAGE, PAGE), 1)
  assert.is(commit(machine, TID, base, 8 * PAGE), 5, 'committed pages are not counted twice')
  assert.equal(states(machine, unit, 10), [...Array(8).fill(COMMITTED), RESERVED, RESERVED])
  assert.is(res(machine, unit, RES.COMMITTED), 8)
  assert.is(machine.sys[HDR.COMMITTED], 8)
  assert.is(allCommitted(machine, base, 8 * PAGE), true)
  assert.is(allCommitted(machine, base + 7 * PAGE, PAGE + 1), false)
  sound(machine)
})

paging('decommitting gives physical memory back and keeps the address space', () => {
  const machine = bare(4)
  const unit = reserve(machine, TID, UNIT, KIND_APP, 0)
  commit(machine, TID, unit * UNIT, 8 * PAGE)
  assert.is(decommitPages(machine, TID, unit * PAGES_PER_UNIT + 2, unit * PAGES_PER_UNIT + 9), 6)
  assert.equal(states(machine, unit, 10), [COMMITTED, COMMITTED, ...Array(8).fill(RESERVED)])
  assert.is(machine.sys[HDR.COMMITTED], 2)
  sound(machine)
})

paging('releasing frees pages and units, whatever state the pages are in', () => {
  const machine = bare(5)
  const unit = reserve(machine, TID, 2 * UNIT, KIND_APP, 0)
  commit(machine, TID, unit * UNIT + PAGE, 20 * PAGE)
  assert.is(release(machine, TID, unit), 20)
  assert.equal(states(machine, unit, 32), Array(32).fill(FREE))
  assert.is(machine.sys[HDR.COMMITTED], 0)
  assert.is(reserve(machine, TID, 4 * UNIT, KIND_APP, 0), 1)
  sound(machine)
})

for (const dirty of [false, true]) {
  paging(
    `C-19: a page is zero when it is committed, the first time and every other [${dirty ? 'memory of the caller, with bytes in it' : 'fresh memory'}]`,
    () => {
      const machine = bare(4, 64, dirty)
      const unit = reserve(machine, TID, UNIT, KIND_APP, 0)
      const bytes = machine.bytes.subarray(unit * UNIT, unit * UNIT + 2 * PAGE)
      for (let round = 0; round < 3; round++) {
        commit(machine, TID, unit * UNIT, 2 * PAGE)
        assert.ok(bytes.every((byte) => byte === 0))
        bytes.fill(round + 1)
        commit(machine, TID, unit * UNIT, 2 * PAGE)
        assert.ok(
          bytes.every((byte) => byte === round + 1),
          'a page that is committed keeps its bytes'
        )
        if (round === 1) {
          release(machine, TID, unit)
          assert.is(reserve(machine, TID, UNIT, KIND_APP, 0), unit)
        } else decommitPages(machine, TID, unit * PAGES_PER_UNIT, unit * PAGES_PER_UNIT + 1)
      }
    }
  )
}

paging('physical memory is a budget: a commit that does not fit changes nothing', () => {
  const machine = bare(4, 5)
  const unit = reserve(machine, TID, UNIT, KIND_APP, 0)
  assert.is(commit(machine, TID, unit * UNIT, 3 * PAGE), 3)
  const words = machine.pages.slice()
  assert.is(commit(machine, TID, unit * UNIT, 6 * PAGE), -1)
  assert.equal(machine.pages, words)
  assert.is(machine.sys[HDR.COMMITTED], 3)
  assert.is(commit(machine, TID, unit * UNIT + 3 * PAGE, 2 * PAGE), 2)
  assert.is(commit(machine, TID, unit * UNIT, 5 * PAGE), 0, 'committed pages need no more')
  assert.is(commit(machine, TID, unit * UNIT + 5 * PAGE, 1), -1)
  assert.is(machine.sys[HDR.PEAK_COMMITTED], 5)
  sound(machine)
})

paging('a page keeps its protection word beside its state', () => {
  const machine = bare(4)
  const unit = reserve(machine, TID, UNIT, KIND_APP, 0, PAGE_READONLY)
  const page = unit * PAGES_PER_UNIT
  assert.is(pageProtection(machine, page), PAGE_READONLY)
  commit(machine, TID, unit * UNIT, PAGE, PAGE_READWRITE)
  assert.is(pageProtection(machine, page), PAGE_READWRITE)
  assert.is(pageState(machine, page), COMMITTED)
})
paging.run()

interface Step {
  readonly do: 'reserve' | 'release' | 'commit' | 'decommit'
  readonly pick: number
  readonly at: number
  readonly pages: number
}

/** The naive model: for each page its state, for each reservation its pages. */
class Pages {
  readonly state: number[]
  readonly live: { unit: number; pages: number }[] = []

  constructor(units: number) {
    this.state = Array(units * PAGES_PER_UNIT).fill(FREE)
  }

  get committed(): number {
    return this.state.filter((state) => state === COMMITTED).length
  }

  /** The first unit of the lowest run that holds `pages`. */
  lowest(pages: number): number {
    const units = Math.ceil(pages / PAGES_PER_UNIT)
    const taken = (unit: number): boolean =>
      unit < 1 || this.live.some((one) => unit >= one.unit && unit < one.unit + Math.ceil(one.pages / PAGES_PER_UNIT))
    for (let unit = 1; unit + units <= this.state.length / PAGES_PER_UNIT; unit++) {
      if (Array.from({ length: units }, (_, n) => unit + n).every((one) => !taken(one))) return unit
    }
    return 0
  }
}

const model = suite('pages: any order of steps')

model('address space, states and counts are those of a plain list', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    do: fc.constantFrom('reserve' as const, 'release' as const, 'commit' as const, 'commit' as const, 'decommit' as const),
    pick: fc.nat({ max: 1000 }),
    at: fc.nat({ max: 1000 }),
    pages: fc.integer({ min: 1, max: 40 })
  })
  property(
    'machine/pages',
    fc.record({ physical: fc.integer({ min: 1, max: 150 }), steps: fc.array(step, { maxLength: 120, size: 'max' }) }),
    ({ physical, steps }) => {
      const machine = bare(10, physical)
      const pages = new Pages(10)
      for (const { do: what, pick, at, pages: count } of steps) {
        const one = pages.live[pick % Math.max(1, pages.live.length)]
        if (what === 'reserve') {
          const unit = pages.lowest(count)
          assert.is(reserve(machine, TID, count * PAGE - (pick % PAGE), KIND_APP, 0), unit)
          if (unit === 0) continue
          pages.live.push({ unit, pages: count })
          pages.state.fill(RESERVED, unit * PAGES_PER_UNIT, unit * PAGES_PER_UNIT + count)
        } else if (one !== undefined) {
          const first = one.unit * PAGES_PER_UNIT + (at % one.pages)
          const end = Math.min(first + count, one.unit * PAGES_PER_UNIT + one.pages)
          const there = (state: number, from: number, to: number): number =>
            pages.state.slice(from, to).filter((each) => each === state).length
          if (what === 'release') {
            const all = one.unit * PAGES_PER_UNIT
            assert.is(release(machine, TID, one.unit), there(COMMITTED, all, all + one.pages))
            pages.state.fill(FREE, all, all + one.pages)
            pages.live.splice(pages.live.indexOf(one), 1)
          } else if (what === 'decommit') {
            assert.is(decommitPages(machine, TID, first, end - 1), there(COMMITTED, first, end))
            pages.state.fill(RESERVED, first, end)
          } else {
            const fresh = there(RESERVED, first, end)
            const fits = pages.committed + fresh <= physical
            assert.is(commit(machine, TID, first * PAGE, (end - first) * PAGE), fits ? fresh : -1)
            if (fits) pages.state.fill(COMMITTED, first, end)
          }
        }
      }
      assert.equal(states(machine, 0, pages.state.length), pages.state)
      assert.is(machine.sys[HDR.COMMITTED], pages.committed)
      sound(machine)
    },
    { runs: 300 }
  )
})
model.run()
