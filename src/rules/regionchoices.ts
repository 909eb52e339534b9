import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ourChoice } from './source.ts'

/** Virtual memory by way of a process handle, in recordings, and of a CLR host. */
export const regionChoices: readonly Rule[] = section('Our choices', [
  rule('C-94', 'choice', '', 'emulated', {
    statement:
      'VirtualAllocEx, VirtualFreeEx and VirtualProtectEx work as the functions without Ex where their process is the pseudo handle of ' +
      'the calling one or its id of tool help. Any other process is refused and reported. In the profile ce-5.0 they all fail, since CE 5.0 lacks them.',
    value: 'the pseudo handle 0x42, the id 0x00400002; ERROR_INVALID_HANDLE (6); ERROR_CALL_NOT_IMPLEMENTED (120) in ce-5.0',
    source: [ourChoice, 'leans on VX-1'],
    seeAlso: ['VX-1', 'C-73'],
    advice: 'Pass GetCurrentProcess(), or call the function without Ex.'
  }),
  rule('C-95', 'choice', '', 'emulated', {
    statement:
      'A reservation of a recording is replayed as one of the emulated process, and addresses in it are translated. An address that the program asked ' +
      'for is tried first; where it is taken or beyond the address space the region is placed elsewhere and the call reported. A region that the ' +
      'recording releases is released in any case. What failed in the recording is tried only where that changes nothing.',
    source: [ourChoice, 'leans on VA-3'],
    seeAlso: ['VA-3', 'VF-5', 'C-26', 'C-40'],
    advice: 'Run the check with the memory of the device (--memory and --physical), and let the system choose addresses.'
  }),
  rule('C-96', 'choice', '', 'emulated', {
    statement:
      "A reservation is the host's that made it until it ends, also while a heap of CeHeapCreate has its pages. What the program releases past the host is the host's no more, nor " +
      "what it then reserves there; what it commits or decommits in it counts from the host's next call on. A call that must fail for its range is no request: nothing is charged.",
    source: [ourChoice, 'leans on HO-12 and HO-13'],
    seeAlso: ['HO-12', 'HO-13', 'C-88', 'C-89'],
    advice: 'Give memory back by the interface that gave it.'
  })
])
