// Physical memory as a budget: it can be changed while the process runs, and the program is told when it becomes low (HI-18, C-71).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  ERROR_NOT_ENOUGH_MEMORY,
  InvariantError,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  type MemoryFigures,
  PAGE_READWRITE
} from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { apart } from './apart.ts'
import { everywhere, open, places, refuses } from './world.ts'
import type { World } from './world.ts'

const PAGE = 4096
const KB = 1024
const BOTH = MEM_RESERVE | MEM_COMMIT

const budget = suite('setPhysical')

everywhere(budget, 'a larger budget lets commits succeed, a smaller one lets them fail; nothing is taken away (C-71)', (world) => {
  const { ce, process } = world
  const base = ce.VirtualAlloc(0, 16 * PAGE, MEM_RESERVE, PAGE_READWRITE)
  ce.VirtualAlloc(base, 8 * PAGE, MEM_COMMIT, PAGE_READWRITE)
  const { committed } = process.snapshot()
  process.setPhysical(committed - 4 * PAGE)
  assert.is(process.snapshot().committed, committed)
  process.check()
  const more = (): number => ce.VirtualAlloc(base + 8 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE)
  assert.equal(world.answer(more), { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false })
  assert.is(ce.VirtualAlloc(base, 8 * PAGE, MEM_COMMIT, PAGE_READWRITE), base, 'what is there stays there (VA-8)')
  ce.VirtualFree(base, 4 * PAGE, MEM_DECOMMIT)
  assert.is(more(), 0, 'not one page below the budget yet')
  ce.VirtualFree(base + 4 * PAGE, PAGE, MEM_DECOMMIT)
  assert.is.not(more(), 0)
  assert.is(more(), base + 8 * PAGE)
  process.setPhysical(committed)
  assert.is(ce.VirtualAlloc(base, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE), base)
})

everywhere(budget, 'a heap goes on with what it has, and grows again when the budget does', (world) => {
  const { ce, process, heap } = world
  process.setPhysical(process.snapshot().committed)
  const blocks: number[] = []
  for (let block = ce.HeapAlloc(heap, 0, 500); block !== 0; block = ce.HeapAlloc(heap, 0, 500)) blocks.push(block)
  assert.ok(blocks.length >= 6 && blocks.length <= 8, `${blocks.length} blocks in a page`)
  for (const bytes of [20_000, 0x48000]) assert.is(ce.HeapAlloc(heap, 0, bytes), 0)
  assert.is(ce.HeapCreate(0, 0, 0), 0)
  process.setPhysical(1024 * KB)
  for (const bytes of [500, 20_000, 0x48000]) assert.is.not(ce.HeapAlloc(heap, 0, bytes), 0)
})

budget('check knows a budget that was lowered from a process that commits too much', () => {
  const { process, ce } = open(places[0] as (typeof places)[number])
  process.setPhysical(PAGE)
  process.setPhysical(64 * KB)
  process.check()
  ce.machine.sys[HDR.PHYSICAL] = 0
  assert.throws(
    () => process.check(),
    (error: unknown) => error instanceof InvariantError
  )
})

budget('a budget of the wrong kind or on a closed process is misuse', () => {
  const { process } = open(places[0] as (typeof places)[number])
  refuses(() => process.setPhysical(0), RangeError, 'setPhysical: expected a whole number from 4096 to 2147483648, got 0')
  refuses(() => process.setPhysical(4097), RangeError, 'setPhysical: expected a multiple of 4096, got 4097')
  refuses(() => process.setPhysical('x' as unknown as number), TypeError, /^setPhysical: expected a whole number/)
  process.close()
  refuses(() => process.setPhysical(4096), TypeError, /^setPhysical: expected an open process/)
})
budget.run()

const hibernate = suite('onHibernate')

/** 256 KB of physical memory, low below 64 KB; what the listener was told, and `pages` to commit. */
function low(world: World): { told: MemoryFigures[]; pages: number; end: () => void } {
  const told: MemoryFigures[] = []
  const end = world.process.onHibernate((figures) => told.push(figures))
  return { told, pages: world.ce.VirtualAlloc(0, 256 * KB, MEM_RESERVE, PAGE_READWRITE), end }
}
const small = { physical: 256 * KB, lowMemory: 64 * KB }

everywhere(
  hibernate,
  'C-97: a listener that throws does not cost the others the message, nor the call its answer; the errors are thrown apart',
  (world) => {
    const { ce, process } = world
    const heard: string[] = []
    process.onHibernate(() => {
      throw new Error('first')
    })
    process.onHibernate(() => {
      heard.push('second')
      throw new Error('second')
    })
    process.onHibernate(() => heard.push('third'))
    const { answer, thrown } = apart(() => ce.VirtualAlloc(0, 230 * KB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE))
    assert.is.not(answer, 0)
    assert.equal(thrown.map(String), ['Error: first', 'Error: second'])
    assert.equal(heard, ['second', 'third'])
    assert.is.not(ce.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE), 0, 'told once: the next call is quiet')
  },
  small
)

