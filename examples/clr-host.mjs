// A CLR host's day: it lends a runtime memory under a policy, watches the device run short, refuses what it must, and reads the leak report in the evening.
// Run it after `npm run build`: node examples/clr-host.mjs
import {
  createProcess,
  eAppDomainCritical,
  eMemoryAvailableHigh,
  eMemoryAvailableLow,
  eMemoryAvailableNeutral,
  eProcessCritical,
  eTaskCritical,
  MALLOC_EXECUTABLE,
  MALLOC_THREADSAFE,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_EXECUTE_READ,
  PAGE_READWRITE,
  S_OK
} from 'ceheap'
import { hostReport, openHost } from 'ceheap/hosting'

const KB = 1024
const MB = 1024 * KB
const hex = (hr) => (hr === S_OK ? 'S_OK' : `0x${hr.toString(16).toUpperCase()}`)
const say = (what, ...values) => console.log(`${what.padEnd(46)} ${values.join('  ')}`)

// A device with 8 MB of memory; the runtime's tasks may have 3 MB of it, its domains 4, the runtime itself what there is.
const device = createProcess({ memory: 32 * MB, physical: 8 * MB })
const host = openHost(device.thread, {
  budget: { task: 3 * MB, appDomain: 4 * MB },
  addressSpace: 16 * MB,
  low: 80,
  high: 40,
  onFailure: ({ level, bytes, hr }) => say('  the host notes a refusal', `level ${level}`, `${bytes} bytes`, hex(hr))
})

const names = { [eMemoryAvailableLow]: 'low', [eMemoryAvailableNeutral]: 'neutral', [eMemoryAvailableHigh]: 'high' }
let collect = false
host.RegisterMemoryNotificationCallback({
  OnMemoryNotification(available) {
    say('  the runtime hears that memory is', names[available])
    collect = available === eMemoryAvailableLow
    return S_OK
  }
})

// Morning: the runtime loads, reserves its garbage-collected heap and commits as it grows.
const loader = host.CreateMalloc(MALLOC_THREADSAFE).ppMalloc
const code = host.CreateMalloc(MALLOC_EXECUTABLE).ppMalloc
for (let type = 0; type < 200; type++) loader.DebugAlloc(64 + type, eAppDomainCritical, 'clsload.cpp', 100 + type)
const jitted = Array.from({ length: 40 }, () => code.Alloc(1500, eTaskCritical).ppMem)
const segment = host.VirtualAlloc(0, 8 * MB, MEM_RESERVE, PAGE_READWRITE, eAppDomainCritical).ppMem
let used = 0
const grow = (bytes, level) => {
  const { hr } = host.VirtualAlloc(segment + used, bytes, MEM_COMMIT, PAGE_READWRITE, level)
  if (hr === S_OK) used += bytes
  return hr
}
while (used < 2 * MB) grow(256 * KB, eTaskCritical)
say('after the morning', `${used / KB} KB of objects`, `load ${host.GetMemoryLoad().pMemoryLoad} %`)

// Noon: other programs take memory too; the host asks before it takes an address range of its own.
say('needs 12 MB of addresses', hex(host.NeedsVirtualAddressSpace(0, 12 * MB)))
const stacks = device.thread.VirtualAlloc(0, 4 * MB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
host.AcquiredVirtualAddressSpace(stacks, 4 * MB)
say('needs 13 MB more', hex(host.NeedsVirtualAddressSpace(0, 13 * MB)))

// Afternoon: a task wants more than its share, a domain may still grow, the collector gives pages back when memory is low.
say('a task grows by 1 MB', hex(grow(1 * MB, eTaskCritical)))
say('a domain grows by 1 MB', hex(grow(1 * MB, eAppDomainCritical)))
if (collect) {
  used -= 1.5 * MB
  say('the collector gives 1.5 MB back', hex(host.VirtualFree(segment + used, 1.5 * MB, MEM_DECOMMIT)))
}
const { pflOldProtect } = host.VirtualProtect(segment, 4 * KB, PAGE_EXECUTE_READ)
say('a page of objects becomes read-only', `was 0x${pflOldProtect.toString(16)}`)

// Evening: the runtime shuts down. One method and half of the types are forgotten.
for (const method of jitted.slice(1)) code.Free(method)
for (const { address, line } of hostReport(host).mallocs[0].blocks) if (line % 2 === 0) loader.Free(address)
code.Release()
loader.Release()
host.VirtualFree(segment, 0, MEM_DECOMMIT)
host.VirtualFree(segment, 0, MEM_RELEASE)
device.thread.VirtualFree(stacks, 0, MEM_RELEASE)
host.ReleasedVirtualAddressSpace(stacks)

const { bytes, leaks, reservations, addressSpace } = hostReport(host)
say('still handed out', `${bytes} bytes`, `${reservations.length} reservations`, `${addressSpace.length} ranges`)
say('leaks', leaks.length, `first with a name: ${leaks.find(({ file }) => file)?.file}(${leaks.find(({ file }) => file)?.line})`)

// Night: what the runtime itself cannot do without is refused, and that is its end.
say('the runtime needs 9 MB', hex(host.VirtualAlloc(0, 9 * MB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, eProcessCritical).hr))
say('any call from now on', hex(host.GetMemoryLoad().hr))
device.check()
device.close()
