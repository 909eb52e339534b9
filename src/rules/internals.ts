import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce30, ce60, ceOld, csdn, dungeon, heapSizeWm65Page, msdn, noPage } from './source.ts'

export const internals: readonly Rule[] = section('Inside the heap', [
  rule('HI-1', 'documented', '3.0 to WM6.5', 'emulated', {
    statement: 'A heap has only fixed blocks, which never move, so it fragments; a page is given back only when all of it is free.',
    source: [ceOld('aa450550'), msdn('bb202725')],
    seeAlso: ['W-23']
  }),
  rule('HI-2', 'documented', '5.0', 'emulated', {
    statement:
      'CE 5.0 keeps all blocks of a heap in one singly linked list and takes the first that fits. Free blocks are merged forward on ' +
      'every allocation and free, and each search starts at the item last allocated or freed, which makes it next-fit.',
    source: ceOld('aa450550'),
    seeAlso: ['C-25']
  }),
  rule('HI-3', 'documented', '5.0', 'background', {
    statement:
      'The page on the heap of CE 5.0 says that its scheme suits small blocks, that freeing in the reverse order of allocation ' +
      'merges best, and that a large heap saves address space but is slower.',
    source: ceOld('aa450550'),
    seeAlso: ['HI-2']
  }),
  rule('HI-4', 'documented', '3.0', 'background', {
    statement: 'On CE 3.0 the process heap first reserves 384 pages of 1 KB.',
    value: '384 KB',
    source: ce30('wcekernheaps')
  }),
  rule('HI-5', 'documented', '5.0', 'emulated', {
    statement: 'On CE 5.0 the heap first reserves 192 KB of address space and commits it as it is used.',
    value: '192 KB',
    source: ceOld('aa450550'),
    seeAlso: ['C-24']
  }),
  rule('HI-6', 'secondary', '3.0-5.0 era', 'background', {
    statement: "Boling's book says that 192,512 bytes are reserved and that the heap is grown beyond 188 KB.",
    value: '192,512 bytes',
    source: csdn('whw8007/article/details/8865740'),
    seeAlso: ['HI-5']
  }),
  rule('HI-7', 'secondary', 'Compact 7', 'emulated', {
    statement:
      'A Compact 7 textbook says that a heap first reserves 64 KB, that the system uses VirtualAlloc beyond 64 KB in the local ' +
      'heap, and that the initial and the maximum size may be set at creation. The same chapter repeats the old figure of 192 KB.',
    value: '64 KB',
    source: csdn('weixin_34402408/article/details/91603146'),
    seeAlso: ['HI-12', 'C-23', 'C-24']
  }),
  rule('HI-8', 'documented', '3.0+', 'emulated', {
    statement: 'A heap grows by further regions that need not lie next to the first, so code must not assume one range of addresses.',
    source: ce30('wcekernheaps')
  }),
  rule('HI-9', 'documented', '6.0, WM6.5; Compact 7 by a secondary source', 'emulated', {
    statement:
      'In CE 6.0 and Windows Mobile 6.5 heap blocks are not aligned to 64 KB and are meant for sizes below 16 KB. For anything ' +
      'above 16 KB the heap manager takes virtual memory directly, in a separate region for that block.',
    value: '16 KB = 16,384 bytes',
    source: [ce60('ee482752'), msdn('bb202725')],
    seeAlso: ['HI-12', 'C-23', 'W-17']
  }),
  rule('HI-10', 'documented', '5.0 to 2013', 'emulated', {
    statement: 'The pages of the heap functions say that requests above 0x18000 bytes go to VirtualAlloc.',
    value: '98,304 bytes (96 KB)',
    source: 'HC-6',
    seeAlso: ['HC-6', 'HI-12', 'C-23', 'W-17']
  }),
  rule('HI-11', 'old', '2.x-3.0', 'emulated', {
    statement: 'In CE 2.x and 3.0 a request above 192 KB goes to VirtualAlloc.',
    value: '196,608 bytes',
    source: dungeon('msdn-2000-04/wcecore/htm/prog_mem_2.content.htm'),
    seeAlso: ['HI-12', 'C-23', 'W-17']
  }),
  rule('HI-12', 'derived', '', 'emulated', {
    statement:
      'The sources disagree on the size above which a block leaves the heap: 16 KB, 64 KB, 96 KB or 192 KB. The limit is therefore ' +
      'a setting of the profile.',
    source: ['HI-7', 'HI-9', 'HI-10', 'HI-11'],
    seeAlso: ['HI-7', 'HI-9', 'HI-10', 'HI-11', 'C-23']
  }),
  rule('HI-13', 'documented', '2013', 'later', {
    statement: 'Big blocks show in tool help as LF32_BIGBLOCK, decommitted runs as LF32_DECOMMIT.',
    source: ce2013('ee488609'),
    seeAlso: ['TH-13']
  }),
  rule('HI-14', 'documented', '6.0', 'background', {
    statement: 'The advice of the CE 6.0 pages: put objects of the same size into a heap of their own to avoid fragmentation.',
    source: ce60('ee482752'),
    seeAlso: ['W-23']
  }),
  rule('HI-15', 'documented', 'WM6.5 (CE 6.0 R3)', 'emulated', {
    statement: 'Debug builds have heap sentinels, and these make HeapSize and LocalSize exact.',
    source: heapSizeWm65Page,
    seeAlso: ['HS-4', 'C-46']
  }),
  rule('HI-16', 'silent', '', 'background', {
    statement:
      "No public page gives the size, pattern or fill bytes of the sentinels, the size of a block's header, an allocator that a " +
      'device maker can configure, the changes to the heap in CE 6.0 and 7, or what a remote heap is.',
    source: noPage,
    seeAlso: ['EX-5', 'C-22', 'C-46']
  }),
  rule('HI-17', 'documented', '5.0+', 'background', {
    statement: 'A commit threshold of the system means that nothing guarantees the figure that HeapCompact returns.',
    source: ce60('ee488005'),
    seeAlso: ['HP-5']
  }),
  rule('HI-18', 'documented', '2.x+', 'emulated', {
    statement:
      'When memory runs low CE sends WM_HIBERNATE, a message that desktop Windows does not have; programs must free memory on ' +
      'request.',
    value: 'WM_HIBERNATE',
    source: dungeon('msdn-1998-06/CEGuide/devdoc/good/wince/consider_5dv7.content.htm'),
    seeAlso: ['W-24']
  })
])