everywhere(
  hibernate,
  'HI-18, C-71: told once when less than the threshold is left, and again after it was not',
  (world) => {
    const { ce, process } = world
    const { told, pages, end } = low(world)
    const commit = (kb: number): number => ce.VirtualAlloc(pages, kb * KB, MEM_COMMIT, PAGE_READWRITE)
    commit(256 - 64 - 4)
    assert.is(told.length, 0, '64 KB are left: not less')
    commit(256 - 64)
    assert.equal(told, [{ memory: 4096 * KB, physical: 256 * KB, committed: 196 * KB, available: 60 * KB, peakCommitted: 196 * KB }])
    commit(256 - 32)
    assert.is(told.length, 1, 'it is low already')
    ce.VirtualFree(pages, 100 * KB, MEM_DECOMMIT)
    commit(256 - 32)
    assert.is(told.length, 2)
    ce.VirtualFree(pages, 0, MEM_DECOMMIT)
    process.setPhysical(64 * KB)
    assert.is(told.length, 3, 'a smaller budget')
    end()
    process.setPhysical(256 * KB)
    process.setPhysical(64 * KB)
    assert.is(told.length, 3)
  },
  small
)

everywhere(
  hibernate,
  'C-71: told when a commit is refused, although much is left',
  (world) => {
    const { ce } = world
    const { told, pages } = low(world)
    assert.is(ce.VirtualAlloc(pages, 256 * KB, MEM_COMMIT, PAGE_READWRITE), 0)
    assert.is(told.length, 1)
    assert.is(ce.VirtualAlloc(0, 512 * KB, BOTH, PAGE_READWRITE), 0)
    assert.is(told.length, 1, 'nothing came or went in between')
    ce.VirtualAlloc(pages, PAGE, MEM_COMMIT, PAGE_READWRITE)
    assert.is(ce.HeapAlloc(world.heap, 0, 0x48000), 0)
    assert.is(told.length, 2, 'whoever asks')
  },
  small
)

everywhere(
  hibernate,
  'a heap that grows tells too, and the listener may use the API: it frees a cache and the program goes on',
  (world) => {
    const { ce, process, heap } = world
    const cache = ce.VirtualAlloc(0, 128 * KB, BOTH, PAGE_READWRITE)
    let told = 0
    process.onHibernate(() => {
      told++
      ce.VirtualFree(cache, 0, MEM_RELEASE)
      process.check()
    })
    for (let n = 0; n < 40; n++) assert.is.not(ce.HeapAlloc(heap, 0, 3000), 0)
    assert.is(told, 1)
    assert.equal(process.snapshot().reservations, [])
  },
  small
)

everywhere(
  hibernate,
  'told in the creating thread after its next call, or by drainFindings, when another thread made memory low',
  (world) => {
    const { ce, process } = world
    const { told, pages } = low(world)
    const other = attachThread(process.share())
    const commit = (): number => other.VirtualAlloc(pages, 200 * KB, MEM_COMMIT, PAGE_READWRITE)
    commit()
    assert.is(told.length, 0)
    ce.GetLastError()
    assert.is(told.length, 1)
    other.VirtualFree(pages, 0, MEM_DECOMMIT)
    commit()
    other.VirtualFree(pages, 0, MEM_DECOMMIT)
    commit()
    process.drainFindings()
    assert.is(told.length, 2, 'once for all that happened')
    other.detach()
  },
  small
)

everywhere(
  hibernate,
  'never inside a section: a page callback that makes memory low is told of after the call that it serves',
  (world) => {
    const { ce, process } = world
    const order: string[] = []
    process.onHibernate(() => {
      order.push('told')
      process.check()
    })
    const heap = ce.CeHeapCreate(
      0,
      200 * KB,
      0,
      (address, size, action) => {
        const at = ce.VirtualAlloc(address, size, action, PAGE_READWRITE)
        process.drainFindings()
        order.push(action === MEM_COMMIT ? 'commit' : 'reserve')
        return at
      },
      (address, size, action) => ce.VirtualFree(address, action === MEM_RELEASE ? 0 : size, action)
    )
    assert.is.not(heap, 0)
    assert.equal(order, ['reserve', 'commit', 'told'])
  },
  small
)

everywhere(
  hibernate,
  'a listener that makes memory low itself is told of it later, not inside itself',
  (world) => {
    const { ce, process } = world
    const pages = ce.VirtualAlloc(0, 256 * KB, MEM_RESERVE, PAGE_READWRITE)
    let depth = 0
    let told = 0
    process.onHibernate(() => {
      depth++
      assert.is(depth, 1)
      told++
      if (told < 3) {
        ce.VirtualFree(pages, 0, MEM_DECOMMIT)
        ce.VirtualAlloc(pages, 200 * KB, MEM_COMMIT, PAGE_READWRITE)
      }
      depth--
    })
    ce.VirtualAlloc(pages, 200 * KB, MEM_COMMIT, PAGE_READWRITE)
    assert.is(told, 1)
    ce.GetLastError()
    assert.is(told, 2)
    ce.GetLastError()
    ce.GetLastError()
    assert.is(told, 3)
  },
  small
)

