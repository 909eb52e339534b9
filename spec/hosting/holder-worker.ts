// A worker that takes memory, says so, and gives it back when it hears of it.
import { parentPort, workerData } from 'node:worker_threads'
import { openHost } from '../../src/hosting/index.ts'
import { attachThread, eTaskCritical, MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE, type ShareToken } from '../../src/index.ts'

export interface Held {
  readonly token: ShareToken
  readonly bytes: number
  /** By VirtualAlloc of the system rather than by a block of a host. */
  readonly virtual: boolean
}

if (parentPort !== null) {
  const { token, bytes, virtual } = workerData as Held
  const ce = attachThread(token)
  const malloc = openHost(ce).CreateMalloc(0).ppMalloc
  const held = virtual ? ce.VirtualAlloc(0, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) : malloc?.Alloc(bytes, eTaskCritical).ppMem
  if (!held) throw new Error('the worker got no memory')
  parentPort.postMessage('held')
  parentPort.once('message', () => {
    if (virtual) ce.VirtualFree(held, 0, MEM_RELEASE)
    else malloc?.Free(held)
    malloc?.Release()
    ce.detach()
  })
}
