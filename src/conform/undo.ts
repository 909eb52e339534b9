import { MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, S_OK } from '../constants.ts'
import type { Answer, Request } from './interpret.ts'

/** What a case holds of an implementation, so that it can be given back where the implementation lives on. */
export class Ledger {
  readonly #held = new Map<string, Request>()

  note({ thread, call, args }: Request, { value, out }: Answer): void {
    const [first = 0, second = 0, third = 0] = args
    const hold = (kind: string, held: number, undo: string, ...undoArgs: (number | string)[]): void => {
      if (held !== 0) this.#held.set(`${kind} ${held}`, { thread, call: undo, args: undoArgs, out: 0 })
    }
    const drop = (kind: string, held: number | string): void => void this.#held.delete(`${kind} ${held}`)
    switch (call) {
      case 'HeapCreate':
      case 'CeHeapCreate':
        hold('heap', value, 'HeapDestroy', value)
        break
      case 'HeapDestroy':
        if (value !== 0) this.#destroyed(first)
        break
      case 'HeapAlloc':
        hold('block', value, 'HeapFree', first, 0, value)
        break
      case 'HeapReAlloc':
        if (value !== 0) drop('block', third)
        hold('block', value, 'HeapFree', first, 0, value)
        break
      case 'HeapFree':
        if (value !== 0) drop('block', third)
        break
      case 'LocalAlloc':
        hold('block', value, 'LocalFree', value)
        break
      case 'LocalReAlloc':
        if (value !== 0) drop('block', first)
        hold('block', value, 'LocalFree', value)
        break
      case 'LocalFree':
        if (value === 0) drop('block', first)
        break
      case 'CoTaskMemAlloc':
        hold('block', value, 'CoTaskMemFree', value)
        break
      case 'CoTaskMemRealloc':
        if (value !== 0 || second === 0) drop('block', first)
        hold('block', value, 'CoTaskMemFree', value)
        break
      case 'CoTaskMemFree':
        drop('block', first)
        break
      case 'VirtualAlloc':
        if (first !== 0 && (Number(third) & MEM_RESERVE) === 0) break
        hold('region', value, 'VirtualFree', value, 0, MEM_RELEASE)
        // Before it: what is committed in part is not released (VF-5).
        hold('pages', value, 'VirtualFree', value, second, MEM_DECOMMIT)
        break
      case 'VirtualFree':
        if (value === 0 || third !== MEM_RELEASE) break
        drop('region', first)
        drop('pages', first)
        break
      case 'IMalloc::Alloc':
        hold('block', value, 'IMalloc::Free', first, value)
        break
      case 'IMalloc::Realloc':
        if (value !== 0 || third === 0) drop('block', second)
        hold('block', value, 'IMalloc::Free', first, value)
        break
      case 'IMalloc::Free':
        drop('block', second)
        break
      case 'CoRegisterMallocSpy':
        // Its blocks are freed before, so that the revoke is not put off.
        if (value === S_OK) hold('spy', 1, 'CoRevokeMallocSpy')
        break
      case 'CoRevokeMallocSpy':
        if (value === S_OK) drop('spy', 1)
        break
      case 'CoGetMalloc':
        hold('malloc', out[0] ?? 0, 'IMalloc::Release', out[0] ?? 0)
        break
    }
  }

  #destroyed(heap: number | string): void {
    this.#held.delete(`heap ${heap}`)
    for (const [key, { call, args }] of this.#held) if (call === 'HeapFree' && args[0] === heap) this.#held.delete(key)
  }

  /** The calls that give everything back, the latest first. */
  undo(): Request[] {
    return [...this.#held.values()].reverse()
  }
}
