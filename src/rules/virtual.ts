import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce30, ce60, ceOld, header, msdn, noPage, virtualFreePage } from './source.ts'

export const virtualAlloc: readonly Rule[] = section('VirtualAlloc', [
  rule('VA-1', 'documented', '2013', 'emulated', {
    statement: 'VirtualAlloc is LPVOID VirtualAlloc(LPVOID lpAddress, DWORD dwSize, DWORD flAllocationType, DWORD flProtect).',
    source: ce2013('ee488564')
  }),
  rule('VA-2', 'documented', 'all', 'emulated', {
    statement: 'Memory from VirtualAlloc is zeroed.',
    value: '0',
    source: ce2013('ee488564'),
    seeAlso: ['C-19']
  }),
  rule('VA-3', 'documented', '3.0 to 2013', 'emulated', {
    statement: "A reservation's address is rounded down to 64 KB, a commit's to a page. With a NULL address the system chooses the place.",
    value: '0x10000 for a reservation, 0x1000 for a commit',
    source: ce2013('ee488564'),
    seeAlso: ['C-30', 'C-51', 'W-17']
  }),
  rule('VA-4', 'documented', '5.0 to 2013', 'emulated', {
    statement: 'VirtualAlloc of 0 bytes is an error.',
    source: ce2013('ee488564'),
    seeAlso: ['W-20']
  }),
  rule('VA-5', 'documented', '3.0 to 2013', 'emulated', {
    statement:
      'With a NULL address the size is rounded up to a page; otherwise every page that the range from lpAddress to lpAddress + ' +
      'dwSize touches is affected.',
    value: '4096',
    source: ce2013('ee488564')
  }),
  rule('VA-6', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'A page is always 4096 bytes.',
    value: '0x1000',
    source: [ce60('ee482770'), ceOld('aa450669')],
    seeAlso: ['HC-2']
  }),
  rule('VA-7', 'old', '3.0', 'background', {
    statement: 'CE 3.0 had pages of 1 KB or 4 KB, depending on the processor.',
    value: '1024 or 4096',
    source: 'https://www.oreilly.com/library/view/windows-ce-30/0130255920/0130255920_ch12lev1sec2.html',
    seeAlso: ['VA-6']
  }),
  rule('VA-8', 'documented', '4.x, 5.0', 'emulated', {
    statement: 'MEM_COMMIT on pages that are committed already does not fail.',
    value: 'MEM_COMMIT 0x1000',
    source: ceOld('aa450975')
  }),
  rule('VA-9', 'documented', '4.x, 5.0', 'emulated', {
    statement: 'A range reserved with MEM_RESERVE is not available to malloc or LocalAlloc until it is released.',
    value: 'MEM_RESERVE 0x2000',
    source: ceOld('aa450975')
  }),
  rule('VA-10', 'documented', '4.x', 'emulated', {
    statement: 'MEM_TOP_DOWN is listed: it asks for the highest possible address.',
    value: 'MEM_TOP_DOWN 0x100000',
    source: 'https://msdn.microsoft.com/en-us/library/ms918445.aspx'
  }),
  rule('VA-11', 'documented', '4.x', 'emulated', {
    statement: 'MEM_RESET is not supported.',
    value: 'MEM_RESET 0x80000',
    source: 'https://msdn.microsoft.com/en-us/library/ms918445.aspx',
    seeAlso: ['W-20']
  }),
  rule('VA-12', 'silent', '', 'background', {
    statement: 'No public page documents MEM_AUTO_COMMIT or its number.',
    source: noPage
  }),
  rule('VA-13', 'silent', '<=5.0', 'background', {
    statement:
      "Up to CE 5.0 memory can be requested outside the process's 32 MB slot. The rule often told of it (a reservation of 2 MB or " +
      'more with PAGE_NOACCESS goes to the shared large-memory area) was not found on a page that could be read.',
    value: '2 MB',
    source: ceOld('aa450669')
  }),
  rule('VA-14', 'documented', '2013', 'background', {
    statement: 'The Compact 2013 page adds that memory from VirtualAlloc leaks unless VirtualFree or VirtualFreeEx frees it.',
    source: ce2013('ee488564')
  }),
  rule('VA-15', 'header', 'all', 'emulated', {
    statement: 'The numbers of the page protections and of the memory states.',
    value:
      'PAGE_NOACCESS 0x1, PAGE_READONLY 0x2, PAGE_READWRITE 0x4, PAGE_WRITECOPY 0x8, PAGE_EXECUTE 0x10, PAGE_EXECUTE_READ 0x20, ' +
      'PAGE_EXECUTE_READWRITE 0x40, PAGE_EXECUTE_WRITECOPY 0x80, PAGE_GUARD 0x100, PAGE_NOCACHE 0x200, PAGE_PHYSICAL 0x400 (CE ' +
      'only); MEM_DECOMMIT 0x4000, MEM_RELEASE 0x8000, MEM_FREE 0x10000, MEM_PRIVATE 0x20000, MEM_MAPPED 0x40000, MEM_IMAGE ' +
      '0x01000000',
    source: header('winnt.h')
  })
])

