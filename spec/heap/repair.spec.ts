// What a repair makes of a heap whose thread has died inside of it, state by state. That every death leaves such a state is spec/coredll/cut.spec.ts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HOLES, SIZE_SHIFT, START } from '../../src/heap/block.ts'
import { ABANDONED, CLAIMED, NEVER, REC, recordAt } from '../../src/heap/record.ts'
import { endHeap, repairHeap } from '../../src/heap/repair.ts'
import { reservationsOf } from '../../src/heap/region.ts'
import { LockTimeoutError, MEM_COMMIT, PAGE_READWRITE } from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { KIND_APP, reservationAt, RES, setRes } from '../../src/machine/pages.ts'
import { underScissors } from '../coredll/scissors.ts'
import { addTo, type Field, field, setWord } from './plant.ts'

const placements = ['segregated', 'next-fit'] as const

function repair({ machine, ce, record }: Field): string {
  return repairHeap(machine, ce.tid, record)
}

function image({ machine }: Field): Int32Array {
  return machine.mem.slice()
}

/** Compares word by word, and names those that differ. */
function same(found: Int32Array, expected: Int32Array, what: string): void {
  const differ: string[] = []
  for (let at = 0; at < expected.length; at++) if (found[at] !== expected[at]) differ.push(`${at}: ${found[at]}, not ${expected[at]}`)
  assert.equal(differ.slice(0, 5), [], what)
}

function isReserved({ machine }: Field, unit: number): boolean {
  return reservationAt(machine, unit) === unit
}

function listed({ machine, record }: Field, list: typeof REC.REGIONS | typeof REC.BIGS): number[] {
  return [...reservationsOf(machine, record, list)]
}

const derived = suite('a repair: what is derived')

for (const placement of placements) {
  derived(`changes no word of a heap that is whole [${placement}]`, () => {
    const f = field(placement)
    addTo(f.machine.sys, f.record + REC.PEAK_BYTES, 7)
    addTo(f.machine.sys, f.record + REC.PEAK_COMMITTED, 3)
    const { sys } = f.machine
    const words = sys.slice(f.record, f.record + REC.FL_MAP)
    const map = f.machine.map.slice()
    assert.is(repair(f), 'whole')
    same(f.machine.map, map, 'the block map')
    assert.equal(sys.slice(f.record, f.record + REC.FL_MAP), words)
    const reference = image(f)
    assert.is(repair(f), 'whole')
    same(image(f), reference, 'again')
    f.process.check()
  })

  derived(`is written anew from the chain, whatever stood there [${placement}]`, () => {
    const f = field(placement)
    const { machine, record, regions, bigs } = f
    repair(f)
    const reference = image(f)
    const { sys, map } = machine
    for (const unit of [...regions, ...bigs]) setRes(machine, unit, RES.PREV, 9)
    for (const block of [f.a, f.hole, f.b, f.rest, (regions[1] as number) * 2048]) {
      const granules = (map[block * 4] as number) >>> SIZE_SHIFT
      map[(block + granules) * 4 - 1] = 77
    }
    for (const unit of bigs) map[(unit * 2048 + ((map[unit * 8192] as number) >>> SIZE_SHIFT)) * 4 - 1] = 77
    setWord(f, f.hole, 0, (map[f.hole * 4] as number) | HOLES)
    setWord(f, (regions[1] as number) * 2048 + 250, 0, (map[((regions[1] as number) * 2048 + 250) * 4] as number) & ~HOLES)
    setWord(f, f.a + 1, 0, START | (1 << SIZE_SHIFT))
    for (const field of [REC.LIVE_BYTES, REC.COMMITTED, REC.PEAK_BYTES, REC.PEAK_COMMITTED]) sys[record + field] = 1
    sys[record + REC.HOT] = NEVER
    if (placement === 'segregated') sys.fill(5, record + REC.FL_MAP, record + REC.MAKER)
    else machine.cells.fill(-1, regions[0] * 64, regions[0] * 64 + 64)
    assert.is(repair(f), 'whole')
    const expected = reference.slice()
    // The peaks were lost: what there is now is the least that they can have been.
    for (const [peak, now] of [
      [REC.PEAK_BYTES, REC.LIVE_BYTES],
      [REC.PEAK_COMMITTED, REC.COMMITTED]
    ] as const)
      expected[record + peak] = expected[record + now] as number
    // Where a start was that is none, a stale pointer is told from one that never was.
    expected[machine.mapAt + (f.a + 1) * 4] = 2
    same(image(f), expected, 'as before')
    f.process.check()
  })

  derived(`the rover stands at the start of the block that it was in, or on none [${placement}]`, () => {
    const f = field(placement)
    const far = (f.regions[1] as number) * 2048
    for (const [was, is] of [
      [f.a, f.a],
      [f.a + 1, f.a],
      [f.a + 3, f.a],
      [f.hole, f.hole],
      [f.hole + 9, f.hole],
      [f.b + 1, f.b],
      [far, far],
      [far + 1, far],
      [far + 250, far + 250],
      [far + 2047, far + 250],
      [far + 2048, 0],
      [1, 0],
      [0, 0]
    ] as const) {
      f.machine.sys[f.record + REC.ROVER] = was
      repair(f)
      assert.is(f.machine.sys[f.record + REC.ROVER], is, `${was}`)
    }
  })
}

