import { REC, recordAt, heapCount } from '../heap/record.ts'
import { blocksOf } from '../heap/walk.ts'
import { HDR, HEAP_WORDS, PAGE, UNIT_WORDS } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { PAGE_COMMITTED, pageState } from '../machine/pages.ts'
import { SEC, sectionRecords } from '../machine/sectiontable.ts'
import { liveThreads, THREAD, threadAt } from '../machine/threads.ts'

/** Two independent 32-bit multiplicative hashes over the same words; enough to tell images apart, not to resist an attacker. */
class Hash {
  #a = 0x811c9dc5
  #b = 0x9e3779b9

  add(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193)
    this.#a ^= this.#a >>> 15
    this.#b = Math.imul(this.#b + word, 0x85ebca6b)
    this.#b ^= this.#b >>> 13
  }

  range(words: Int32Array, from: number, to: number): void {
    for (let at = from; at < to; at++) this.add(words[at] as number)
  }

  toString(): string {
    return [this.#a, this.#b].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('')
  }
}

/**
 * One string over all emulated state: options, threads with their last errors, reservations, pages, heaps with the order of their free
 * lists, blocks, critical sections, the task allocator's spy and its marks, what CLR hosts have handed out, and the contents of every
 * committed page. Lock words are left out: the thread that asks holds them all.
 */
export function hashImage(machine: Machine): string {
  const hash = new Hash()
  const { sys, map } = machine
  hash.range(sys, HDR.UNITS, HDR.LOCK)
  hash.range(sys, HDR.PROFILE, HDR.THREADS)
  hash.range(sys, HDR.SPY, HDR.SPY_BLOCKS)
  hash.range(sys, HDR.HOST_BYTES, HDR.HOST_GIVEN)
  for (const tid of liveThreads(machine)) {
    hash.add(tid)
    hash.add(sys[threadAt(machine, tid) + THREAD.LAST_ERROR] as number)
  }
  hash.range(machine.units, 0, machine.layout.units * UNIT_WORDS)
  hash.range(machine.pages, 0, machine.layout.pages)
  for (let index = 0; index < heapCount(machine); index++) {
    const record = recordAt(machine, index)
    // A record that never was a heap's is no state: a HeapCreate that failed changes nothing.
    if (sys[record + REC.GENERATION] === 0) continue
    hash.add(index)
    for (let field: number = REC.HANDLE; field < HEAP_WORDS; field++) {
      // GRANTS counts for a schedule; HOT follows from the rest, but for injected failures, which are no state of the process; a segregated heap has no rover.
      if (field !== REC.HOT && field !== REC.GRANTS && (field !== REC.ROVER || sys[record + REC.NEXT_FIT] !== 0))
        hash.add(sys[record + field] as number)
    }
    for (const block of blocksOf(machine, record)) {
      // What the index does not use of a free block's entry is left over from earlier blocks.
      const words = block.state !== 'free' ? 3 : sys[record + REC.NEXT_FIT] === 0 ? 2 : 1
      const at = block.address >>> 3
      for (let word = 0; word < words; word++) hash.add(map[at + word] as number)
    }
  }
  for (const at of sectionRecords(machine)) hash.range(sys, at + SEC.HANDLE, at + SEC.CONTENDED + 1)
  if (sys[HDR.SPY_BLOCKS] !== 0) {
    for (const [block, mark] of machine.marks.entries()) {
      if (mark === 0) continue
      hash.add(block)
      hash.add(mark)
    }
  }
  for (let page = 0; page < machine.layout.pages; page++) {
    if (pageState(machine, page) === PAGE_COMMITTED) hash.range(machine.words, (page * PAGE) / 4, ((page + 1) * PAGE) / 4)
  }
  return hash.toString()
}
