import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce60, ceBase, ceOld, dungeon, noPage } from './source.ts'

export const tools: readonly Rule[] = section('CE diagnostic tools', [
  rule('DT-1', 'documented', '4.2+', 'background', {
    statement:
      'Application Verifier attaches to a program and puts a shim between caller and API. It came with the test kit in CE .NET 4.2, ' +
      'and with the OS and Platform Builder in CE 5.0.',
    source: [ceBase, ceOld('ms893164')]
  }),
  rule('DT-2', 'documented', '5.0, 6.0', 'background', {
    statement:
      'The Heap Verifier shim of Application Verifier (shim_heap.dll, command HeapVerif) finds leaks, use after free, double frees, ' +
      'overflow, underflow and misuse of movable blocks, and it can inject faults. On finding corruption it raises an exception.',
    source: [ce60('ee505342'), ceOld('ms894948')],
    seeAlso: ['W-24']
  }),
  rule('DT-3', 'documented', '4.2+', 'reported', {
    statement: 'Application Verifier keeps a call stack for each allocation, drops those of freed blocks, and reports what is left.',
    source: ceBase,
    seeAlso: ['DT-1']
  }),
  rule('DT-4', 'documented', '5.0, 6.0', 'background', {
    statement:
      'The Handle Leak Tracker (shim_hleak.dll, HLeak) follows handles to registry keys, files, events, critical sections, mutexes ' +
      'and semaphores; the Shell Verifier (shim_usergdi.dll) follows GDI and user objects.',
    source: ce60('ee505342')
  }),
  rule('DT-5', 'documented', '', 'background', {
    statement: 'An image of the operating system that has shims in it cannot be shipped.',
    source: ceBase
  }),
  rule('DT-6', 'documented', '2.x to 6.0', 'background', {
    statement:
      'Remote Heap Walker and Heap Walker (ceheapwk.exe) have three views that can be saved as text: Process_List (heap id, ' +
      'process, a flag such as HF32_DEFAULT), Heap_List (address, size, Fixed or Free) and Heap_Dump (the bytes at an address).',
    source: [
      'http://msdn2.microsoft.com/en-us/library/ms894573.aspx',
      'https://msdn.microsoft.com/en-US/library/ee481597(v=winembedded.60)',
      dungeon('msdn-2000-04/vcce/remtools_7.content.htm')
    ]
  }),
  rule('DT-7', 'derived', '', 'background', {
    statement: 'Heap Walker shows no call stacks, no history, no measure of fragmentation and no difference between two snapshots.',
    source: 'DT-6',
    seeAlso: ['DT-6']
  }),
  rule('DT-8', 'documented', '3.0+', 'background', {
    statement:
      'CeLog records heap calls from instrumented heap functions: CEL_HEAP_ALLOC and CEL_HEAP_FREE with heap, flags, size, pointer, ' +
      'thread and process ids and, optionally, a stack trace.',
    source: [ce60('ee488571'), "systemmanager.ru's copy of the Windows Mobile 6.5 documentation"],
    seeAlso: ['CL-5', 'CL-7']
  }),
  rule('DT-9', 'documented', '5.0', 'background', {
    statement: 'The commands memtrack on, memtrack off and memtrack baseline control memory tracking in the Target Control window.',
    source: ceOld('aa450012')
  }),
  rule('DT-10', 'documented', '5.0, 6.0', 'background', {
    statement:
      'The chain of tools around CeLog: CeLog.dll writes, CeLogFlush.exe or OSCapture.exe collects, Readlog.exe shows text, and ' +
      'Remote Kernel Tracker draws a time line of threads, interrupts and events.',
    source: ce60('ee480454')
  }),
  rule('DT-11', 'documented', '4.2', 'background', {
    statement: 'The Memory Usage Tool (memtool.exe) prints a map with one letter a page.',
    value: '- reserved, C code in ROM, c code in RAM, S stack, P unknown page, W read and write, O object store, r and R read-only data',
    source: ceOld('ms930360')
  }),
  rule('DT-12', 'documented', '4.2 to 6.0', 'background', {
    statement:
      'The CE Stress tool, or Modular Stress, runs random test modules in a loop to bring out leaks, crashes, hangs and deadlocks.',
    source: ceOld('ms894346')
  }),
  rule('DT-13', 'documented', '6.0', 'background', {
    statement: 'The CE test kit (CETK) uses the Tux harness and Kato logging, and its list of tests is centred on drivers.',
    source: ce60('ee505973')
  }),
  rule('DT-14', 'silent', '', 'background', {
    statement:
      "Not found: documentation of Resource Consumer or of Entrek's CodeSnitch and ToolBox, the full list of HeapVerif commands and " +
      'options, and a CETK test aimed at the heap.',
    source: noPage
  })
])
