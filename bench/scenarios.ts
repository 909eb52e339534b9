import { makeSubject, subjectNames } from './subjects.ts'
import type { SubjectName } from './subjects.ts'

export interface Scenario {
  readonly name: string
  readonly subjects: readonly string[]
  /** Prepares the subject and returns the work: `run(count)` does `count` operations. */
  prepare(subject: string): Promise<(count: number) => void>
}

const ours: readonly SubjectName[] = ['ceheap segregated', 'ceheap next-fit']
const resizers: readonly SubjectName[] = [...ours, '@thi.ng/malloc', 'AssemblyScript TLSF']

/** A seeded sequence: every subject sees the same sizes and the same victims. */
export function sequence(seed: number): (bound: number) => number {
  let state = seed >>> 0
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

const TABLE = 1 << 16

/** Sizes from 16 to 1,024 bytes, log-uniform. */
function logUniformSizes(seed: number): Int32Array {
  const next = sequence(seed)
  return Int32Array.from({ length: TABLE }, () => Math.round(16 * 2 ** (next(6000) / 1000)))
}

/** Allocates 64 bytes and frees them again, among `live` other blocks; an operation is one pair. */
function pair64(live: number): Scenario {
  return {
    name: live === 0 ? '64-byte pair, empty heap' : `64-byte pair, ${live.toLocaleString('en')} live`,
    subjects: subjectNames,
    async prepare(name) {
      const { alloc, free } = await makeSubject(name as SubjectName, 1 << 20, false)
      const sizes = logUniformSizes(5)
      for (let i = 0; i < live; i++) alloc(sizes[i] as number)
      return (count) => {
        for (let i = 0; i < count; i++) free(alloc(64))
      }
    }
  }
}

/** Replaces a random one of `live` blocks by another of a random size; an operation is one free and one alloc. */
function churn(live: number, fill: number | undefined): Scenario {
  return {
    name: fill === undefined ? `churn, ${live.toLocaleString('en')} live` : `churn, ${live.toLocaleString('en')} live, ${fill} % full`,
    subjects: fill === undefined ? subjectNames : ours,
    async prepare(name) {
      const sizes = logUniformSizes(7)
      const next = sequence(11)
      const victims = Int32Array.from({ length: TABLE }, () => next(live))
      const rounded = sizes.reduce((sum, size) => sum + Math.ceil(size / 32) * 32, 0) / TABLE
      // Unfilled heaps get room for twice their blocks and what the peers' headers need.
      const room = Math.ceil((fill === undefined ? live * (rounded + 64) * 2 + 65536 : (live * rounded * 100) / fill) / 4096) * 4096
      const { alloc, free } = await makeSubject(name as SubjectName, room, fill !== undefined)
      const blocks = new Int32Array(live)
      for (let i = 0; i < live; i++) blocks[i] = alloc(sizes[i & (TABLE - 1)] as number)
      let at = 0
      return (count) => {
        for (let i = 0; i < count; i++) {
          at = (at + 1) & (TABLE - 1)
          const victim = victims[at] as number
          const old = blocks[victim] as number
          if (old !== 0) free(old)
          blocks[victim] = alloc(sizes[(at + victim) & (TABLE - 1)] as number)
        }
      }
    }
  }
}

/** One block that grows from 16 to 1,024 bytes by doubling and shrinks again, among 1,000 others; an operation is one resize. */
function resize(): Scenario {
  return {
    name: 'resize 16..1,024, 1,000 live',
    subjects: resizers,
    async prepare(name) {
      const subject = await makeSubject(name as SubjectName, 1 << 22, false)
      const realloc = subject.realloc as (address: number, bytes: number) => number
      const sizes = logUniformSizes(3)
      for (let i = 0; i < 1000; i++) subject.alloc(sizes[i] as number)
      const steps = [16, 32, 64, 128, 256, 512, 1024, 512, 256, 128, 64, 32]
      let block = subject.alloc(16)
      let at = 0
      return (count) => {
        for (let i = 0; i < count; i++) {
          at = at === steps.length - 1 ? 0 : at + 1
          block = realloc(block, steps[at] as number)
        }
      }
    }
  }
}

/** HEAP_ZERO_MEMORY, alloc and free, against Uint8Array.fill of as many bytes in the same shared memory. */
function zeroed(bytes: number): Scenario {
  return {
    name: `zeroed ${bytes / 1024} KB`,
    subjects: ['ceheap segregated', 'Uint8Array.fill'],
    async prepare(name) {
      const subject = await makeSubject('ceheap segregated', 1 << 20, false)
      const memory = subject.bytes as Uint8Array
      const zeroedAlloc = subject.zeroed as (bytes: number) => number
      if (name === 'Uint8Array.fill') {
        const at = zeroedAlloc(bytes)
        return (count) => {
          for (let i = 0; i < count; i++) memory.fill(0, at, at + bytes)
        }
      }
      return (count) => {
        for (let i = 0; i < count; i++) subject.free(zeroedAlloc(bytes))
      }
    }
  }
}

export const scenarios: readonly Scenario[] = [
  pair64(1000),
  pair64(0),
  churn(1_000, undefined),
  churn(10_000, undefined),
  churn(100_000, undefined),
  resize(),
  zeroed(4096),
  zeroed(65536),
  ...[50, 80, 95].flatMap((fill) => [churn(10_000, fill), churn(100_000, fill)])
]
