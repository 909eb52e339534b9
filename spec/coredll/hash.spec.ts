// What the image hash takes in of a process, and what it leaves out: two processes have one hash if nothing that a program can do will tell them apart.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCom } from '../../src/com/index.ts'
import {
  attachThread,
  type CeThread,
  CRITICAL_SECTION,
  createProcess,
  HEAP_ZERO_MEMORY,
  MEM_RESERVE,
  PAGE_NOACCESS,
  type Placement
} from '../../src/index.ts'
import { Witness } from '../../src/mixed/spies.ts'

const MB = 1024 * 1024

/** The image of a process in which `run` was done; `heap` is one of its heaps. */
function imageOf(run: (ce: CeThread, heap: number) => void, placement: Placement = 'segregated'): string {
  const process = createProcess({ memory: MB, placement })
  run(process.thread, process.thread.HeapCreate(0, 0, 0))
  process.check()
  return process.imageHash()
}

const hash = suite('imageHash')

hash('has 16 digits, zeros in front included', () => {
  const process = createProcess({ memory: 0x20000 })
  const seen = new Set<string>()
  for (let code = 0; code < 100; code++) {
    process.thread.SetLastError(code)
    const image = process.imageHash()
    assert.match(image, /^[0-9a-f]{16}$/, `last error ${code}`)
    seen.add(image)
  }
  assert.is(seen.size, 100)
})

hash('has the same digits for the same calls on every machine: whoever changes what is in the image notes them anew', () => {
  const digits = (placement: Placement): string =>
    imageOf((ce, heap) => {
      const fixed = ce.HeapCreate(0, 0, 0x4000)
      const blocks = [100, 3000, 0x20000].map((bytes) => ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, bytes))
      ce.HeapFree(heap, 0, blocks[1] as number)
      ce.memory.fill(ce.HeapAlloc(fixed, 0, 50), 7, 50)
      ce.InitializeCriticalSection(ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, CRITICAL_SECTION.size))
      assert.is.not(ce.VirtualAlloc(0, 0x11000, MEM_RESERVE, PAGE_NOACCESS), 0)
      const { CoRegisterMallocSpy, CoTaskMemAlloc } = openCom(ce)
      CoRegisterMallocSpy(new Witness())
      CoTaskMemAlloc(10)
      ce.SetLastError(5)
    }, placement)
  assert.equal([digits('segregated'), digits('next-fit')], ['3c52fecc6b2b58c7', 'e51c7959c357e319'])
})

hash('takes in how reserved address space is divided, though every page is as before', () => {
  const reserving = (...sizes: number[]): string =>
    imageOf((ce) => {
      for (const size of sizes) assert.is.not(ce.VirtualAlloc(0, size, MEM_RESERVE, PAGE_NOACCESS), 0)
    })
  assert.is(new Set([reserving(0x30000), reserving(0x10000, 0x20000), reserving(0x20000, 0x10000)]).size, 3)
})

for (const placement of ['segregated', 'next-fit'] as const) {
  hash(`leaves out what an earlier block has left where a free block begins [${placement}]`, () => {
    const used = (...sizes: number[]): string =>
      imageOf((ce, heap) => {
        for (const bytes of sizes) ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, bytes))
      }, placement)
    assert.is(used(40, 60), used(60, 40))
    assert.is.not(used(40, 60), used(40, 40), 'the most bytes that were live at once are of the heap')
  })

  hash(`leaves out what earlier blocks have left inside a live one [${placement}]`, () => {
    const filled = (...sizes: number[]): string =>
      imageOf((ce, heap) => {
        const blocks = sizes.map((bytes) => ce.HeapAlloc(heap, 0, bytes))
        for (const block of blocks) ce.HeapFree(heap, 0, block)
        assert.is(ce.HeapAlloc(heap, 0, 96), blocks[0], 'where the first of them was')
      }, placement)
    assert.is(filled(32, 32, 32), filled(96))
  })
}

