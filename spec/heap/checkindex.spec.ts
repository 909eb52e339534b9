// Each invariant of the two indexes of free blocks is broken on purpose and must be told, by HeapValidate too (HV-2).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { STALE, START } from '../../src/heap/block.ts'
import { freeStarts } from '../../src/heap/cells.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import { createProcess } from '../../src/index.ts'
import { type Field, type Plant, run, setWord } from './plant.ts'

/** The list that holds free blocks of `hole`'s ten granules, as an offset in the record. */
const HOLE_LIST = REC.BINS + 10

const bins: readonly Plant[] = [
  {
    invariant: 'a list has a head where its bit is set',
    plant: (f) => {
      f.machine.sys[f.record + HOLE_LIST] = 0
    },
    says: /list 10: its bit and its head disagree/
  },
  {
    invariant: 'a bit is set where its list has a head',
    plant: (f) => {
      f.machine.sys[f.record + REC.SL_MAPS] = 0
    },
    says: /list 10: its bit and its head disagree/
  },
  {
    invariant: 'a level is marked where it has a list',
    plant: (f) => {
      f.machine.sys[f.record + REC.FL_MAP] = (f.machine.sys[f.record + REC.FL_MAP] as number) & ~1
    },
    says: /level 0: its bit and its map disagree/
  },
  {
    invariant: 'a level without a list is not marked',
    plant: (f) => {
      f.machine.sys[f.record + REC.FL_MAP] = (f.machine.sys[f.record + REC.FL_MAP] as number) | (1 << 20)
    },
    says: /level 20: its bit and its map disagree/
  },
  {
    invariant: 'every free block is listed',
    plant: (f) => {
      f.machine.sys[f.record + HOLE_LIST] = 0
      f.machine.sys[f.record + REC.SL_MAPS] = 0
      f.machine.sys[f.record + REC.FL_MAP] = (f.machine.sys[f.record + REC.FL_MAP] as number) & ~1
    },
    says: /2 free blocks listed, 3 found by walking/
  },
  {
    invariant: 'what is listed is free',
    plant: (f) => {
      f.machine.sys[f.record + HOLE_LIST] = f.a
    },
    says: /is listed as free but the walk did not find it free/
  },
  {
    invariant: 'what is listed is the start of a block',
    plant: (f) => {
      f.machine.map[(f.a + 1) * 4] = STALE
      f.machine.sys[f.record + HOLE_LIST] = f.a + 1
    },
    // 0x20000 is where the heap begins.
    says: /list 10: 0x20020 is listed as free but the walk did not find it free$/
  },
  {
    invariant: 'a free block is in the list of its size',
    plant: (f) => {
      f.machine.sys[f.record + HOLE_LIST] = 0
      f.machine.sys[f.record + REC.BINS + 11] = f.hole
      f.machine.sys[f.record + REC.SL_MAPS] = 1 << 11
    },
    says: /list 11: .* of 10 granules is in the wrong list/
  },
  {
    invariant: 'a list ends',
    plant: (f) => setWord(f, f.hole, 1, f.hole),
    says: /list 10: (.* names another previous block|goes round in a circle)/
  },
  {
    invariant: 'a list goes back the way it came',
    plant: (f) => {
      // A second hole of the same size.
      const far = f.regions[1] * 2048
      const p = f.ce.HeapAlloc(f.heap, 0, 320)
      const q = f.ce.HeapAlloc(f.heap, 0, 320)
      assert.is(p, f.hole * 32)
      f.ce.HeapAlloc(f.heap, 0, 32)
      f.ce.HeapFree(f.heap, 0, q)
      f.ce.HeapFree(f.heap, 0, p)
      assert.is(f.machine.map[f.hole * 4 + 1], q / 32)
      setWord(f, q / 32, 2, far)
    },
    says: /list 10: .* names another previous block/
  }
]

const CELL = 64
/** Sets a bound of the next-fit index by its place among the index's words (heap/cells.ts). */
function setBound({ machine }: Field, level: 'cell' | 'unit' | 'group', unit: number, cell: number, value: number): void {
  const units = machine.layout.units
  const at = level === 'cell' ? units * 64 + unit * 32 + cell : level === 'unit' ? units * 96 + unit : units * 97 + unit
  assert.is.not(machine.cells[at], value, 'the plant changes nothing')
  machine.cells[at] = value
}