derived('a fixed heap keeps its control area, which counts for no live byte', () => {
  const f = field('segregated')
  const before = image(f)
  assert.is(repairHeap(f.machine, f.ce.tid, f.fixedRecord), 'whole')
  same(image(f), before, 'the fixed heap')
})

derived('granules of a live block beyond its request are free', () => {
  const f = field('next-fit')
  f.machine.map[(f.b + 4) * 4 + 1] = 100
  assert.is(repair(f), 'whole')
  f.process.check()
  assert.is((f.machine.map[(f.b + 4) * 4] as number) >>> SIZE_SHIFT, 4)
})
derived.run()

const left = suite('a repair: what a dead thread left')

for (const [n, who] of [
  [0, 'the newest big block'],
  [1, 'the oldest big block']
] as const) {
  left(`a big block that nobody has is given back: ${who}`, () => {
    const f = field('segregated')
    const other = f.bigs[1 - n] as number
    f.machine.sys[f.record + REC.LEFT_BLOCK] = (f.bigs[n] as number) * 2048
    assert.is(repair(f), 'undone')
    assert.equal(listed(f, REC.BIGS), [other])
    assert.equal([isReserved(f, f.bigs[n] as number), isReserved(f, other)], [false, true])
    f.process.check()
  })
}

left('a block that nobody has is free', () => {
  for (const resized of ['none', 'b'] as const) {
    const f = field('segregated')
    f.machine.sys[f.record + REC.LEFT_BLOCK] = f.a
    f.machine.sys[f.record + REC.LEFT_RESIZED] = resized === 'b' ? f.b : 0
    assert.is(repair(f), 'undone')
    assert.is(f.ce.HeapFree(f.heap, 0, f.a * 32), 0)
    assert.equal([f.machine.sys[f.record + REC.LEFT_BLOCK], f.machine.sys[f.record + REC.LEFT_RESIZED]], [0, 0])
    f.process.check()
  }
})

left('where nothing was left nothing is stored in the slots of the threads that live, which are at other heaps meanwhile', () => {
  const f = field('segregated')
  const { layout, heapsAt, mem } = f.machine
  const scissors = underScissors(f.ce)
  const stored: number[] = []
  scissors.store = (memory, from, _length, act) => {
    if (memory === mem.buffer) stored.push(from / 4)
    return act()
  }
  assert.is(repair(f), 'whole')
  assert.ok(stored.includes(f.record + REC.LIVE_BYTES))
  assert.equal(
    stored.filter((at) => at >= layout.threadsAt && at < heapsAt),
    []
  )
})

left('a block stays if the one that it was to replace is gone', () => {
  const f = field('segregated')
  f.machine.sys[f.record + REC.LEFT_BLOCK] = f.a
  f.machine.sys[f.record + REC.LEFT_RESIZED] = f.hole
  assert.is(repair(f), 'whole')
  assert.equal([f.machine.sys[f.record + REC.LEFT_BLOCK], f.machine.sys[f.record + REC.LEFT_RESIZED]], [0, 0])
  assert.is(f.ce.HeapFree(f.heap, 0, f.a * 32), 1)
  f.process.check()
})

left('nothing is undone where no live block of the heap starts', () => {
  for (const where of ['hole', 'inside', "another heap's", "another heap's big one", 'control'] as const) {
    const f = field('segregated')
    repair(f)
    const before = image(f)
    const first = (f.machine.sys[f.fixedRecord + REC.REGIONS] as number) * 2048
    const other = f.ce.HeapAlloc(f.ce.GetProcessHeap(), 0, 200_000) / 32
    const blocks = { hole: f.hole, inside: f.a + 1, "another heap's": first + 200, "another heap's big one": other, control: first }
    if (where === "another heap's") blocks[where] = f.ce.HeapAlloc(f.fixed, 0, 10) / 32
    before.set(f.machine.mem)
    f.machine.sys[f.record + REC.LEFT_BLOCK] = blocks[where]
    assert.is(repair(f), 'whole', where)
    same(image(f), before, where)
  }
})

left('a big block that is linked no more is an orphan, and nothing else is unlinked for it', () => {
  const f = field('segregated')
  const [newest, oldest] = f.bigs
  setRes(f.machine, newest, RES.NEXT, 0)
  f.machine.sys[f.record + REC.LEFT_BLOCK] = oldest * 2048
  assert.is(repair(f), 'whole')
  assert.equal(listed(f, REC.BIGS), [newest])
  assert.equal([isReserved(f, oldest), isReserved(f, newest)], [false, true])
  f.process.check()
})

