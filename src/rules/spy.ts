import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce60, noPage, sdkApi } from './source.ts'

export const mallocSpy: readonly Rule[] = section('IMallocSpy', [
  rule('SP-1', 'documented', '3.0 to 2013', 'emulated', {
    statement:
      'CoRegisterMallocSpy is HRESULT CoRegisterMallocSpy(LPMALLOCSPY). It gives S_OK, CO_E_OBJISREG when a spy is registered ' +
      'already, or E_INVALIDARG.',
    value: '0, CO_E_OBJISREG 0x800401FC, E_INVALIDARG 0x80070057',
    source: ce2013('ee489681')
  }),
  rule('SP-2', 'documented', '3.0 to 2013', 'emulated', {
    statement:
      'CoRegisterMallocSpy calls QueryInterface for IID_IMallocSpy on the pointer and takes its reference from that call, not from ' +
      'AddRef.',
    source: ce2013('ee489681')
  }),
  rule('SP-3', 'desktop', 'desktop', 'emulated', {
    statement:
      'An open-source conformance test that passes on Windows shows the order of the checks: a NULL spy gives E_INVALIDARG even ' +
      'while a spy is registered, and a second spy gives CO_E_OBJISREG.',
    source: "Wine's ole32 conformance test, test_IMallocSpy"
  }),
  rule('SP-4', 'documented', '3.0 to 2013', 'emulated', {
    statement:
      "While a spy is registered, every call of IMalloc, from whatever source, goes through the spy's Pre method, then IMalloc, " +
      'then its Post method.',
    source: ce2013('ee489681')
  }),
  rule('SP-5', 'documented', '3.0 to 2013', 'emulated', {
    statement:
      'CoRevokeMallocSpy is HRESULT CoRevokeMallocSpy(void). It gives S_OK, CO_E_OBJNOTREG when no spy is registered, or ' +
      'E_ACCESSDENIED while allocations made under this spy are still live.',
    value: '0, CO_E_OBJNOTREG 0x800401FB, E_ACCESSDENIED 0x80070005',
    source: ce2013('ee488961')
  }),
  rule('SP-6', 'documented', '3.0 to 2013', 'emulated', {
    statement:
      'After E_ACCESSDENIED the revoke is pending: the spy stays active and is released by itself when the last such allocation is ' +
      'freed. Revoke is to be called once for each register.',
    source: ce2013('ee488961'),
    seeAlso: ['SP-5']
  }),
  rule('SP-7', 'documented', '3.0 to 2013', 'emulated', {
    statement: 'Revoking releases the spy, which balances the reference taken by QueryInterface.',
    source: ce2013('ee488961'),
    seeAlso: ['SP-2']
  }),
  rule('SP-8', 'silent', '', 'background', {
    statement: 'No public page gives the result of a second CoRevokeMallocSpy, or of registering another spy, while a revoke is pending.',
    source: noPage,
    seeAlso: ['C-58']
  }),
  rule('SP-9', 'desktop', 'desktop (CE has the same interface)', 'emulated', {
    statement:
      'IMallocSpy has twelve methods: a Pre and a Post method for each of Alloc, Free, Realloc, GetSize, DidAlloc and HeapMinimize.',
    value: '12',
    source: sdkApi('objidl/nn-objidl-imallocspy')
  }),
  rule('SP-10', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'PreAlloc is ULONG PreAlloc(ULONG cbRequest): it returns the number of bytes to allocate, which is at least the request.',
    source: ce60('ee489692')
  }),
  rule('SP-11', 'documented', '5.0, 6.0', 'emulated', {
    statement:
      'When PreAlloc returns 0 for a request that is not 0, the allocation is made to fail: Alloc returns NULL and PostAlloc is not ' +
      'called. Returning 0 for a request of 0 is no forced failure.',
    value: 'NULL',
    source: ce60('ee489692'),
    seeAlso: ['W-24']
  }),
  rule('SP-12', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'When memory is really out, PostAlloc is still called, with NULL.',
    value: 'PostAlloc(NULL)',
    source: ce60('ee489692')
  }),
  rule('SP-13', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'The span from PreAlloc to PostAlloc is one thread-safe unit.',
    source: ce60('ee489692')
  }),
  rule('SP-14', 'documented', '6.0', 'emulated', {
    statement:
      'PostAlloc is void* PostAlloc(void* pActual). Its result is what the caller of Alloc gets: the address behind a header that ' +
      'the spy put in front, or else pActual itself.',
    source: ce60('ee489181')
  }),
  rule('SP-15', 'desktop', 'desktop', 'emulated', {
    statement: 'PreFree is void* PreFree(void* pRequest, BOOL fSpyed). It must return the actual start of the allocation to be freed.',
    source: sdkApi('objidl/nf-objidl-imallocspy-prefree')
  }),
  rule('SP-16', 'desktop', 'desktop', 'emulated', {
    statement: 'The flag fSpyed says that the block was allocated while this spy was active. When it is FALSE no header may be stripped.',
    source: [
      sdkApi('objidl/nf-objidl-imallocspy-prefree'),
      sdkApi('objidl/nf-objidl-imallocspy-prerealloc'),
      sdkApi('objidl/nf-objidl-imallocspy-postgetsize')
    ]
  }),
  rule('SP-17', 'desktop', 'desktop', 'emulated', {
    statement:
      'PreRealloc is ULONG PreRealloc(void* pRequest, ULONG cbRequest, void** ppNewRequest, BOOL fSpyed). It returns the number of ' +
      'bytes for Realloc and must always store *ppNewRequest.',
    source: sdkApi('objidl/nf-objidl-imallocspy-prerealloc')
  }),
  rule('SP-18', 'desktop', 'desktop', 'emulated', {
    statement:
      'When PreRealloc returns 0 for a request that is not 0, Realloc is made to fail: it returns NULL and PostRealloc is not ' +
      'called. A real failure does call PostRealloc.',
    value: 'NULL',
    source: sdkApi('objidl/nf-objidl-imallocspy-prerealloc')
  }),
  rule('SP-19', 'desktop', 'desktop', 'emulated', {
    statement:
      'PostRealloc is void* PostRealloc(void* pActual, BOOL fSpyed). A successful Realloc under the spy makes the block a spied one ' +
      'from then on, even if it was none before.',
    value: 'fSpyed TRUE',
    source: sdkApi('objidl/nf-objidl-imallocspy-postrealloc')
  }),
  rule('SP-20', 'desktop', 'desktop', 'emulated', {
    statement:
      "PostGetSize is ULONG PostGetSize(ULONG cbActual, BOOL fSpyed) and its result goes to the caller. The page's example asks for " +
      '27 bytes, allocates 32 and reports 27, as desktop sizes are exact; on CE retail it would be 32.',
    value: '27 on desktop, 32 on CE retail',
    source: sdkApi('objidl/nf-objidl-imallocspy-postgetsize'),
    seeAlso: ['HS-3']
  }),
  rule('SP-21', 'desktop', 'desktop', 'emulated', {
    statement:
      'PostDidAlloc is int PostDidAlloc(void* pRequest, BOOL fSpyed, int fActual) and its result goes to the caller. It gets the ' +
      'original pointer and the value that DidAlloc returned.',
    source: sdkApi('objidl/nf-objidl-imallocspy-postdidalloc')
  }),
  rule('SP-22', 'derived', '', 'emulated', {
    statement:
      'A pending revoke needs a count of live spied blocks: one more for each successful Alloc and for each Realloc of a block that ' +
      'was not spied, one less for each Free and each Realloc to 0 bytes.',
    source: ['SP-5', 'SP-6', 'SP-19', 'IM-5'],
    seeAlso: ['SP-5', 'SP-6', 'SP-19', 'IM-5']
  })
])
