import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce30, ce60, ceOld, desktop, header, heapReAllocPage, msdn, noPage } from './source.ts'

export const flags: readonly Rule[] = section('Flags', [
  rule('FL-1', 'documented', '5.0, 6.0; 2013 read for HeapAlloc and HeapFree', 'emulated', {
    statement:
      'HEAP_NO_SERIALIZE is accepted and ignored by HeapCreate, HeapAlloc, HeapReAlloc, HeapFree, HeapSize, HeapCompact and ' +
      'HeapValidate: a CE heap is always locked for the time of a call.',
    value: '0x00000001',
    source: [ce2013('ee488197'), ce2013('ee488228'), ce60('ee488381')],
    seeAlso: ['W-1', 'FL-2']
  }),
  rule('FL-2', 'old', '3.0', 'background', {
    statement: "The pages of CE 3.0 still describe HEAP_NO_SERIALIZE as turning the heap's lock off.",
    value: '0x00000001',
    source: ce30('wcesdkrheapcreate'),
    seeAlso: ['FL-1']
  }),
  rule('FL-3', 'documented', '1.0 to 2013', 'emulated', {
    statement: 'HEAP_ZERO_MEMORY makes HeapAlloc and HeapReAlloc hand out zeroed bytes. Without it the contents are whatever was there.',
    value: '0x00000008',
    source: ce2013('ee488197')
  }),
  rule('FL-4', 'documented', '1.0 to 6.0', 'emulated', {
    statement:
      'HEAP_REALLOC_IN_PLACE_ONLY makes a growing HeapReAlloc fail, with the block unchanged, where the block cannot grow at its ' +
      'place.',
    value: '0x00000010',
    source: heapReAllocPage
  }),
  rule('FL-5', 'documented', '3.0 to 2013', 'emulated', {
    statement:
      'HEAP_GENERATE_EXCEPTIONS stands in no CE flag table, neither of HeapCreate nor of HeapAlloc or HeapReAlloc: on CE a failure ' +
      'is a NULL return, not an exception.',
    value: '0x00000004 on desktop Windows',
    source: [ce2013('ee488197'), desktop('heapapi/nf-heapapi-heapalloc')],
    seeAlso: ['FL-6', 'W-2', 'C-13']
  }),
  rule('FL-6', 'silent', '', 'background', {
    statement:
      'No public page says what CE does when a flag bit is passed that its tables do not list, such as HEAP_GENERATE_EXCEPTIONS: ' +
      'whether the bit is ignored or refused with ERROR_INVALID_PARAMETER.',
    source: noPage,
    seeAlso: ['C-13']
  }),
  rule('FL-7', 'documented', '', 'emulated', {
    statement: 'HEAP_CREATE_ENABLE_EXECUTE stands in no CE flag table.',
    value: '0x00040000 on desktop Windows',
    source: [ce60('ee488381'), desktop('heapapi/nf-heapapi-heapcreate')],
    seeAlso: ['W-3', 'C-13']
  }),
  rule('FL-8', 'documented', '5.0, 6.0, WM6.5', 'emulated', {
    statement:
      'HEAP_SHARED_READONLY, a flag of HeapCreate that only CE has, makes a heap that other processes may read and only its creator ' +
      'may write. Creating and using it needs kernel mode.',
    value: 'ERROR_ACCESS_DENIED (5) for a caller that is not trusted (5.0, 6.0) or not privileged (WM6.5)',
    source: [ceOld('ms885656'), ce60('ee488381'), msdn('aa908731')],
    seeAlso: ['C-16', 'W-25']
  }),
  rule('FL-9', 'documented', '6.0', 'background', {
    statement: 'The write protection of a HEAP_SHARED_READONLY heap binds only threads that are not in kernel mode.',
    source: ce60('ee488381'),
    seeAlso: ['FL-8']
  }),
  rule('FL-10', 'secondary', '', 'emulated', {
    statement: "Microsoft's pages do not give the number of HEAP_SHARED_READONLY; public CE programs pass 0x00001000.",
    value: '0x00001000',
    source: 'sources of public CE programs',
    seeAlso: ['FL-8', 'C-16']
  }),
  rule('FL-11', 'documented', '2013', 'emulated', {
    statement:
      'The flags of a single call override those given to HeapCreate. Since HEAP_NO_SERIALIZE is ignored anyway, this matters only ' +
      'for HEAP_ZERO_MEMORY and HEAP_REALLOC_IN_PLACE_ONLY.',
    source: ce2013('ee488197'),
    seeAlso: ['FL-1', 'FL-3', 'FL-4']
  }),
  rule('FL-12', 'header', '', 'background', {
    statement: 'Headers for CE carry further desktop heap flags; no CE page documents them.',
    value: 'HEAP_GROWABLE 0x2, HEAP_TAIL_CHECKING_ENABLED 0x20, HEAP_FREE_CHECKING_ENABLED 0x40, HEAP_DISABLE_COALESCE_ON_FREE 0x80',
    source: header('winnt.h'),
    seeAlso: ['C-13']
  })
])
