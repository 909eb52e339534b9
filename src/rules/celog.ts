import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce60, ceOld, ourChoice } from './source.ts'

export const celog: readonly Rule[] = section('CeLog', [
  rule('CL-1', 'documented', '2013', 'background', {
    statement:
      'The trace reader follows this: each event of a CeLog file begins with one little-endian DWORD. Before Compact 2013 the ' +
      'length has bits 0 to 15; in Compact 2013 the length has bits 0 to 11 and the processor bits 12 to 15. In both, bits 16 to 29 ' +
      "are the event's id, bit 30 is reserved and bit 31 says that a time stamp follows.",
    value: 'CEL_HEADER, CEL_HEADER_V3',
    source: [ce2013('ee488389'), ce2013('gg156120')],
    seeAlso: ['CL-9']
  }),
  rule('CL-2', 'documented', '6.0, 2013', 'background', {
    statement:
      "The trace reader follows this: the length counts the event's data alone. Behind the header come, where present, a time stamp " +
      'of 4 bytes, 4 bytes of flag data (2 of real id, 2 of flag) when the id is CELID_FLAGGED, the real processor number as a ' +
      'DWORD when the processor field of the new header is 15, and then the data, padded to a DWORD.',
    source: ce60('ee480736'),
    seeAlso: ['CL-1']
  }),
  rule('CL-3', 'header', '3.0+', 'background', {
    statement: 'The trace reader follows these ids of heap and virtual memory events.',
    value:
      'CELID_HEAP_CREATE 25, CELID_HEAP_ALLOC 26, CELID_HEAP_REALLOC 27, CELID_HEAP_FREE 28, CELID_HEAP_DESTROY 29, ' +
      'CELID_VIRTUAL_ALLOC 35, CELID_VIRTUAL_COPY 36, CELID_VIRTUAL_FREE 37',
    source: 'the public celog.h values'
  }),
  rule('CL-4', 'documented', '2013', 'background', {
    statement:
      'The trace reader follows this: CEL_HEAP_CREATE holds dwOptions, dwInitSize, dwMaxSize, hHeap, dwTID and dwPID, six DWORDs. ' +
      'The oldest logs lack the last two.',
    value: '6 DWORDs',
    source: ce2013('ee488643')
  }),
  rule('CL-5', 'documented', '2013', 'background', {
    statement:
      'The trace reader follows this: CEL_HEAP_ALLOC holds hHeap, dwFlags, dwBytes, lpMem, dwTID, dwPID and dwCallerPID, then as ' +
      "many DWORDs of stack trace as the event's length leaves room for.",
    source: ce2013('ee488571')
  }),
  rule('CL-6', 'documented', '5.0', 'background', {
    statement:
      'The trace reader follows this: CEL_HEAP_REALLOC holds hHeap, dwFlags, dwBytes, lpMemOld, lpMem, dwTID, dwPID and ' +
      'dwCallerPID, then the stack trace.',
    source: ceOld('aa450812')
  }),
  rule('CL-7', 'documented', '2013', 'background', {
    statement: 'The trace reader follows this: CEL_HEAP_FREE holds hHeap, dwFlags, lpMem, dwTID, dwPID, dwCallerPID and the stack trace.',
    source: ce2013('ee488360')
  }),
  rule('CL-8', 'header', '6.0+', 'background', {
    statement:
      'The trace reader follows this: the stack trace behind a heap event may begin with a small header of its own instead of plain ' +
      'addresses, so it is taken as opaque DWORDs.',
    source: 'users of the public celog.h'
  }),
  rule('CL-9', 'documented', '6.0, 2013', 'background', {
    statement:
      'The trace reader follows this: the log marker event carries dwFrequency, in which time stamps count, dwDefaultQuantum, ' +
      'dwVersion and, in version 3, the number of processors. Its version tells which form the headers have. CELID_DATA_LOSS ' +
      'carries the number of bytes lost, and ids from 0x2000 on are user events.',
    value: 'CELID_LOG_MARKER 0x1FFF, CELID_SYNC_END 0x1FFE, CELID_DATA_LOSS 150',
    source: [ce60('ee480736'), 'the public celog.h values'],
    seeAlso: ['CL-1']
  }),
  rule('CL-10', 'choice', '', 'background', {
    statement:
      'The trace reader follows this: the data of an unknown event is skipped by its length, and a last event that is cut short ' +
      'ends the log.',
    source: ourChoice
  })
])
