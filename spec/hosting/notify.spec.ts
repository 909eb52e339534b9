// IHostMemoryManager: the memory load, and notifications of low, neutral and high memory.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ICLRMemoryNotificationCallback, openHost } from '../../src/hosting/index.ts'
import {
  attachThread,
  E_INVALIDARG,
  eMemoryAvailableHigh,
  eMemoryAvailableLow,
  eMemoryAvailableNeutral,
  eTaskCritical,
  HOST_E_INVALIDOPERATION,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  S_OK
} from '../../src/index.ts'
import { here } from '../com/scene.ts'
import { throwsApart } from '../coredll/apart.ts'
import { everywhere, open, refuses } from '../coredll/world.ts'

const RESERVE_COMMIT = MEM_RESERVE | MEM_COMMIT

const telling = suite('memory load and notifications')

/** Remembers what it was told. */
class Callback implements ICLRMemoryNotificationCallback {
  readonly told: number[] = []
  references = 0

  AddRef(): number {
    return ++this.references
  }

  Release(): number {
    return --this.references
  }

  OnMemoryNotification(eMemoryAvailable: number): unknown {
    this.told.push(eMemoryAvailable)
    return S_OK
  }
}

const MB = 0x100000
/** So many megabytes, in whole pages. */
const part = (megabytes: number): number => Math.floor(megabytes * 256) * 0x1000

everywhere(telling, 'HO-16: the load is that of physical memory, whoever uses it', (world) => {
  const host = openHost(world.ce)
  const { ce } = world
  const rest = 4 * MB - world.process.snapshot().committed
  assert.equal(host.GetMemoryLoad(), { hr: S_OK, pMemoryLoad: Math.floor(((4 * MB - rest) / (4 * MB)) * 100), pAvailableBytes: rest })
  ce.VirtualAlloc(0, 2 * MB, RESERVE_COMMIT, PAGE_READWRITE)
  assert.equal(host.GetMemoryLoad(), {
    hr: S_OK,
    pMemoryLoad: Math.floor(((6 * MB - rest) / (4 * MB)) * 100),
    pAvailableBytes: rest - 2 * MB
  })
})

telling('HO-7, HO-17, HO-21, C-90: low, neutral and high are told once each time they come', () => {
  const { ce, findings } = open(here)
  const host = openHost(ce)
  const callback = new Callback()
  assert.is(host.RegisterMemoryNotificationCallback(callback), S_OK)
  assert.equal(callback.told.splice(0), [eMemoryAvailableHigh], 'most memory is free')
  const half = ce.VirtualAlloc(0, part(2.4), RESERVE_COMMIT, PAGE_READWRITE)
  assert.equal(callback.told.splice(0), [eMemoryAvailableNeutral])
  const rest = ce.VirtualAlloc(0, part(1.4), RESERVE_COMMIT, PAGE_READWRITE)
  ce.LocalAlloc(0, 10)
  assert.equal(callback.told.splice(0), [eMemoryAvailableLow])
  ce.VirtualFree(rest, 0, MEM_RELEASE)
  ce.VirtualFree(half, 0, MEM_RELEASE)
  assert.equal(callback.told, [eMemoryAvailableNeutral, eMemoryAvailableHigh])
  assert.equal(findings, [], 'a callback that returns has done nothing wrong')
  assert.equal([eMemoryAvailableLow, eMemoryAvailableNeutral, eMemoryAvailableHigh], [1, 2, 3])
})

telling("C-90: a refused commit makes memory low (HI-18), the bounds are the host's", () => {
  const { ce } = open(here)
  ce.VirtualAlloc(0, part(0.2), RESERVE_COMMIT, PAGE_READWRITE)
  const host = openHost(ce, { low: 60, high: 1 })
  const callback = new Callback()
  host.RegisterMemoryNotificationCallback(callback)
  assert.equal(callback.told, [], 'neutral is where it begins')
  assert.is(ce.VirtualAlloc(0, part(3.99), RESERVE_COMMIT, PAGE_READWRITE), 0)
  const some = ce.VirtualAlloc(0, 0x1000, RESERVE_COMMIT, PAGE_READWRITE)
  const most = ce.VirtualAlloc(0, part(2.6), RESERVE_COMMIT, PAGE_READWRITE)
  assert.ok(some !== 0 && most !== 0)
  assert.equal(callback.told.at(-1), eMemoryAvailableLow)
  ce.VirtualFree(most, 0, MEM_RELEASE)
  assert.equal(callback.told.at(-1), eMemoryAvailableNeutral)
})

