// Every function of the Win32 surface with its documented parameters, in their documented order.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CALLS } from '../../src/coredll/calls.ts'
import { CeThread, createProcess } from '../../src/index.ts'

const signatures: readonly (readonly [rule: string, signature: string])[] = [
  ['HC-1', 'HeapCreate(flOptions, dwInitialSize, dwMaximumSize)'],
  ['CH-1', 'CeHeapCreate(flOptions, dwInitialSize, dwMaximumSize, pfnAlloc, pfnFree)'],
  ['HD-1', 'HeapDestroy(hHeap)'],
  ['HA-1', 'HeapAlloc(hHeap, dwFlags, dwBytes)'],
  ['HR-1', 'HeapReAlloc(hHeap, dwFlags, lpMem, dwBytes)'],
  ['HF-1', 'HeapFree(hHeap, dwFlags, lpMem)'],
  ['HS-1', 'HeapSize(hHeap, dwFlags, lpMem)'],
  ['HV-1', 'HeapValidate(hHeap, dwFlags, lpMem)'],
  ['HP-1', 'HeapCompact(hHeap, dwFlags)'],
  ['GP-1', 'GetProcessHeap()'],
  ['LA-1', 'LocalAlloc(uFlags, uBytes)'],
  ['LR-1', 'LocalReAlloc(hMem, uBytes, fuFlags)'],
  ['LF-1', 'LocalFree(hMem)'],
  ['LS-1', 'LocalSize(hMem)'],
  ['LM-1', 'LocalLock(hMem)'],
  ['LM-1', 'LocalUnlock(hMem)'],
  ['LM-1', 'LocalHandle(pMem)'],
  ['LM-1', 'LocalFlags(hMem)'],
  ['GA-1', 'GlobalAlloc(uFlags, dwBytes)'],
  ['GA-1', 'GlobalReAlloc(hMem, dwBytes, uFlags)'],
  ['GA-1', 'GlobalFree(hMem)'],
  ['GA-1', 'GlobalSize(hMem)'],
  ['GA-1', 'GlobalLock(hMem)'],
  ['GA-1', 'GlobalUnlock(hMem)'],
  ['GA-1', 'GlobalHandle(pMem)'],
  ['GA-1', 'GlobalFlags(hMem)'],
  ['VA-1', 'VirtualAlloc(lpAddress, dwSize, flAllocationType, flProtect)'],
  ['VF-1', 'VirtualFree(lpAddress, dwSize, dwFreeType)'],
  ['C-39', 'GetLastError()'],
  ['C-39', 'SetLastError(dwErrCode)'],
  ['VP-1', 'VirtualProtect(lpAddress, dwSize, flNewProtect, lpflOldProtect)'],
  ['VQ-1', 'VirtualQuery(lpAddress, lpBuffer, dwLength)'],
  ['C-68', 'IsBadReadPtr(lp, ucb)'],
  ['C-68', 'IsBadWritePtr(lp, ucb)'],
  ['C-68', 'IsBadCodePtr(lpfn)'],
  ['GM-1', 'GlobalMemoryStatus(lpBuffer)'],
  ['C-70', 'GetSystemInfo(lpSystemInfo)'],
  ['TH-1', 'CreateToolhelp32Snapshot(dwFlags, th32ProcessID)'],
  ['TH-7', 'Heap32ListFirst(hSnapshot, lphl)'],
  ['TH-7', 'Heap32ListNext(hSnapshot, lphl)'],
  ['TH-8', 'Heap32First(hSnapshot, lphe, th32ProcessID, th32HeapID)'],
  ['TH-10', 'Heap32Next(hSnapshot, lphe)'],
  ['TH-5', 'CloseToolhelp32Snapshot(hSnapshot)'],
  ['CS-3', 'InitializeCriticalSection(lpCriticalSection)'],
  ['CS-1', 'EnterCriticalSection(lpCriticalSection)'],
  ['CS-4', 'TryEnterCriticalSection(lpCriticalSection)'],
  ['CS-2', 'LeaveCriticalSection(lpCriticalSection)'],
  ['CS-5', 'DeleteCriticalSection(lpCriticalSection)'],
  ['VX-2', 'CeVirtualSharedAlloc(lpvAddr, cbSize, fdwAction)'],
  ['VX-1', 'VirtualAllocEx(hProcess, lpAddress, dwSize, flAllocationType, flProtect)'],
  ['VX-1', 'VirtualFreeEx(hProcess, lpAddress, dwSize, dwFreeType)'],
  ['VX-1', 'VirtualProtectEx(hProcess, lpAddress, dwSize, flNewProtect, lpflOldProtect)']
]

const table = suite('signatures')

/** The method as it stands in the class of its family: what CeThread has in its place draws the border around it. */
function written(name: string): string {
  let found = ''
  for (let type: object = CeThread.prototype; type !== Object.prototype; type = Object.getPrototypeOf(type) as object)
    if (Object.hasOwn(type, name)) found = String(Reflect.get(type, name))
  return found
}

for (const [rule, signature] of signatures) {
  table(`${rule}: ${signature}`, () => {
    const [name = '', parameters = ''] = signature.slice(0, -1).split('(')
    const method = Reflect.get(CeThread.prototype, name) as unknown
    assert.type(method, 'function')
    assert.is((method as () => void).name, name)
    assert.is((method as () => void).length, parameters === '' ? 0 : parameters.split(', ').length)
    assert.ok(written(name).startsWith(`${signature} {`), written(name).split('\n')[0])
  })
}

table('the table and the list of calls hold the same functions in the same order', () => {
  assert.equal(
    signatures.map(([, signature]) => signature.slice(0, signature.indexOf('('))),
    [...CALLS]
  )
})

table('a program may put calls of its own in their place on one thread, to count or to refuse them in its tests', () => {
  const { thread } = createProcess({ memory: 0x100000 })
  for (const name of CALLS) {
    assert.ok(
      Reflect.set(thread, name, () => 0x1234),
      name
    )
    assert.is((Reflect.get(thread, name) as () => number)(), 0x1234)
  }
})

table('or on all threads, and may take them away again: each is a property as the methods of any class are', () => {
  for (const name of CALLS) {
    let type: object = CeThread.prototype
    while (!Object.hasOwn(type, name)) type = Object.getPrototypeOf(type) as object
    const { writable, configurable } = Object.getOwnPropertyDescriptor(type, name) as PropertyDescriptor
    assert.equal([writable, configurable], [true, true], name)
  }
})

table('a call that no CE version has is not there', () => {
  // EX-6, EX-8: neither documented nor exported.
  for (const name of [
    'HeapLock',
    'HeapUnlock',
    'HeapWalk',
    'GetProcessHeaps',
    'HeapSetInformation',
    'HeapQueryInformation',
    'HeapSummary'
  ]) {
    assert.not.ok(name in CeThread.prototype, name)
  }
})

table.run()