hash('takes in which memory a critical section is initialized in, though the program has moved its bytes', () => {
  const moved = (from: number, to: number): string =>
    imageOf((ce, heap) => {
      const block = ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, 64)
      ce.InitializeCriticalSection(block + from)
      const bytes = ce.memory.read(block + from, CRITICAL_SECTION.size)
      ce.memory.fill(block + from, 0, CRITICAL_SECTION.size)
      ce.memory.write(block + to, bytes)
    })
  assert.is.not(moved(0, 32), moved(32, 32))
  assert.is.not(moved(32, 0), moved(0, 0))
})

hash('takes in which blocks the spy of the task allocator has seen allocated (SP-16)', () => {
  const spied = (...seen: boolean[]): string =>
    imageOf((ce) => {
      const { CoRegisterMallocSpy, CoTaskMemAlloc } = openCom(ce)
      CoRegisterMallocSpy(new Witness())
      for (const one of seen) assert.is.not(one ? CoTaskMemAlloc(10) : ce.LocalAlloc(0, 10), 0)
    })
  const images = [spied(true, false, false), spied(false, true, false), spied(false, false, true)]
  assert.is(new Set(images).size, 3)
})

hash('takes in where inside a block the spy has handed it out (SP-15)', () => {
  const behind = (bytes: number): string =>
    imageOf((ce) => {
      const { CoRegisterMallocSpy, CoTaskMemAlloc } = openCom(ce)
      const spy = new Witness()
      spy.PostAlloc = (pActual) => pActual + bytes
      CoRegisterMallocSpy(spy)
      assert.is.not(CoTaskMemAlloc(64), 0)
    })
  assert.is.not(behind(8), behind(16))
})

hash('takes in where the next search of a next-fit heap begins, though every block lies where it was', () => {
  const refilled = (hole: number, placement: Placement): string =>
    imageOf((ce) => {
      const heap = ce.HeapCreate(0, 0x1000, 0x1000)
      const blocks: number[] = []
      for (let block = ce.HeapAlloc(heap, 0, 64); block !== 0; block = ce.HeapAlloc(heap, 0, 64)) blocks.push(block)
      ce.HeapFree(heap, 0, blocks[hole] as number)
      assert.is(ce.HeapAlloc(heap, 0, 64), blocks[hole])
    }, placement)
  assert.is.not(refilled(2, 'next-fit'), refilled(5, 'next-fit'))
  assert.is(refilled(2, 'segregated'), refilled(5, 'segregated'), 'the other placement has no such place')
})

hash('leaves out threads that have come and gone', () => {
  const process = createProcess({ memory: MB })
  const image = process.imageHash()
  const ce = attachThread(process.share())
  assert.is.not(process.imageHash(), image)
  ce.detach()
  assert.is(process.imageHash(), image)
})

hash('leaves out findings that have been told, in a process as well that has asked for as many heaps as it has units', () => {
  const process = createProcess({ memory: 0x20000 })
  const { thread } = process
  assert.is(thread.HeapCreate(0, 0, 0), 0, 'there is no room for a second one')
  thread.SetLastError(0)
  const told: string[] = []
  process.onFinding(({ call, thread }) => told.push(`${call} of ${thread}`))
  const two = attachThread(process.share())
  const image = process.imageHash()
  two.HeapFree(two.GetProcessHeap(), 0, 1)
  two.SetLastError(0)
  process.drainFindings()
  assert.equal(told, [`HeapFree of ${two.tid}`])
  assert.is(process.imageHash(), image)
})

hash('leaves out how often sections were entered, which a recorded process counts', () => {
  const process = createProcess({ memory: MB, schedule: 'recorded', threads: 1, program: 'spec' })
  const ce = attachThread(process.share())
  const heap = ce.HeapCreate(0, 0, 0)
  const block = ce.HeapAlloc(heap, 0, 10)
  const size = ce.HeapSize(heap, 0, block)
  const image = process.imageHash()
  for (let n = 0; n < 3; n++) assert.is(ce.HeapSize(heap, 0, block), size)
  assert.is(process.imageHash(), image)
})
hash.run()
