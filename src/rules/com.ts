import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce30, ce60, ceOld, dungeon } from './source.ts'

export const coGetMalloc: readonly Rule[] = section('CoGetMalloc', [
  rule('CM-1', 'documented', '3.0 to 2013', 'emulated', {
    statement: 'CoGetMalloc is HRESULT CoGetMalloc(DWORD dwMemContext, LPMALLOC* ppMalloc). The context is reserved and must be 1.',
    value: 'S_OK, E_INVALIDARG, E_OUTOFMEMORY',
    source: ce2013('ee488495')
  }),
  rule('CM-2', 'documented', 'all', 'emulated', {
    statement: 'The pointer that CoGetMalloc gives cannot be used from another process.',
    source: ce2013('ee488495')
  }),
  rule('CM-3', 'old', '', 'emulated', {
    statement:
      'The COM specification of the 1990s has MEMCTX_TASK and MEMCTX_SHARED (E_INVALIDARG where unsupported), and ' +
      'CO_E_NOTINITIALIZED before CoInitialize. The CE page lists no CO_E_NOTINITIALIZED.',
    value: 'MEMCTX_TASK 1, MEMCTX_SHARED 2',
    source: dungeon('msdn-2000-04/specs/html/S1D16D.content.HTM')
  })
])

export const iMalloc: readonly Rule[] = section('IMalloc', [
  rule('IM-1', 'documented', '3.0+', 'emulated', {
    statement:
      'Behind the methods of IUnknown the vtable of IMalloc has, in this order, Alloc, Realloc, Free, GetSize, DidAlloc and ' +
      'HeapMinimize.',
    source: ce60('ee487895')
  }),
  rule('IM-2', 'documented', '3.0+', 'emulated', {
    statement: 'The COM task allocator is thread-safe.',
    source: ce60('ee487895')
  }),
  rule('IM-3', 'documented', '5.0 (same text 3.0+)', 'emulated', {
    statement:
      'IMalloc::Alloc(ULONG cb) returns memory with undefined contents, possibly more than cb bytes, or NULL when memory is out. A ' +
      'size of 0 gives a valid pointer to an item of length zero.',
    value: 'never NULL for 0 bytes',
    source: ceOld('aa516180'),
    seeAlso: ['W-15']
  }),
  rule('IM-4', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'IMalloc::Realloc(void* pv, ULONG cb) with a NULL pointer behaves like Alloc(cb).',
    source: ce60('ee488097'),
    seeAlso: ['W-13']
  }),
  rule('IM-5', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'IMalloc::Realloc of a block to 0 bytes frees the block and returns NULL.',
    value: 'NULL, block freed',
    source: ce60('ee488097'),
    seeAlso: ['IM-6', 'W-14']
  }),
  rule('IM-6', 'documented', '5.0, 6.0', 'emulated', {
    statement:
      'When memory is out IMalloc::Realloc returns NULL and leaves the block unchanged. Since a Realloc to 0 bytes returns NULL ' +
      'too, the caller must look at the size it asked for.',
    value: 'NULL, block kept',
    source: ce60('ee488097'),
    seeAlso: ['IM-5', 'W-14']
  }),
  rule('IM-7', 'documented', '5.0, 6.0', 'emulated', {
    statement:
      'IMalloc::Realloc keeps the contents up to the smaller of the two sizes, leaves new bytes uninitialised, and may change the ' +
      'pointer.',
    source: ce60('ee488097')
  }),
  rule('IM-8', 'documented', '2013', 'emulated', {
    statement: 'IMalloc::Free(void* pv) returns nothing, and NULL has no effect.',
    source: ce2013('ee488292')
  }),
  rule('IM-9', 'documented', '3.0 to 6.0', 'emulated', {
    statement: 'IMalloc::GetSize(void* pv) returns the actual size as a ULONG, which may exceed what was asked for. NULL gives -1.',
    value: '0xFFFFFFFF for NULL',
    source: ce60('ee488750')
  }),
  rule('IM-10', 'documented', '3.0 to 5.0, WM6.5', 'emulated', {
    statement:
      "IMalloc::DidAlloc(void* pv) returns 1 for the allocator's own block, 0 for another's, and -1 when it cannot tell. NULL gives " +
      '-1.',
    value: '1, 0 or -1',
    source: ceOld('aa516181')
  }),
  rule('IM-11', 'documented', '3.0 to 6.0', 'emulated', {
    statement: 'IMalloc::HeapMinimize() releases unused memory and merges neighbouring free blocks; it returns nothing.',
    source: ce60('ee488345')
  })
])

export const coTaskMem: readonly Rule[] = section('CoTaskMemAlloc family', [
  rule('CT-1', 'documented', '2.0+', 'emulated', {
    statement:
      'CoTaskMemAlloc is LPVOID CoTaskMemAlloc(ULONG cb). A size of 0 gives a valid item of length zero, NULL means that memory is ' +
      'out, and the contents are undefined.',
    source: ce30('_wcesdk_com_cotaskmemalloc')
  }),
  rule('CT-2', 'documented', '2.0 to WM6.5', 'emulated', {
    statement: 'CoTaskMemRealloc is LPVOID CoTaskMemRealloc(LPVOID pv, ULONG cb) and behaves like IMalloc::Realloc.',
    source: 'https://msdn.microsoft.com/en-us/library/aa910613.aspx',
    seeAlso: ['IM-4', 'IM-5', 'IM-6', 'IM-7']
  }),
  rule('CT-3', 'documented', '2.0 to WM6.5', 'reported', {
    statement: 'CE adds that invalid pointers, and in some circumstances NULL, terminate the application unexpectedly.',
    value: 'crash',
    source: 'https://msdn.microsoft.com/en-us/library/aa910613.aspx',
    seeAlso: ['W-28', 'C-53']
  }),
  rule('CT-4', 'desktop', '', 'emulated', {
    statement: 'CoTaskMemFree is void CoTaskMemFree(LPVOID pv), and NULL does nothing. This is desktop Windows; the CE page was not read.',
    source: 'the desktop page of CoTaskMemFree'
  })
])