everywhere(
  hibernate,
  'calls are answered and recorded as ever while somebody listens; what happened before is not told',
  (world) => {
    const { ce, process } = world
    const { pages, end } = low(world)
    end()
    ce.VirtualAlloc(pages, 200 * KB, MEM_COMMIT, PAGE_READWRITE)
    let told = 0
    const first = process.onHibernate(() => told++)
    const second = process.onHibernate(() => told++)
    const calls: string[] = []
    const stop = process.record({ write: ({ call }) => calls.push(call) })
    ce.HeapFree(world.heap, 0, ce.HeapAlloc(world.heap, 0, 10))
    assert.equal([calls, told], [['HeapAlloc', 'HeapFree'], 0])
    first()
    first()
    ce.VirtualFree(pages, 0, MEM_DECOMMIT)
    ce.VirtualAlloc(pages, 200 * KB, MEM_COMMIT, PAGE_READWRITE)
    assert.is(told, 1)
    second()
    ce.GetLastError()
    assert.is(calls.length, 5, 'the recording goes on')
    stop()
    assert.not.ok(Object.hasOwn(ce, 'HeapAlloc'), 'calls cost nothing extra again')
  },
  small
)

everywhere(
  hibernate,
  'what happened before anybody listened is not told; what happened before another one joined is, to both',
  (world) => {
    const { ce, process } = world
    const other = attachThread(process.share())
    const pages = ce.VirtualAlloc(0, 256 * KB, MEM_RESERVE, PAGE_READWRITE)
    const becomesLow = (): void => {
      other.VirtualFree(pages, 0, MEM_DECOMMIT)
      other.VirtualAlloc(pages, 200 * KB, MEM_COMMIT, PAGE_READWRITE)
    }
    becomesLow()
    const told: string[] = []
    process.onHibernate(() => told.push('first'))
    ce.GetLastError()
    assert.equal(told, [])
    becomesLow()
    process.onHibernate(() => told.push('second'))
    ce.GetLastError()
    assert.equal(told, ['first', 'second'])
  },
  small
)

hibernate('lowMemory is a sixteenth of physical unless given, and 0 leaves refused commits alone', () => {
  for (const place of places) {
    for (const [options, limit] of [
      [{ physical: 1024 * KB }, 64 * KB],
      [{ physical: 1024 * KB, lowMemory: 100_000 }, 24 * PAGE],
      [{ physical: 1024 * KB, lowMemory: 0 }, 0]
    ] as const) {
      const world = open(place, options)
      const told: MemoryFigures[] = []
      world.process.onHibernate((figures) => told.push(figures))
      const pages = world.ce.VirtualAlloc(0, 1024 * KB, MEM_RESERVE, PAGE_READWRITE)
      for (let at = pages; at < pages + 1024 * KB - PAGE; at += PAGE) world.ce.VirtualAlloc(at, PAGE, MEM_COMMIT, PAGE_READWRITE)
      assert.equal(
        told.map(({ available }) => available),
        limit === 0 ? [] : [limit - PAGE]
      )
      assert.is(world.ce.HeapCreate(0, 0, 0), 0)
      assert.is(told.length, 1)
    }
  }
})

hibernate('C-71: lowMemory above physical is misuse, since it could never be told; a budget lowered below it is told at once', () => {
  const place = places[0] as (typeof places)[number]
  const message = 'lowMemory: expected a whole number from 0 to 262144, got 262145'
  refuses(() => open(place, { physical: 256 * KB, lowMemory: 256 * KB + 1 }), RangeError, message)
  const world = open(place, { physical: 1024 * KB, lowMemory: 512 * KB })
  const told: number[] = []
  world.process.onHibernate(({ available }) => told.push(available))
  world.process.setPhysical(256 * KB)
  assert.equal(told, [256 * KB - world.process.snapshot().committed])
  world.process.setPhysical(128 * KB)
  world.ce.VirtualAlloc(0, 512 * KB, BOTH, PAGE_READWRITE)
  assert.is(told.length, 1, 'it is low all the time')
  world.process.setPhysical(1024 * KB)
  world.process.setPhysical(256 * KB)
  assert.is(told.length, 2)
  world.process.check()
})

hibernate('options and listeners of the wrong kind are misuse', () => {
  const place = places[0] as (typeof places)[number]
  refuses(() => open(place, { lowMemory: -1 }), RangeError, 'lowMemory: expected a whole number from 0 to 4194304, got -1')
  const { process } = open(place)
  refuses(() => process.onHibernate(3 as unknown as () => void), TypeError, 'onHibernate: listener: expected a function, got 3')
  process.close()
  refuses(() => process.onHibernate(() => undefined), TypeError, /^onHibernate: expected an open process/)
})
hibernate.run()
