import { E_INVALIDARG, MEMCTX_TASK, S_OK } from '../constants.ts'
import { within } from '../coredll/border.ts'
import { needOpen } from '../coredll/caller.ts'
import { CeThread } from '../coredll/thread.ts'
import { isDword, misuse, notDword } from '../errors.ts'
import { TaskMalloc } from './malloc.ts'
import type { IMalloc } from './malloc.ts'
import type { SpyState } from '../coredll/spyregistration.ts'
import type { IMallocSpy } from './spy.ts'
import { TaskAllocator } from './task.ts'

/** What CoGetMalloc answers: S_OK and the interface, or E_INVALIDARG and null. */
export interface CoGetMallocResult {
  readonly hr: number
  readonly ppMalloc: IMalloc | null
}

/** COM's memory functions as one thread calls them. HRESULTs are unsigned. The functions may be taken out of the object. */
export interface Com {
  /** The task allocator, with one reference more, for context 1 (CM-1); E_INVALIDARG and null for any other (C-54). */
  readonly CoGetMalloc: (dwMemContext: number) => CoGetMallocResult
  /** IMalloc::Alloc (CT-1). */
  readonly CoTaskMemAlloc: (cb: number) => number
  /** IMalloc::Realloc (CT-2). A bad pointer gives 0 and a finding here; a device may end the program (CT-3, C-53). */
  readonly CoTaskMemRealloc: (pv: number, cb: number) => number
  /** IMalloc::Free (CT-4). */
  readonly CoTaskMemFree: (pv: number) => void
  /**
   * From here on each call of IMalloc in this thread goes through the spy (SP-4, C-55). S_OK; CO_E_OBJISREG if the process has a spy; E_INVALIDARG for NULL
   * (null or 0), or if the spy's QueryInterface fails (SP-1 to SP-3, C-61). Throws a TypeError for an object that lacks one of the twelve methods.
   */
  readonly CoRegisterMallocSpy: (lpMallocSpy: IMallocSpy | null | 0) => number
  /** S_OK; CO_E_OBJNOTREG if there is no spy; E_ACCESSDENIED while its blocks live: the revoke is done when the last is freed (SP-5 to SP-7, C-58). */
  readonly CoRevokeMallocSpy: () => number
}

interface Opened {
  readonly com: Com
  readonly task: TaskAllocator
}

// One for each thread: a spy and the references to IMalloc are the thread's, however often it opens COM.
const opened = new WeakMap<CeThread, Opened>()

function open(what: string, ce: CeThread): Opened {
  if (!(ce instanceof CeThread)) throw misuse(`${what}: ce`, 'a CeThread', ce)
  const known = opened.get(ce)
  if (known !== undefined) return known
  const task = new TaskAllocator(ce)
  const fresh = { com: comOf(ce, task), task }
  opened.set(ce, fresh)
  return fresh
}

/**
 * COM's task allocator and its spy, for a thread of an emulated process. Each block is one of the process heap (C-52).
 *
 *     const { CoGetMalloc, CoTaskMemFree } = openCom(process.thread)
 *     const { ppMalloc } = CoGetMalloc(MEMCTX_TASK)
 */
export function openCom(ce: CeThread): Com {
  return open('openCom', ce).com
}

/** The process's spy, as plain data; undefined if none is registered. */
export function spyState(ce: CeThread): SpyState | undefined {
  const { task } = open('spyState', ce)
  needOpen(ce, 'spyState')
  return within(ce.machine, () => task.state())
}

function comOf(ce: CeThread, task: TaskAllocator): Com {
  let malloc = new TaskMalloc(ce, task)
  return {
    CoGetMalloc: (dwMemContext) => {
      if (!isDword(dwMemContext)) throw notDword('CoGetMalloc', 'dwMemContext', dwMemContext)
      needOpen(ce, 'CoGetMalloc')
      return ce.outer<CoGetMallocResult>('CoGetMalloc', [dwMemContext], () => {
        if (dwMemContext !== MEMCTX_TASK) return { hr: E_INVALIDARG, ppMalloc: null }
        // One without references has ended; whoever still uses it is to be told from those who hold the new one.
        if (malloc.references === 0) malloc = new TaskMalloc(ce, task)
        malloc.addReference()
        return { hr: S_OK, ppMalloc: malloc }
      })
    },
    CoTaskMemAlloc: (cb) => ce.outer('CoTaskMemAlloc', [cb], () => task.alloc('CoTaskMemAlloc', cb)),
    CoTaskMemRealloc: (pv, cb) => ce.outer('CoTaskMemRealloc', [pv, cb], () => task.realloc('CoTaskMemRealloc', pv, cb)),
    CoTaskMemFree: (pv) => ce.outer('CoTaskMemFree', [pv], () => task.free('CoTaskMemFree', pv)),
    CoRegisterMallocSpy: (lpMallocSpy) => ce.outer('CoRegisterMallocSpy', [], () => task.register(lpMallocSpy)),
    CoRevokeMallocSpy: () => ce.outer('CoRevokeMallocSpy', [], () => task.revoke())
  }
}
