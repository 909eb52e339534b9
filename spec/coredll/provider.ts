import { MEM_RELEASE, PAGE_READWRITE, type PFN_AllocHeapMem, type PFN_FreeHeapMem } from '../../src/index.ts'
import type { World } from './world.ts'

/** One call of a page callback. */
export interface Asked {
  readonly which: 'alloc' | 'free'
  readonly address: number
  readonly size: number
  readonly action: number
}

/** Callbacks that do what they are asked with VirtualAlloc and VirtualFree, and a list of what they were asked. */
export function provider({ ce }: World): { alloc: PFN_AllocHeapMem; free: PFN_FreeHeapMem; asked: Asked[] } {
  const asked: Asked[] = []
  return {
    asked,
    alloc: (address, size, action) => {
      asked.push({ which: 'alloc', address, size, action })
      return ce.VirtualAlloc(address, size, action, PAGE_READWRITE)
    },
    free: (address, size, action) => {
      asked.push({ which: 'free', address, size, action })
      return ce.VirtualFree(address, action === MEM_RELEASE ? 0 : size, action)
    }
  }
}
