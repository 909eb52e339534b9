import { type Verdict, verdict } from './verdict.ts'

type VirtualName =
  | 'virtualZero'
  | 'memReset'
  | 'allocationType'
  | 'protection'
  | 'topDown'
  | 'guard'
  | 'virtualQuery'
  | 'mixedRelease'
  | 'freeType'
  | 'releaseSize'
  | 'commitNull'
  | 'commitNullCe5'
  | 'virtualEx'
  | 'otherProcess'
  | 'noRegion'
  | 'fixedAddress'
  | 'wasted'
  | 'notCommitted'
  | 'spans'
  | 'reserveSucceeds'
  | 'badPointer'
  | 'probe'
  | 'memoryStatus'
  | 'neverReleased'

/** What is told of calls for virtual memory. */
export const virtualFaults: Readonly<Record<VirtualName, Verdict>> = {
  virtualZero: verdict('W-20', 'error', {
    title: 'VirtualAlloc of 0 bytes',
    onCe: 'the call fails: a size of 0 is an error',
    explanation: 'VirtualAlloc gives whole pages, and none for a size of 0: CE documents that as an error (VA-4).',
    advice: 'Test the size before the call, and find out why it is 0.'
  }),
  memReset: verdict('W-20', 'error', {
    title: 'MEM_RESET is not supported',
    onCe: 'the call fails: MEM_RESET does not exist',
    explanation: 'MEM_RESET tells desktop Windows that the content of pages is no longer needed. CE does not support it (VA-11).',
    advice: 'Give the pages back with VirtualFree and MEM_DECOMMIT, and commit them again when they are needed.'
  }),
  allocationType: verdict('C-72', 'error', {
    title: 'Allocation type that CE does not have',
    onCe: 'the call fails: NULL and ERROR_INVALID_PARAMETER (87) (our choice, the documentation is silent)',
    explanation: 'CE lists MEM_COMMIT, MEM_RESERVE and MEM_TOP_DOWN. Large pages, write watches and the other types belong to the desktop.',
    advice: 'Pass MEM_RESERVE, MEM_COMMIT or both.'
  }),
  protection: verdict('C-66', 'error', {
    title: 'Protection that CE does not have',
    onCe: 'the call fails with ERROR_INVALID_PARAMETER (87) (our choice, the documentation is silent)'
  }),
  topDown: verdict('VA-10', 'note', {
    title: 'MEM_TOP_DOWN',
    onCe: 'taken: the highest free place below the end of the address space; only the pages of CE 4.x list the flag',
    advice: 'Drop the flag unless the program needs high addresses: they are far lower than on the desktop, below 32 MB on CE 5.0.'
  }),
  guard: verdict('VP-4', 'note', {
    title: 'Guard pages',
    choice: 'C-67',
    onCe: 'the guard goes off once, as on the desktop: STATUS_GUARD_PAGE, for any thread and for IsBadReadPtr',
    advice: 'Set PAGE_GUARD again in the handler, and do not combine it with PAGE_NOACCESS.'
  }),
  virtualQuery: verdict('W-20', 'note', {
    title: 'AllocationProtect is not filled',
    onCe: 'the member AllocationProtect of the answer is not filled',
    explanation: 'CE does not support the member AllocationProtect of MEMORY_BASIC_INFORMATION (VQ-2).',
    advice: 'Nothing to change where the program does not read that member. Else keep the protection that VirtualAlloc was given.'
  }),
  mixedRelease: verdict('W-19', 'error', {
    title: 'MEM_RELEASE of a partly committed region',
    onCe: 'the call fails and the region stays reserved: some of its pages are committed and some are not (VF-5)'
  }),
  freeType: verdict('VF-4', 'error', {
    title: 'Not exactly one of MEM_DECOMMIT and MEM_RELEASE',
    onCe: 'the call fails: FALSE, and nothing is freed',
    advice: 'Pass MEM_RELEASE alone with a size of 0 to free a region, MEM_DECOMMIT alone to free pages of it.'
  }),
  releaseSize: verdict('VF-2', 'error', {
    title: 'MEM_RELEASE with a size or inside a region',
    onCe: 'the call fails: FALSE, and the region leaks',
    advice: 'Pass the address that VirtualAlloc returned for the reservation and a size of 0.'
  }),
  commitNull: verdict('C-20', 'note', {
    title: 'MEM_COMMIT without MEM_RESERVE and address',
    onCe: 'taken to reserve and commit, as on the desktop (our choice, the documentation is silent)'
  }),
  commitNullCe5: verdict('C-20', 'warning', {
    title: 'MEM_COMMIT without MEM_RESERVE and address',
    onCe: 'CE 5.0 wants MEM_RESERVE as well; here it is taken to reserve and commit (our choice)'
  }),
  virtualEx: verdict('VX-1', 'error', {
    title: 'Function that came with CE 6.0',
    onCe: 'CE 5.0 does not have the function',
    advice: 'Call VirtualAlloc, VirtualFree and VirtualProtect in the process that owns the memory.'
  }),
  otherProcess: verdict('C-94', 'warning', {
    title: "Another process's memory",
    onCe: 'the emulated process is alone: the call is not replayed'
  }),
  noRegion: verdict('C-21', 'error', {
    title: 'Not in a live reservation',
    onCe: 'the call fails with ERROR_INVALID_ADDRESS (487) as well (our choice, the documentation is silent)'
  }),
  fixedAddress: verdict('C-95', 'warning', {
    title: 'Reservation at a fixed address',
    onCe: 'the call fails: NULL, as the range is taken or lies beyond the address space',
    advice: 'Pass NULL and let the system choose, and go on with the address that comes back.'
  }),
  wasted: verdict('W-17', 'note', {
    title: 'Reservation of less than whole 64 KB',
    onCe: 'takes whole 64 KB of address space',
    explanation:
      'Every reservation begins at a 64 KB border, so what is left of its last 64 KB is lost until it is released (VA-3). A CE 5.0 process with its ' +
      '32 MB has room for at most 512 (VL-5).',
    advice: 'Reserve one large region and commit parts of it, or take small memory from a heap.'
  }),
  notCommitted: verdict('VP-1', 'error', {
    title: 'VirtualProtect of pages that are not committed',
    choice: 'C-65',
    onCe: 'the call fails: FALSE and ERROR_INVALID_ADDRESS (487), and no protection changes',
    advice: 'Commit the pages first; the protection can be given to VirtualAlloc.'
  }),
  spans: verdict('W-20', 'error', {
    title: 'VirtualProtect beyond one reservation',
    onCe: 'the call fails: all pages must come from one VirtualAlloc call (VP-2)',
    explanation: 'VirtualProtect works on the pages of one reservation, even where two lie side by side (VP-2).',
    advice: 'Call it once for each reservation.'
  }),
  reserveSucceeds: verdict('C-21', 'note', {
    title: 'Failed in the recording, works on CE',
    onCe: 'succeeds',
    advice: 'Nothing to change. What the program does after the failure was not compared any further.'
  }),
  badPointer: verdict('C-68', 'warning', {
    title: 'IsBadReadPtr and its relatives answer otherwise',
    onCe: 'answers otherwise than the recording'
  }),
  probe: verdict('C-68', 'note', {
    title: 'IsBadReadPtr and its relatives',
    onCe: 'touches the memory: a guard page goes off unseen'
  }),
  neverReleased: verdict('VA-14', 'note', {
    title: 'Reservations never released',
    onCe: 'the address space, and what of it is committed, come back only when the process ends',
    advice: 'Release each reservation with VirtualFree and MEM_RELEASE. A device runs for months, so what grows with every use is a leak.'
  }),
  memoryStatus: verdict('GM-4', 'note', {
    title: 'GlobalMemoryStatus tells of one process',
    choice: 'C-69',
    onCe: 'dwTotalVirtual and dwAvailVirtual are the address space of the process, up to 2 GB; there is no page file',
    advice: 'Decide by dwAvailPhys and dwAvailVirtual, and take them as a guess: two calls need not agree.'
  })
}
