import { GRANULE } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { binOf } from './bins.ts'
import { granulesOf, isFree } from './block.ts'
import { LEVELS, REC } from './record.ts'

/** The invariants of the segregated index (bins.ts) against the free blocks that a walk found; the first fault in words. */
export function binFault(machine: Machine, record: number, free: readonly number[]): string | undefined {
  const { sys, map } = machine
  const walked = new Set(free)
  let listed = 0
  for (let bin = 0; bin < LEVELS * 32; bin++) {
    const head = sys[record + REC.BINS + bin] as number
    const second = sys[record + REC.SL_MAPS + (bin >>> 5)] as number
    if (((second >>> (bin & 31)) & 1) !== (head === 0 ? 0 : 1)) return `list ${bin}: its bit and its head disagree`
    let previous = 0
    for (let block = head; block !== 0; block = map[(block << 2) + 1] as number) {
      const where = `0x${(block * GRANULE).toString(16)}`
      if (!walked.has(block) || !isFree(machine, block)) return `list ${bin}: ${where} is listed as free but the walk did not find it free`
      if (binOf(granulesOf(machine, block)) !== bin)
        return `list ${bin}: ${where} of ${granulesOf(machine, block)} granules is in the wrong list`
      if (previous !== 0 && map[(block << 2) + 2] !== previous) return `list ${bin}: ${where} names another previous block`
      previous = block
      if (++listed > free.length) return `list ${bin}: goes round in a circle`
    }
  }
  const first = sys[record + REC.FL_MAP] as number
  for (let level = 0; level < LEVELS; level++) {
    if (((first >>> level) & 1) !== (sys[record + REC.SL_MAPS + level] === 0 ? 0 : 1)) return `level ${level}: its bit and its map disagree`
  }
  return listed === free.length ? undefined : `${listed} free blocks listed, ${free.length} found by walking`
}
