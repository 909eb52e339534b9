import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ourChoice } from './source.ts'

/** What the hosting pages leave open, on a device that has no CLR host of its own. */
export const hostChoices: readonly Rule[] = section('Our choices', [
  rule('C-86', 'choice', '', 'emulated', {
    statement:
      'A host and its allocators live in the thread that opened it and know what they handed out themselves; budgets count what all hosts of the process have. ' +
      'A method of an interface without references does nothing and is reported.',
    value: 'HOST_E_INVALIDOPERATION 0x80131022; 0 from AddRef and Release',
    source: ourChoice,
    seeAlso: ['HO-1', 'HO-2'],
    advice: 'Open one host for a process, and call Release once for each reference.'
  }),
  rule('C-87', 'choice', '', 'emulated', {
    statement:
      'Each IHostMalloc is a growable heap of its own, locked in any case, so that MALLOC_THREADSAFE changes nothing; MALLOC_EXECUTABLE commits its pages with ' +
      'PAGE_EXECUTE_READWRITE, other bits are E_INVALIDARG. The last Release destroys the heap; blocks still allocated are reported, with file and line where known.',
    value: 'E_INVALIDARG 0x80070057',
    source: [ourChoice, 'leans on HO-3, HO-9, HO-11 and FL-1'],
    seeAlso: ['HO-3', 'HO-9', 'HO-11', 'FL-1', 'CH-4'],
    advice: 'Free every block before the last Release, and allocate with DebugAlloc to be told where a leak came from.'
  }),
  rule('C-88', 'choice', '', 'emulated', {
    statement:
      'A level has a budget of bytes and a wait, both of the host. A request that cannot be met ends with E_OUTOFMEMORY, after a wait with HOST_E_TIMEOUT; at process ' +
      'level every later call then gives HOST_E_CLRNOTAVAILABLE. HOST_E_NOT_OWNER, HOST_E_ABANDONED and E_FAIL never come up. Another level is E_INVALIDARG.',
    value: 'E_OUTOFMEMORY 0x8007000E, HOST_E_TIMEOUT 0x80131024, HOST_E_CLRNOTAVAILABLE 0x80131023',
    source: [ourChoice, 'leans on HO-2, HO-4, HO-5 and HO-6'],
    seeAlso: ['HO-2', 'HO-4', 'HO-5', 'HO-6'],
    advice: 'Give the higher levels the larger budgets, and let a request wait only where another thread can free something.'
  }),
  rule('C-89', 'choice', '', 'emulated', {
    statement:
      "The host's VirtualAlloc, VirtualFree, VirtualQuery and VirtualProtect follow Win32; their last error comes back as an HRESULT. Pages of a reservation that this host has " +
      'not made are refused by VirtualFree and by a VirtualAlloc that would commit them. VirtualQuery reads the pages as they are while another thread changes some.',
    value: 'E_OUTOFMEMORY for error 8, else 0x80070000 + the error; HOST_E_INVALIDOPERATION 0x80131022',
    source: [ourChoice, 'leans on HO-12 to HO-15'],
    seeAlso: ['HO-10', 'HO-12', 'HO-13', 'HO-14', 'HO-15'],
    advice: 'Give memory back by the interface that gave it.'
  }),
  rule('C-90', 'choice', '', 'emulated', {
    statement:
      'Memory is low from a load of 90 percent on, or when CE says so (HI-18), high up to 50 percent, neutral in between; the host may set both bounds. The ' +
      "callback is told each change once, after a call of the host's thread and outside of its methods. It begins at neutral. One that throws is reported, and the error thrown apart. A later registration takes its place.",
    value: 'eMemoryAvailableLow 1, Neutral 2, High 3',
    source: [ourChoice, 'leans on HO-7, HO-17, HO-21 and HI-18'],
    seeAlso: ['HO-7', 'HO-17', 'HO-21', 'HI-18', 'C-71', 'C-97'],
    advice: 'Only note the news in the callback and act on it later: a callback must return at once.'
  }),
  rule('C-91', 'choice', '', 'emulated', {
    statement:
      'The ranges of AcquiredVirtualAddressSpace are disjoint and not empty, and ReleasedVirtualAddressSpace names the start of one; anything else is E_INVALIDARG, is ' +
      'reported and changes nothing. NeedsVirtualAddressSpace is refused where the ranges with the new one would exceed what the host allows.',
    value: 'E_INVALIDARG 0x80070057, E_OUTOFMEMORY 0x8007000E',
    source: [ourChoice, 'leans on HO-18 to HO-20'],
    seeAlso: ['HO-18', 'HO-19', 'HO-20'],
    advice: 'Tell the host of every range exactly once when it is taken and once when it is given back.'
  })
])