export const virtualFree: readonly Rule[] = section('VirtualFree', [
  rule('VF-1', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'VirtualFree is BOOL VirtualFree(LPVOID lpAddress, DWORD dwSize, DWORD dwFreeType).',
    source: virtualFreePage
  }),
  rule('VF-2', 'documented', '1.0 to 2013', 'emulated', {
    statement: 'With MEM_RELEASE the size must be 0 and the address the base that the reservation returned; anything else fails.',
    value: 'MEM_RELEASE 0x8000',
    source: virtualFreePage
  }),
  rule('VF-3', 'documented', '1.0 to 2013', 'emulated', {
    statement: 'With MEM_DECOMMIT, pages that are not committed do not make the call fail; every page that the range touches is affected.',
    value: 'MEM_DECOMMIT 0x4000',
    source: virtualFreePage
  }),
  rule('VF-4', 'documented', '3.0 to 6.0', 'emulated', {
    statement: 'VirtualFree takes exactly one of MEM_DECOMMIT and MEM_RELEASE.',
    source: [virtualFreePage, ce30('wcesdkrvirtualfree')]
  }),
  rule('VF-5', 'documented', '5.0, 6.0', 'emulated', {
    statement:
      'To be released, all pages of a region must be in the same state, all reserved or all committed, and the entire region goes ' +
      'at once. A partly committed region must therefore be decommitted first.',
    source: ceOld('aa450979'),
    seeAlso: ['W-19']
  }),
  rule('VF-6', 'documented', 'all', 'emulated', {
    statement: 'VirtualFree returns nonzero for success and 0 for failure; GetLastError then tells more.',
    value: '0',
    source: ceOld('aa450979')
  })
])

export const virtualProtect: readonly Rule[] = section('VirtualProtect', [
  rule('VP-1', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'VirtualProtect is BOOL VirtualProtect(LPVOID, DWORD, DWORD flNewProtect, PDWORD lpflOldProtect), for committed pages.',
    source: [ceOld('aa450980'), ce60('ee488353')]
  }),
  rule('VP-2', 'documented', '3.0 to 6.0', 'emulated', {
    statement:
      'All pages of one VirtualProtect call must come from one VirtualAlloc call; the range may not span neighbouring allocations.',
    source: [ceOld('aa450980'), ce60('ee488353')],
    seeAlso: ['W-20']
  }),
  rule('VP-3', 'documented', '3.0 to 6.0', 'emulated', {
    statement:
      'The flag lists of VirtualProtect for CE 5.0 and 6.0, as far as they could be read, name PAGE_READONLY, PAGE_EXECUTE, ' +
      'PAGE_EXECUTE_READ, PAGE_GUARD and PAGE_NOCACHE; the list of 3.0 also had PAGE_READWRITE and PAGE_WRITECOPY. A missing flag ' +
      'is no proof that it is refused.',
    source: [ceOld('aa450980'), ce60('ee488353')]
  }),
  rule('VP-4', 'documented', '6.0', 'emulated', {
    statement:
      'PAGE_GUARD is an alarm that goes off once, raising STATUS_GUARD_PAGE. It only modifies another protection and never goes ' +
      'with PAGE_NOACCESS.',
    value: 'PAGE_GUARD 0x100; 0x80000001 is the standard number of the exception',
    source: ce60('ee488232')
  })
])