telling("another thread that changes memory does not wait: its news comes with the next call of the host's thread", () => {
  const { ce, process } = open(here)
  const host = openHost(ce)
  const callback = new Callback()
  host.RegisterMemoryNotificationCallback(callback)
  callback.told.length = 0
  const other = attachThread(process.share())
  const base = other.VirtualAlloc(0, part(3.8), RESERVE_COMMIT, PAGE_READWRITE)
  assert.equal(callback.told, [])
  ce.GetLastError()
  assert.equal(callback.told, [eMemoryAvailableLow])
  other.VirtualFree(base, 0, MEM_RELEASE)
  other.VirtualAlloc(0, part(3.8), RESERVE_COMMIT, PAGE_READWRITE)
  ce.GetLastError()
  assert.equal(callback.told, [eMemoryAvailableLow], 'nothing has changed in between, as far as this thread could tell')
})

telling('C-90, C-97: a callback that throws is reported, the error is thrown apart, and the call it came after keeps its result', () => {
  const { ce, findings } = open(here)
  const host = openHost(ce)
  const thrower = {
    OnMemoryNotification: (): never => {
      throw new Error('no')
    }
  }
  assert.is(
    throwsApart(() => host.RegisterMemoryNotificationCallback(thrower), Error, 'no'),
    S_OK
  )
  const base = throwsApart(() => ce.VirtualAlloc(0, part(3.8), RESERVE_COMMIT, PAGE_READWRITE), Error, 'no')
  assert.is.not(base, 0)
  assert.equal(
    findings.map(({ rule }) => rule),
    ['C-90', 'C-90']
  )
})

telling('C-90: a callback may allocate, free and register again; each change is still told once', () => {
  const { ce } = open(here)
  const host = openHost(ce, { low: 85 })
  const malloc = host.CreateMalloc(0).ppMalloc
  assert.ok(malloc)
  const cache = host.VirtualAlloc(0, part(2.1), RESERVE_COMMIT, PAGE_READWRITE, eTaskCritical).ppMem
  const told: number[] = []
  const second = new Callback()
  host.RegisterMemoryNotificationCallback({
    OnMemoryNotification(available: number) {
      told.push(available)
      malloc.Free(malloc.Alloc(10, eTaskCritical).ppMem)
      if (available !== eMemoryAvailableLow) return
      host.VirtualFree(cache, 0, MEM_RELEASE)
      host.RegisterMemoryNotificationCallback(second)
    }
  })
  const base = ce.VirtualAlloc(0, part(1.5), RESERVE_COMMIT, PAGE_READWRITE)
  assert.is.not(base, 0)
  assert.equal(told, [eMemoryAvailableLow])
  assert.equal(second.told, [], 'not inside of a notification')
  ce.GetLastError()
  assert.equal(second.told, [eMemoryAvailableHigh])
})

telling('a callback is held by references, replaced by the next, and let go with the host', () => {
  const { ce } = open(here)
  const host = openHost(ce)
  const [first, second] = [new Callback(), new Callback()]
  host.RegisterMemoryNotificationCallback(first)
  host.RegisterMemoryNotificationCallback(second)
  assert.equal([first.references, second.references], [0, 1])
  assert.is(host.RegisterMemoryNotificationCallback(null), E_INVALIDARG)
  assert.is(host.RegisterMemoryNotificationCallback(0), E_INVALIDARG)
  assert.is(second.references, 1)
  second.told.length = 0
  host.Release()
  assert.is(second.references, 0)
  ce.VirtualAlloc(0, part(3.8), RESERVE_COMMIT, PAGE_READWRITE)
  assert.equal(second.told, [])
  assert.equal(host.GetMemoryLoad(), { hr: HOST_E_INVALIDOPERATION, pMemoryLoad: 0, pAvailableBytes: 0 })
  const register = (value: unknown) => () => openHost(ce).RegisterMemoryNotificationCallback(value as null)
  for (const wrong of [undefined, 5, 'x', () => 1])
    refuses(register(wrong), TypeError, /pCallback: expected an object, or null or 0 for NULL, got /)
  refuses(register({}), TypeError, /pCallback.OnMemoryNotification: expected a function, got undefined/)
})
telling.run()
