import { LMEM_MODIFY } from '../constants.ts'

/**
 * What a call does to the blocks of an app, told from its arguments and its result alone, so that what keeps count of live blocks (intervals.ts,
 * claims.ts) trusts nothing of the emulator.
 */
export interface Effect {
  /** The block that the call gives up if it succeeds; 0 for none. */
  readonly gives: number
  /** The heap that it ends if it succeeds; 0 for none. */
  readonly ends: number
  /** Size of the block that it hands out if it succeeds, in bytes; -1 for none. */
  readonly takes: number
  /** The heap of that block. Local* and Global* are the process heap, which is given as 0 here. */
  readonly heap: number
  /** Whether `result` says that it succeeded. */
  succeeded(result: number): boolean
}

const isPointer = (result: number): boolean => result !== 0
const isNull = (result: number): boolean => result === 0

function taking(heap: number, bytes: number): Effect {
  return { gives: 0, ends: 0, takes: bytes, heap, succeeded: isPointer }
}

function resizing(heap: number, block: number, bytes: number): Effect {
  return { gives: block, ends: 0, takes: bytes, heap, succeeded: isPointer }
}

function giving(block: number, succeeded: Effect['succeeded']): Effect {
  return { gives: block, ends: 0, takes: -1, heap: 0, succeeded }
}

/** undefined for every call that leaves the blocks as they are. */
export function effectOf(call: string, args: readonly number[]): Effect | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = args
  switch (call) {
    case 'HeapAlloc':
      return taking(a, c)
    case 'HeapReAlloc':
      return resizing(a, c, d)
    case 'HeapFree':
      return giving(c, isPointer)
    case 'HeapDestroy':
      return { gives: 0, ends: a, takes: -1, heap: a, succeeded: isPointer }
    case 'LocalAlloc':
    case 'GlobalAlloc':
      return taking(0, b)
    case 'LocalReAlloc':
    case 'GlobalReAlloc':
      // With LMEM_MODIFY it is the flags that change (LR-2).
      return (c & LMEM_MODIFY) !== 0 ? undefined : resizing(0, a, b)
    case 'LocalFree':
    case 'GlobalFree':
      return giving(a, isNull)
    default:
      return undefined
  }
}