const cells: readonly Plant[] = [
  {
    invariant: "a cell's bound is not below a free block that starts in it",
    plant: (f) => setBound(f, 'cell', f.regions[1], Math.floor(250 / CELL), 100),
    says: /1798 free granules, above a bound of the index \(100, /
  },
  {
    invariant: "a unit's bound is not below a free block that starts in it",
    plant: (f) => {
      setBound(f, 'unit', f.regions[1], 0, 100)
    },
    says: /1798 free granules, above a bound of the index/
  },
  {
    invariant: "a group's bound is not below a free block that starts in it",
    plant: (f) => {
      setBound(f, 'group', f.regions[1], 0, 100)
    },
    says: /1798 free granules, above a bound of the index/
  },
  {
    invariant: "a unit's bound is not below those of its cells",
    plant: (f) => setBound(f, 'cell', f.regions[1], 20, 5000),
    says: /bounds 5000, \d+, \d+ do not rise/
  },
  {
    invariant: "a group's bound is not below those of its units",
    plant: (f) => setBound(f, 'unit', f.regions[1], 0, 4000),
    says: /bounds \d+, 4000, \d+ do not rise/
  },
  {
    invariant: 'every free block is in the index',
    plant: (f) => {
      const word = (f.regions[1] * 2048 + 250) >>> 5
      assert.is.not(freeStarts(f.machine, word), 0)
      f.machine.cells[word] = 0
    },
    // It starts 250 granules into its region.
    says: /: 0x[0-9a-f]+1f40: a free block that the index has not$/
  },
  {
    invariant: 'the index has free blocks alone',
    plant: (f) => {
      f.machine.cells[f.a >>> 5] = (f.machine.cells[f.a >>> 5] as number) | (1 << f.a)
    },
    says: /the index has a free block there, the walk none/
  },
  {
    invariant: 'of several wrong ones in a word of the index the first is told: a free block that it has not',
    plant: (f) => {
      const at = f.hole >>> 5
      assert.is(f.b >>> 5, at, 'the hole and the block behind it are in one word')
      f.machine.cells[at] = 1 << f.b
    },
    says: /^the process's state contradicts itself: 0x20080: a free block that the index has not$/
  },
  {
    invariant: 'of several wrong ones in a word of the index the first is told: one that is not free',
    plant: (f) => {
      f.machine.cells[f.a >>> 5] = 1 << f.a
    },
    says: /^the process's state contradicts itself: 0x20000: the index has a free block there, the walk none$/
  },
  {
    invariant: 'the rover stands in what the heap has of its reservation',
    heap: 'fixed',
    plant: (f) => {
      const end = (f.machine.sys[f.fixedRecord + REC.REGIONS] as number) * 2048 + 16 * 32
      f.machine.map[end * 4] = START
      f.machine.sys[f.fixedRecord + REC.ROVER] = end
    },
    says: /the rover at .* stands on no block of the heap/
  },
  {
    invariant: 'the rover stands on a block',
    plant: (f) => {
      f.machine.sys[f.record + REC.ROVER] = f.a + 1
    },
    says: /the rover at .* stands on no block of the heap/
  },
  {
    invariant: 'the rover stands in the heap',
    plant: (f) => {
      f.machine.sys[f.record + REC.ROVER] = (f.machine.sys[f.fixedRecord + REC.REGIONS] as number) * 2048
    },
    says: /the rover at .* stands on no block of the heap/
  }
]

const binned = suite('check: the segregated index (heap/bins.ts)')
run(
  binned,
  bins.map((plant) => ({ ...plant, heap: 'heap', placement: 'segregated' }))
)

binned('behind the last list nothing belongs to the index: a heap whose maker died at its end is sound', () => {
  const process = createProcess({ placement: 'segregated', memory: 512 * 1024 })
  const { thread } = process
  const record = recordOf(thread.machine, thread.HeapCreate(0, 0, 0))
  thread.machine.sys[record + REC.MAKER] = 9
  process.check()
})
binned.run()

const celled = suite('check: the next-fit index (heap/cells.ts)')
run(
  celled,
  cells.map((plant) => ({ heap: 'heap', ...plant, placement: 'next-fit' }))
)
celled.run()
