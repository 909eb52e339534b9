import { MEM_COMMIT, MEM_RESERVE, PAGE_EXECUTE_READ, PAGE_GUARD, PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE } from '../../src/index.ts'
import type { World } from './world.ts'

const PAGE = 4096

/** Addresses at which a call cannot write `bytes` bytes, each with why. Whatever they need is made in the process. */
export function badPlaces({ ce, process }: World, bytes: number): [why: string, address: number][] {
  const page = (protection: number): number => ce.VirtualAlloc(0, PAGE, MEM_RESERVE | MEM_COMMIT, protection)
  const end = process.snapshot().memory
  const reserved = ce.VirtualAlloc(0, 2 * PAGE, MEM_RESERVE, PAGE_READWRITE)
  ce.VirtualAlloc(reserved, PAGE, MEM_COMMIT, PAGE_READWRITE)
  return [
    ['NULL', 0],
    ['in the first 64 KB', 0x1000],
    ['reserved', reserved + PAGE],
    ['half on a reserved page', reserved + PAGE - bytes + 1],
    ['half behind the reservation', page(PAGE_READWRITE) + PAGE - 1],
    ['read-only', page(PAGE_READONLY)],
    ['code', page(PAGE_EXECUTE_READ)],
    ['no access', page(PAGE_NOACCESS) + 8],
    ['a guard page', page(PAGE_READWRITE | PAGE_GUARD) + 8],
    ['free', end - 8 * PAGE],
    ['at the end of memory', end - bytes + 1],
    ['behind the end of memory', end],
    ['at the end of 4 GB', 0xffffffff]
  ]
}
