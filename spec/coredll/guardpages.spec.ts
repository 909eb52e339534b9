// A guard page and several threads: whoever comes second to a guard that is just going off finds the page as it is without one.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AccessViolation,
  attachThread,
  createProcess,
  GuardPageException,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_READONLY,
  PAGE_READWRITE
} from '../../src/index.ts'
import type { CeThread } from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'

/** Does `deed` right before the `nth` look at the page table that this thread takes outside of the process section; says afterwards whether there were so many. */
function beforeLook({ machine }: CeThread, nth: number, deed: () => void): () => boolean {
  const { pages } = machine
  let looks = 0
  const watched = new Proxy(pages, {
    get(table, key) {
      if (typeof key === 'string' && /^\d+$/.test(key) && machine.sys[HDR.LOCK] === 0 && ++looks === nth) deed()
      const value: unknown = Reflect.get(table, key)
      return typeof value === 'function' ? value.bind(table) : value
    }
  })
  Object.defineProperty(machine, 'pages', { value: watched, configurable: true, writable: true })
  return () => {
    Object.defineProperty(machine, 'pages', { value: pages, configurable: true, writable: true })
    return looks >= nth
  }
}

/** What a read did: the byte, or the error's class. */
function read(ce: CeThread, at: number): number | string {
  try {
    return ce.memory.readU8(at)
  } catch (error) {
    if (error instanceof GuardPageException) return 'guard'
    if (error instanceof AccessViolation) return 'violation'
    throw error
  }
}

/** The read of a guarded page by one thread, with a deed of another one before its nth look, for all n; undefined where there was no such look. */
function* reads(protection: number, deed: (other: CeThread, page: number) => unknown): Generator<[mine: number | string, theirs: unknown]> {
  for (let nth = 1; ; nth++) {
    const process = createProcess({ memory: 0x40000 })
    const one = process.thread
    const other = attachThread(process.share())
    const page = one.VirtualAlloc(0, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
    one.memory.writeU8(page, 7)
    const old = one.HeapAlloc(one.GetProcessHeap(), 0, 4)
    assert.is(one.VirtualProtect(page, 4096, protection, old), 1)
    let theirs: unknown
    const over = beforeLook(one, nth, () => {
      theirs = deed(other, page)
    })
    const mine = read(one, page)
    if (!over()) return
    process.check()
    yield [mine, theirs]
  }
}

const guards = suite('guard pages')

guards('VP-4: two threads at once: one sets the guard off, the other one reads', () => {
  let moments = 0
  for (const seen of reads(PAGE_READONLY | PAGE_GUARD, read)) {
    moments++
    assert.ok(
      [
        [7, 'guard'],
        ['guard', 7]
      ].some((good) => good[0] === seen[0] && good[1] === seen[1]),
      `before look ${moments}: ${seen.join(', ')}`
    )
  }
  assert.ok(moments >= 2, `${moments} moments`)
})

guards('VP-4: a guard that becomes PAGE_NOACCESS meanwhile is no guard any more', () => {
  const protect = (other: CeThread, page: number): unknown => {
    const old = other.HeapAlloc(other.GetProcessHeap(), 0, 4)
    return other.VirtualProtect(page, 4096, PAGE_NOACCESS, old)
  }
  const seen = [...reads(PAGE_READONLY | PAGE_GUARD, protect)].map(([mine]) => mine)
  assert.ok(seen.length >= 2)
  assert.equal([...new Set(seen)], ['violation'])
})
guards.run()
