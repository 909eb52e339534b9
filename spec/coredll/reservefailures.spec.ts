// Injected failures of requests for address space (DT-2).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ERROR_INVALID_ADDRESS, ERROR_NOT_ENOUGH_MEMORY, MEM_COMMIT, MEM_RESERVE, PAGE_READWRITE } from '../../src/index.ts'
import { provider } from './provider.ts'
import { everywhere } from './world.ts'

const PAGE = 4096
const failures = suite('injectFailures of reservations')

everywhere(failures, 'reserve: whatever needs address space fails, as out of memory, and leaves nothing of it behind', (world) => {
  const { ce, process, heap } = world
  const nothing = { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
  const noBlock = { ...nothing, error: world.allocError(ERROR_NOT_ENOUGH_MEMORY) }
  const block = ce.HeapAlloc(heap, 0, 100)
  const room = ce.VirtualAlloc(0, PAGE, MEM_RESERVE, PAGE_READWRITE)
  const small = world.profile.bigBlock - 4096
  const filling = Math.floor(world.profile.region / small)
  for (let n = 0; n < filling; n++) ce.HeapAlloc(heap, 0, small)
  const injected = process.injectFailures({ on: 'reserve' })
  for (const [call, expected] of [
    [() => ce.VirtualAlloc(0, PAGE, MEM_RESERVE, PAGE_READWRITE), nothing],
    [() => ce.VirtualAlloc(0, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), nothing],
    [() => ce.VirtualAlloc(0x300000, PAGE, MEM_RESERVE, PAGE_READWRITE), nothing],
    [() => ce.HeapCreate(0, 0, 0), nothing],
    [() => ce.HeapCreate(0, 0, 0x10000), nothing],
    // A big block, and a heap that has no room for another one of this size without a region more.
    [() => ce.HeapAlloc(heap, 0, 0x48000), noBlock],
    [() => ce.HeapAlloc(heap, 0, small), noBlock],
    [() => ce.HeapReAlloc(heap, 0, block, 0x48000), nothing]
  ] as const)
    assert.equal(world.answer(call), expected, String(call))
  const { seen } = injected
  assert.equal([injected.failed, seen >= 8], [seen, true])
  assert.is(ce.VirtualAlloc(room, PAGE, MEM_COMMIT, PAGE_READWRITE), room, 'pages of what is reserved are no request')
  assert.is.not(ce.HeapAlloc(heap, 0, 100), 0, 'nor is what the heap has room for')
  assert.equal(
    world.answer(() => ce.VirtualAlloc(room, PAGE, MEM_RESERVE, PAGE_READWRITE)).error,
    ERROR_INVALID_ADDRESS,
    'nor a place that is taken'
  )
  assert.is(injected.seen, seen)
  injected.end()
  for (const bytes of [small, 0x48000]) assert.is.not(ce.HeapAlloc(heap, 0, bytes), 0)
})

everywhere(failures, 'reserve: bytes are those of whole pages, counted and chosen as any other request', (world) => {
  const { ce, process } = world
  const injected = process.injectFailures({ on: 'reserve', minBytes: 2 * PAGE, maxBytes: 4 * PAGE, nth: 2, every: 2, site: 'mapping' })
  const got = (pages: number): boolean => ce.VirtualAlloc(0, pages * PAGE - 1, MEM_RESERVE, PAGE_READWRITE) !== 0
  const done = ce.site('mapping')
  assert.equal([1, 2, 4, 5, 3, 2, 2].map(got), [true, true, false, true, true, false, true])
  done()
  assert.ok(got(2))
  injected.end()
  assert.equal([injected.seen, injected.failed], [5, 2])
})

everywhere(failures, 'reserve: the callbacks of a heap of CeHeapCreate ask as the program does, and the heap hears of it', (world) => {
  const { ce, process } = world
  const { alloc, free } = provider(world)
  const injected = process.injectFailures({ on: 'reserve', nth: 1 })
  assert.is(ce.CeHeapCreate(0, 0, 0, alloc, free), 0)
  assert.is.not(ce.CeHeapCreate(0, 0, 0, alloc, free), 0)
  assert.equal([injected.seen, injected.failed], [2, 1])
  injected.end()
})

failures.run()