export const virtualQuery: readonly Rule[] = section('VirtualQuery', [
  rule('VQ-1', 'documented', '1.0 to 6.0', 'emulated', {
    statement:
      'VirtualQuery is DWORD VirtualQuery(LPCVOID, PMEMORY_BASIC_INFORMATION, DWORD). It rounds the address down to a page, ' +
      'describes the run of like pages from there, and returns the number of bytes written.',
    value: '28 bytes (7 DWORDs)',
    source: [ceOld('aa450981'), ce60('ee488918')]
  }),
  rule('VQ-2', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'The field AllocationProtect of MEMORY_BASIC_INFORMATION is not supported on CE and must not be read.',
    source: [ceOld('ms886752'), ce60('ee488437')],
    seeAlso: ['W-20']
  })
])

export const virtualAllocEx: readonly Rule[] = section('VirtualAllocEx and CeVirtualSharedAlloc', [
  rule('VX-1', 'documented', '6.0 to 2013', 'emulated', {
    statement:
      'CE 6.0 and later add VirtualAllocEx, VirtualFreeEx, VirtualProtectEx, VirtualCopyEx and VirtualAllocCopyEx, whose process ' +
      'parameter is an id or a handle from OpenProcess.',
    source: ce2013('ee488440'),
    seeAlso: ['C-94']
  }),
  rule('VX-2', 'documented', '5.0, 6.0', 'emulated', {
    statement:
      'CeVirtualSharedAlloc(address, size, action) gives memory that its caller may read and write and others may only read. ' +
      'MEM_RESERVE wants a NULL address, action 0 reserves and commits, and VirtualFree frees it.',
    value: 'ERROR_ACCESS_DENIED (5) when not trusted; kernel mode only from 6.0 on',
    source: [ceOld('ms885157'), msdn('bb202780')],
    seeAlso: ['W-25']
  })
])

export const addressSpace: readonly Rule[] = section('Address space', [
  rule('VL-1', 'documented', '<=5.0', 'emulated', {
    statement:
      'CE up to 5.0 runs at most 32 processes with 32 MB of address space each, all in one map of 4 GB, with the current process ' +
      'mirrored in slot 0.',
    value: '32 processes, 32 MB each',
    source: [ce60('ee483001'), ceOld('aa450669')],
    seeAlso: ['VL-2', 'C-29', 'W-18']
  }),
  rule('VL-2', 'documented', '6.0+', 'emulated', {
    statement: 'From CE 6.0 on the kernel has the upper 2 GB and each process its own lower 2 GB, with room for about 32,000 processes.',
    value: '2 GB',
    source: ce60('ee483001'),
    seeAlso: ['VL-1', 'C-29']
  }),
  rule('VL-3', 'documented', '6.0', 'emulated', {
    statement:
      'The bottom 64 KB of the address space are always free. The program, its stack and its heap are mapped from the bottom up, ' +
      'DLLs at 0x40000000 to 0x5FFFFFFF.',
    value: '0x0 to 0xFFFF free',
    source: ce60('ee482940')
  }),
  rule('VL-4', 'silent', '6.0', 'background', {
    statement: 'The row of the CE 6.0 memory map that gives the range of the shared system heap could not be read.',
    source: [ce60('ee483001'), 'in a part that could not be read']
  }),
  rule('VL-5', 'derived', '<=5.0', 'background', {
    statement:
      'Each VirtualAlloc of a few bytes at a NULL address uses 64 KB of address space, so a CE 5.0 process has room for 512 ' +
      'reservations at most.',
    value: '512',
    source: ['VA-3', 'VL-1'],
    seeAlso: ['VA-3', 'VL-1', 'W-17']
  })
])
