// Faults behind interfaces: COM's allocator and its spy, and a CLR host.
import type { IMalloc } from '../../src/com/malloc.ts'
import type { IMallocSpy } from '../../src/com/spy.ts'
import { CO_E_OBJNOTREG, HOST_E_CLRNOTAVAILABLE, S_OK } from '../../src/constants.ts'
import type { IHostMalloc } from '../../src/hosting/malloc.ts'
import type { IHostMemoryManager } from '../../src/hosting/manager.ts'
import type { HeapUnderTest } from '../../src/conform/subject.ts'
import { after, type Fault, type Good } from './fault.ts'

/** The object with some methods replaced. */
function changed<T extends object>(object: T, changes: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      if (name in changes) return changes[name as keyof T]
      const value = target[name as keyof T]
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** A registration that puts something between the spy and the allocator. */
function spied(good: Good, changes: (spy: IMallocSpy) => Partial<IMallocSpy>): Partial<HeapUnderTest> {
  return {
    CoRegisterMallocSpy: (spy) => {
      if (spy === null) return good.CoRegisterMallocSpy(null)
      const between: IMallocSpy = changed(spy, {
        ...changes(spy),
        QueryInterface: (riid) => {
          const { hr, ppvObject } = spy.QueryInterface?.(riid) ?? { hr: S_OK, ppvObject: spy }
          return { hr, ppvObject: ppvObject === null ? null : between }
        }
      })
      return good.CoRegisterMallocSpy(between)
    }
  }
}

/** CoGetMalloc with some methods of what it gives replaced. */
export function allocator(good: Good, changes: (malloc: IMalloc) => Partial<IMalloc>): Partial<HeapUnderTest> {
  return {
    CoGetMalloc: (context) => {
      const { hr, ppMalloc } = good.CoGetMalloc(context)
      return { hr, ppMalloc: ppMalloc === null ? null : changed(ppMalloc, changes(ppMalloc)) }
    }
  }
}

/** A host with some methods replaced. */
export function hosted(good: Good, changes: (manager: IHostMemoryManager) => Partial<IHostMemoryManager>): Partial<HeapUnderTest> {
  return {
    openHost: (policy) => {
      const manager = (good.openHost as NonNullable<Good['openHost']>)(policy)
      return changed(manager, changes(manager))
    }
  }
}

function hostMalloc(good: Good, changes: (malloc: IHostMalloc) => Partial<IHostMalloc>): Partial<HeapUnderTest> {
  return hosted(good, (manager) => ({
    CreateMalloc: (type) => {
      const { hr, ppMalloc } = manager.CreateMalloc(type)
      return { hr, ppMalloc: ppMalloc === null ? null : changed(ppMalloc, changes(ppMalloc)) }
    }
  }))
}

export const interfaceFaults: readonly Fault[] = [
  {
    what: 'Realloc of IMalloc frees the block when it fails',
    rule: 'IM-6',
    plant: (good) => allocator(good, (malloc) => ({ Realloc: (p, n) => malloc.Realloc(p, n) || (n === 0 ? 0 : after(malloc.Free(p), 0)) }))
  },
  {
    what: 'GetSize of NULL is 0',
    rule: 'IM-9',
    plant: (good) => allocator(good, (malloc) => ({ GetSize: (p) => (p === 0 ? 0 : malloc.GetSize(p)) }))
  },
  { what: 'DidAlloc knows every pointer', rule: 'IM-10', plant: (good) => allocator(good, () => ({ DidAlloc: () => 1 })) },
  {
    what: 'HeapMinimize frees what is in use',
    rule: 'IM-11',
    plant: (good) => {
      let last = 0
      return allocator(good, (malloc) => ({
        Alloc: (n) => {
          last = malloc.Alloc(n)
          return last
        },
        HeapMinimize: () => {
          good.memory?.write(last, new Uint8Array(1))
          malloc.HeapMinimize()
        }
      }))
    }
  },
  {
    what: 'a second spy takes the place of the first',
    rule: 'SP-1',
    plant: (good) => ({ CoRegisterMallocSpy: (spy) => after(good.CoRevokeMallocSpy(), good.CoRegisterMallocSpy(spy)) })
  },
  {
    what: 'any object is taken for a spy',
    rule: 'SP-2',
    plant: (good) => ({ CoRegisterMallocSpy: (spy) => after(good.CoRegisterMallocSpy(spy), S_OK) })
  },
  {
    what: 'a revoke without a spy succeeds',
    rule: 'SP-5',
    plant: (good) => ({
      CoRevokeMallocSpy: () => {
        const hr = good.CoRevokeMallocSpy()
        return hr === CO_E_OBJNOTREG ? S_OK : hr
      }
    })
  },
  { what: 'a revoked spy is kept', rule: 'SP-7', plant: (good) => spied(good, () => ({ Release: () => 1 })) },
  {
    what: 'PreAlloc is not asked how much',
    rule: 'SP-10',
    plant: (good) => spied(good, (spy) => ({ PreAlloc: (n) => after(spy.PreAlloc(n), n) }))
  },
  { what: 'PreAlloc cannot refuse', rule: 'SP-11', plant: (good) => spied(good, (spy) => ({ PreAlloc: (n) => spy.PreAlloc(n) || n })) },
  {
    what: 'PostAlloc is not called where memory is out',
    rule: 'SP-12',
    plant: (good) => spied(good, (spy) => ({ PostAlloc: (p) => (p === 0 ? 0 : spy.PostAlloc(p)) }))
  },
  {
    what: 'the answer of PostAlloc does not reach the caller',
    rule: 'SP-14',
    plant: (good) => spied(good, (spy) => ({ PostAlloc: (p) => after(spy.PostAlloc(p), p) }))
  },
  { what: 'every block counts as spied', rule: 'SP-16', plant: (good) => spied(good, (spy) => ({ PreFree: (p) => spy.PreFree(p, 1) })) },
  {
    what: 'PreRealloc cannot refuse',
    rule: 'SP-18',
    plant: (good) =>
      spied(good, (spy) => ({
        PreRealloc: (p, n, fSpyed) => {
          const asked = spy.PreRealloc(p, n, fSpyed)
          return { ...asked, cb: asked.cb || n }
        }
      }))
  },
  {
    what: 'the answer of PostGetSize does not reach the caller',
    rule: 'SP-20',
    plant: (good) => spied(good, (spy) => ({ PostGetSize: (n, fSpyed) => after(spy.PostGetSize(n, fSpyed), n) }))
  },
  {
    what: 'IHostMalloc says S_OK to what it refuses',
    rule: 'HO-8',
    plant: (good) => hostMalloc(good, (malloc) => ({ Alloc: (n, level) => ({ ...malloc.Alloc(n, level), hr: S_OK }) }))
  },
  {
    what: 'IHostMalloc frees anything',
    rule: 'HO-10',
    plant: (good) => hostMalloc(good, (malloc) => ({ Free: (p) => after(malloc.Free(p), S_OK) }))
  },
  {
    what: 'a host grants address space without end',
    rule: 'HO-18',
    plant: (good) => hosted(good, () => ({ NeedsVirtualAddressSpace: () => S_OK }))
  },
  {
    what: "a host frees anybody's pages",
    rule: 'HO-13',
    plant: (good) => hosted(good, (manager) => ({ VirtualFree: (p, n, f) => after(manager.VirtualFree(p, n, f), S_OK) }))
  },
  {
    what: 'a host does not see its load rise',
    rule: 'HO-16',
    plant: (good) => hosted(good, () => ({ GetMemoryLoad: () => ({ hr: S_OK, pMemoryLoad: 7, pAvailableBytes: 0x1000 }) }))
  },
  {
    what: 'a host goes on after a failure at process level',
    rule: 'HO-5',
    plant: (good) =>
      hosted(good, (manager) => ({
        GetMemoryLoad: () => {
          const answer = manager.GetMemoryLoad()
          return answer.hr === HOST_E_CLRNOTAVAILABLE ? { ...answer, hr: S_OK } : answer
        }
      }))
  },
  {
    what: 'a host never tells its callback',
    rule: 'HO-21',
    plant: (good) => hosted(good, () => ({ RegisterMemoryNotificationCallback: () => S_OK }))
  }
]
