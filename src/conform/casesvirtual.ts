// Virtual memory.
import { caseOf, type ConformCase, family } from './case.ts'

const reserve = 'p = VirtualAlloc(NULL, 0x10000, MEM_RESERVE, PAGE_NOACCESS) -> pointer'
const commit = 'p = VirtualAlloc(NULL, 0x4000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> pointer'
const buffer = 'b = VirtualAlloc(NULL, 0x1000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> pointer'

export const virtualCases: readonly ConformCase[] = family('virtual', [
  caseOf(
    'reserve',
    'VA-1 VA-3 VF-1 VF-6',
    'a reservation begins at a multiple of 64 KB',
    `${reserve}, multiple of 0x10000\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero`
  ),
  caseOf(
    'commit',
    'VA-1 VA-15',
    'committed memory can be written and read',
    `${commit}\nfill(p, 0x4000, 0x52)\nbytes(p, 0x4000) -> all 0x52\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero`
  ),
  caseOf('zero', 'VA-2', 'it is zero at first', `${commit}\nbytes(p, 0x4000) -> all 0`),
  caseOf(
    'zero-again',
    'VA-2',
    'and zero again when it comes back',
    `repeat 10: p = VirtualAlloc(NULL, 0x4000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> pointer; bytes(p, 0x4000) -> all 0; fill(p, 0x4000, 0xEE); VirtualFree(p, 0, MEM_RELEASE) -> nonzero`
  ),
  caseOf(
    'zero-decommitted',
    'VA-2 VF-3',
    'pages that were decommitted are zero when they are committed again',
    `${commit}\nfill(p, 0x4000, 0x99)\nVirtualFree(p, 0x4000, MEM_DECOMMIT) -> nonzero\nVirtualAlloc(p, 0x4000, MEM_COMMIT, PAGE_READWRITE) -> p\nbytes(p, 0x4000) -> all 0`
  ),
  caseOf('size-zero', 'VA-4', 'a size of 0 is an error', 'VirtualAlloc(NULL, 0, MEM_RESERVE, PAGE_NOACCESS) -> NULL'),
  caseOf('size-zero-code', 'C-21', 'of a wrong parameter', 'VirtualAlloc(NULL, 0, MEM_RESERVE, PAGE_NOACCESS) -> NULL, error 87'),
  caseOf(
    'commit-part',
    'VA-3 VA-5',
    'part of a reservation can be committed',
    `${reserve}\nVirtualAlloc(p + 0x2000, 0x1000, MEM_COMMIT, PAGE_READWRITE) -> p + 0x2000\nfill(p + 0x2000, 0x1000, 1)\nbytes(p + 0x2000, 0x1000) -> all 1`
  ),
  caseOf(
    'commit-rounds-down',
    'VA-3',
    'committing rounds the address down to a page',
    `${reserve}\nVirtualAlloc(p + 0x1234, 1, MEM_COMMIT, PAGE_READWRITE) -> p + 0x1000`
  ),
  caseOf(
    'commit-touched',
    'VA-5',
    'every page that the range touches is committed',
    `${reserve}\nVirtualAlloc(p + 0xFFF, 2, MEM_COMMIT, PAGE_READWRITE) -> p\nfill(p, 0x2000, 3)\nbytes(p, 0x2000) -> all 3`
  ),
  caseOf(
    'page',
    'VA-6 VA-5',
    'one byte is a page of 4096',
    'p = VirtualAlloc(NULL, 1, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> pointer\nfill(p, 4096, 5)\nbytes(p, 4096) -> all 5'
  ),
  caseOf(
    'recommit',
    'VA-8',
    'committing committed pages does not fail',
    `${commit}\nfill(p, 0x4000, 0x17)\nVirtualAlloc(p, 0x4000, MEM_COMMIT, PAGE_READWRITE) -> p\nbytes(p, 0x4000) -> all 0x17`
  ),
  caseOf(
    'reserved-apart',
    'VA-9',
    'nothing else is given out of a reserved range',
    `${reserve}\nrepeat 8: q = VirtualAlloc(NULL, 0x10000, MEM_RESERVE, PAGE_NOACCESS) -> pointer, not p\nrepeat 30: x = LocalAlloc(0, 0x1000) -> pointer, not p or p + 0x1000 or p + 0x8000`
  ),
  caseOf(
    'reserve-at',
    'VA-3',
    'an address of a reservation is rounded down to 64 KB',
    `${reserve}\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero\nVirtualAlloc(p + 0x1234, 0x1000, MEM_RESERVE, PAGE_NOACCESS) -> p`
  ),
  caseOf(
    'reserve-taken',
    'VA-9',
    'a range that is reserved is not reserved again',
    `${reserve}\nVirtualAlloc(p, 0x10000, MEM_RESERVE, PAGE_NOACCESS) -> NULL`
  ),
  caseOf(
    'too-large',
    'VA-1 VL-2',
    'more than the address space is refused',
    'VirtualAlloc(NULL, 0xFFFF0000, MEM_RESERVE, PAGE_NOACCESS) -> NULL'
  ),
  caseOf(
    'too-large-32',
    'VL-1',
    'CE 5.0 has no 32 MB to commit in the slot of a program',
    'VirtualAlloc(NULL, 0x2000000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> NULL',
    { profiles: ['ce-5.0'] }
  ),
  caseOf(
    'reservations-512',
    'VL-1 VA-3',
    'each reservation takes 64 KB of the 32 MB of CE 5.0, so there are at most 512',
    'exhaust 513: p = VirtualAlloc(NULL, 1, MEM_RESERVE, PAGE_NOACCESS)',
    { profiles: ['ce-5.0'] }
  ),
  caseOf(
    'reservations-apart',
    'VA-3',
    'reservations of a byte lie 64 KB apart',
    'p = VirtualAlloc(NULL, 1, MEM_RESERVE, PAGE_NOACCESS) -> pointer\nq = VirtualAlloc(NULL, 1, MEM_RESERVE, PAGE_NOACCESS) -> pointer, not p, multiple of 0x10000'
  ),
  caseOf(
    'top-down',
    'VA-10',
    'MEM_TOP_DOWN takes the highest address: what is reserved later lies below',
    'p = VirtualAlloc(NULL, 0x10000, MEM_RESERVE + MEM_TOP_DOWN, PAGE_NOACCESS) -> pointer\nVirtualAlloc(NULL, 0x10000, MEM_RESERVE, PAGE_NOACCESS) -> pointer, < p\nVirtualAlloc(NULL, 0x10000, MEM_RESERVE + MEM_TOP_DOWN, PAGE_NOACCESS) -> pointer, < p'
  ),
  caseOf('reset', 'VA-11', 'MEM_RESET is not supported', `${commit}\nVirtualAlloc(p, 0x1000, MEM_RESET, PAGE_READWRITE) -> NULL`),
  caseOf(
    'commit-null',
    'C-20',
    'MEM_COMMIT without an address reserves too',
    'p = VirtualAlloc(NULL, 0x1000, MEM_COMMIT, PAGE_READWRITE) -> pointer\nfill(p, 0x1000, 1)'
  ),
  caseOf('low-64k', 'VL-3', 'the lowest 64 KB are never given', 'VirtualAlloc(0x1000, 0x1000, MEM_RESERVE, PAGE_NOACCESS) -> not 0x1000'),
  caseOf(
    'leak',
    'VA-14 VF-2',
    'released memory comes back, for ever',
    'repeat 100: p = VirtualAlloc(NULL, 0x80000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> pointer; VirtualFree(p, 0, MEM_RELEASE) -> nonzero'
  ),
  caseOf(
    'protection-none',
    'C-66',
    'a protection of 0 is a wrong parameter',
    'VirtualAlloc(NULL, 0x1000, MEM_RESERVE, 0) -> NULL, error 87'
  ),
  caseOf(
    'protection-two',
    'C-66',
    'two protections at once are a wrong parameter',
    'VirtualAlloc(NULL, 0x1000, MEM_RESERVE, PAGE_READONLY + PAGE_EXECUTE) -> NULL, error 87'
  ),
  caseOf(
    'release-size',
    'VF-2',
    'MEM_RELEASE with a size is refused',
    `${reserve}\nVirtualFree(p, 0x10000, MEM_RELEASE) -> 0\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero`
  ),
  caseOf(
    'release-inside',
    'VF-2',
    'MEM_RELEASE of an address inside is refused',
    `${reserve}\nVirtualFree(p + 0x1000, 0, MEM_RELEASE) -> 0\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero`
  ),
  caseOf('release-code', 'VF-6', 'a refusal sets the last error', `${reserve}\nVirtualFree(p, 0x10000, MEM_RELEASE) -> 0, error set`),
  caseOf(
    'release-twice',
    'VF-6',
    'a second release is refused',
    `${reserve}\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero\nVirtualFree(p, 0, MEM_RELEASE) -> 0`
  ),
  caseOf(
    'decommit-uncommitted',
    'VF-3',
    'decommitting what is not committed does not fail',
    `${reserve}\nVirtualFree(p, 0x10000, MEM_DECOMMIT) -> nonzero`
  ),
  caseOf(
    'decommit-touched',
    'VF-3',
    'every page that the range touches is decommitted',
    `${commit}\nfill(p, 0x4000, 7)\nVirtualFree(p + 0xFFF, 2, MEM_DECOMMIT) -> nonzero\nVirtualAlloc(p, 0x4000, MEM_COMMIT, PAGE_READWRITE) -> p\nbytes(p, 0x2000) -> all 0\nbytes(p + 0x2000, 0x2000) -> all 7`
  ),
  caseOf('free-no-flag', 'VF-4', 'neither of the two flags is refused', `${reserve}\nVirtualFree(p, 0, 0) -> 0`),
  caseOf(
    'free-both-flags',
    'VF-4',
    'both of them are refused',
    `${reserve}\nVirtualFree(p, 0, MEM_DECOMMIT + MEM_RELEASE) -> 0\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero`
  ),
  caseOf(
    'release-mixed',
    'VF-5',
    'a partly committed region is not released',
    `${reserve}\nVirtualAlloc(p, 0x1000, MEM_COMMIT, PAGE_READWRITE) -> p\nVirtualFree(p, 0, MEM_RELEASE) -> 0`
  ),
  caseOf(
    'release-mixed-decommit',
    'VF-5',
    'until it is decommitted',
    `${reserve}\nVirtualAlloc(p, 0x1000, MEM_COMMIT, PAGE_READWRITE) -> p\nVirtualFree(p, 0x10000, MEM_DECOMMIT) -> nonzero\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero`
  ),
  caseOf('free-null', 'VF-6', 'NULL is no region', 'VirtualFree(NULL, 0, MEM_RELEASE) -> 0'),
  caseOf(
    'protect',
    'VP-1',
    'VirtualProtect tells the old protection',
    `${buffer}\n${commit}\nVirtualProtect(p, 0x1000, PAGE_READONLY, b) -> nonzero\nread32(b) -> PAGE_READWRITE\nVirtualProtect(p, 0x1000, PAGE_READWRITE, b) -> nonzero\nread32(b) -> PAGE_READONLY`
  ),
  caseOf(
    'protect-noaccess',
    'VP-1 VA-15',
    'a page without access cannot be read',
    `${buffer}\n${commit}\nVirtualProtect(p, 0x1000, PAGE_NOACCESS, b) -> nonzero\ntouch(p) -> EXCEPTION_ACCESS_VIOLATION\ntouch(p + 0x1000) -> 0`
  ),
  caseOf(
    'protect-execute',
    'VP-3',
    'PAGE_EXECUTE_READ can be read',
    `${buffer}\n${commit}\nVirtualProtect(p, 0x1000, PAGE_EXECUTE_READ, b) -> nonzero\ntouch(p) -> 0`
  ),
  caseOf(
    'protect-reserved',
    'VP-1',
    'pages that are not committed have no protection to change',
    `${buffer}\n${reserve}\nVirtualProtect(p, 0x1000, PAGE_READONLY, b) -> 0`
  ),
  caseOf(
    'protect-two',
    'VP-2',
    'pages of two allocations are not changed at once',
    `${buffer}\np = VirtualAlloc(NULL, 0x20000, MEM_RESERVE, PAGE_NOACCESS) -> pointer\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero\nVirtualAlloc(p, 0x10000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> p\nVirtualAlloc(p + 0x10000, 0x10000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> p + 0x10000\nVirtualProtect(p + 0xF000, 0x2000, PAGE_READONLY, b) -> 0`
  ),
  caseOf(
    'guard',
    'VP-4',
    'PAGE_GUARD is an alarm that goes off once',
    `${buffer}\n${commit}\nVirtualProtect(p, 0x1000, PAGE_READWRITE + PAGE_GUARD, b) -> nonzero\ntouch(p) -> EXCEPTION_GUARD_PAGE\ntouch(p) -> 0`
  ),
  caseOf(
    'guard-noaccess',
    'VP-4',
    'PAGE_GUARD does not go with PAGE_NOACCESS',
    `${buffer}\n${commit}\nVirtualProtect(p, 0x1000, PAGE_NOACCESS + PAGE_GUARD, b) -> 0`
  ),
  caseOf(
    'query',
    'VQ-1',
    'VirtualQuery writes 28 bytes',
    `${buffer}\n${commit}\nVirtualQuery(p, b, 28) -> 28\nread32(b) -> p\nread32(b + 12) -> 0x4000\nread32(b + 16) -> MEM_COMMIT\nread32(b + 20) -> PAGE_READWRITE\nread32(b + 28) -> 0`
  ),
  caseOf(
    'query-inside',
    'VQ-1',
    'an address inside is rounded down to its page, and the run goes on from there',
    `${buffer}\n${commit}\nVirtualQuery(p + 0x1234, b, 28) -> 28\nread32(b) -> p + 0x1000\nread32(b + 4) -> p\nread32(b + 12) -> 0x3000`
  ),
  caseOf(
    'query-runs',
    'VQ-1',
    'a run ends where the state changes',
    `${buffer}\n${reserve}\nVirtualAlloc(p, 0x2000, MEM_COMMIT, PAGE_READWRITE) -> p\nVirtualQuery(p, b, 28) -> 28\nread32(b + 12) -> 0x2000\nVirtualQuery(p + 0x2000, b, 28) -> 28\nread32(b + 16) -> MEM_RESERVE\nread32(b + 12) -> 0xE000`
  ),
  caseOf(
    'query-free',
    'VQ-1',
    'what is released is free',
    `${buffer}\n${reserve}\nVirtualFree(p, 0, MEM_RELEASE) -> nonzero\nVirtualQuery(p, b, 28) -> 28\nread32(b + 16) -> MEM_FREE`
  ),
  caseOf(
    'query-allocation-protect',
    'C-64 VQ-2',
    'AllocationProtect is not supported and 0 here',
    `${buffer}\n${commit}\nVirtualQuery(p, b, 28) -> 28\nread32(b + 8) -> 0`
  ),
  caseOf(
    'shared-alloc',
    'VX-2',
    'CeVirtualSharedAlloc is refused to a program that is not trusted',
    'CeVirtualSharedAlloc(NULL, 0x1000, 0) -> NULL, error ERROR_ACCESS_DENIED',
    { profiles: ['compact-2013', 'compact-7', 'ce-6.0'] }
  ),
  caseOf(
    'ex',
    'C-94 VX-1',
    'VirtualAllocEx of the own process is VirtualAlloc',
    'p = VirtualAllocEx(0x42, NULL, 0x1000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> pointer\nfill(p, 0x1000, 2)\nVirtualFreeEx(0x42, p, 0, MEM_RELEASE) -> nonzero',
    { profiles: ['compact-2013', 'compact-7', 'ce-6.0'] }
  )
])
