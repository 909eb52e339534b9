import type { Machine } from './machine.ts'

/** From this many bytes on a call into wasm costs less than the loop. */
const BULK = 512

/** Zeroes `length` bytes from `address`; both multiples of 32. */
export function zeroGranules(machine: Machine, address: number, length: number): void {
  if (length >= BULK && machine.bulk !== undefined) machine.bulk.zero(address, length)
  else zeroByStores(machine.doubles, address >>> 3, (address + length) >>> 3)
}

/** Eight stores a turn: TypedArray.fill is an order of magnitude slower on shared memory (bench `zeroed 64 KB`). */
function zeroByStores(doubles: Float64Array, from: number, end: number): void {
  let at = from
  for (; at + 8 <= end; at += 8) {
    doubles[at] = 0
    doubles[at + 1] = 0
    doubles[at + 2] = 0
    doubles[at + 3] = 0
    doubles[at + 4] = 0
    doubles[at + 5] = 0
    doubles[at + 6] = 0
    doubles[at + 7] = 0
  }
  for (; at < end; at++) doubles[at] = 0
}

/** Copies `length` bytes between granules that do not overlap; all multiples of 32. */
export function copyGranules(machine: Machine, to: number, from: number, length: number): void {
  if (length >= BULK && machine.bulk !== undefined) machine.bulk.copy(to, from, length)
  else copyByWords(machine.words, to >>> 2, from >>> 2, (from + length) >>> 2)
}

/** Integers, not doubles: a double that is read and written may lose the bits of a NaN. */
function copyByWords(words: Int32Array, to: number, from: number, end: number): void {
  let target = to
  for (let source = from; source < end; source += 8, target += 8) {
    words[target] = words[source] as number
    words[target + 1] = words[source + 1] as number
    words[target + 2] = words[source + 2] as number
    words[target + 3] = words[source + 3] as number
    words[target + 4] = words[source + 4] as number
    words[target + 5] = words[source + 5] as number
    words[target + 6] = words[source + 6] as number
    words[target + 7] = words[source + 7] as number
  }
}