left('orphans of the heap alone are given back: regions and big blocks, no other heap, no pages of the program', () => {
  const f = field('next-fit')
  const before = f.process.snapshot()
  setRes(f.machine, f.regions[0], RES.NEXT, 0)
  f.machine.sys[f.record + REC.BIGS] = 0
  assert.is(repair(f), 'whole')
  assert.equal(
    [f.regions[1], ...f.bigs].map((unit) => isReserved(f, unit)),
    [false, false, false]
  )
  const after = f.process.snapshot()
  assert.equal(after.reservations, before.reservations)
  assert.equal(after.heaps[0], before.heaps[0])
  assert.equal(after.heaps[2], before.heaps[2])
  assert.is(f.machine.units[f.app * 8 + RES.KIND], KIND_APP)
  f.process.check()
})

left('the process heap is repaired beside free address space and reservations of many units, and nothing else is given back for it', () => {
  const f = field('segregated')
  const { machine, ce } = f
  repairHeap(machine, ce.tid, recordAt(machine, 0))
  // Memory is low until some is given back, or the budget changes.
  f.process.injectFailures({ on: 'commit', nth: 1 })
  assert.is(ce.VirtualAlloc(f.app * 65_536 + 4096, 1, MEM_COMMIT, PAGE_READWRITE), 0)
  assert.is(machine.sys[HDR.IS_LOW], 1)
  const before = image(f)
  assert.is(repairHeap(machine, ce.tid, recordAt(machine, 0)), 'whole')
  same(image(f), before, 'the process heap')
  assert.ok(isReserved(f, f.app))
})

left('debug builds: a block that was resized gets a whole sentinel, and nothing else is written to user memory', () => {
  for (const build of ['retail', 'debug'] as const)
    for (const which of ['b', 'hole', 'none'] as const) {
      const f = field('segregated', build)
      const { bytes } = f.machine
      // The 100 bytes of b and of the hole that was: all that is behind them.
      for (const block of [f.b, f.hole]) bytes.fill(0x41, block * 32 + 100, block * 32 + 128)
      const before = bytes.slice()
      f.machine.sys[f.record + REC.LEFT_RESIZED] = which === 'none' ? 0 : f[which]
      assert.is(repair(f), 'whole')
      if (build === 'debug' && which === 'b') assert.is(f.ce.HeapValidate(f.heap, 0, f.b * 32), 1)
      else assert.ok(Buffer.compare(bytes, before) === 0, `${build} ${which}`)
    }
})
left.run()

const ends = suite('a repair: heaps that are not there')

ends('of a closed process does nothing', () => {
  const f = field('segregated')
  f.machine.sys[f.record + REC.LEFT_BLOCK] = f.a
  f.machine.sys[HDR.CLOSED] = 1
  const before = image(f)
  assert.is(repair(f), 'whole')
  same(image(f), before, 'closed')
})

ends('of a heap that another thread is making or ending does nothing', () => {
  for (const handle of [CLAIMED, 0]) {
    const f = field('segregated')
    f.machine.sys[f.record + REC.LEFT_BLOCK] = f.a
    f.machine.sys[f.record + REC.HANDLE] = handle
    const before = image(f)
    assert.is(repair(f), 'whole')
    same(image(f), before, `${handle}`)
  }
})

ends('one that was abandoned is ended: nothing is left of it but the generation and the grants', () => {
  const f = field('segregated')
  const { sys, heapsAt } = f.machine
  const expected = sys.slice(heapsAt, f.record + 1024)
  sys[f.record + REC.MAKER] = ABANDONED
  sys[f.record + REC.GRANTS] = 99
  sys.fill(7, f.record + REC.FL_MAP, f.record + REC.MAKER)
  sys[f.record + REC.LEFT_BLOCK] = f.a
  sys[f.record + REC.LEFT_RESIZED] = f.b
  assert.is(repair(f), 'ended')
  const generation = expected[f.record - heapsAt + REC.GENERATION] as number
  expected.fill(0, f.record - heapsAt)
  expected[f.record - heapsAt + REC.GENERATION] = generation
  expected[f.record - heapsAt + REC.GRANTS] = 99
  same(sys.slice(heapsAt, f.record + 1024), expected, 'the records')
  assert.not([...f.regions, ...f.bigs].some((unit) => isReserved(f, unit)))
  f.process.check()
})

ends('an error on the way out of that is told, and leaves the process section', () => {
  const f = field('segregated')
  const { machine, ce, record } = f
  const { take } = machine
  let taken = 0
  machine.take = (at, who) => {
    if (at === HDR.LOCK << 2 && ++taken === 2) throw new LockTimeoutError(9, 30)
    return take(at, who)
  }
  assert.throws(
    () => endHeap(machine, ce.tid, record),
    (error: unknown) => error instanceof LockTimeoutError
  )
  machine.take = take
  assert.is(machine.sys[HDR.LOCK], 0)
})
ends.run()
