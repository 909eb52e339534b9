// Each kind of finding of this layer, from the creating thread and from another one.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { throwsApart } from '../coredll/apart.ts'
import { HOST_CALLS, HOST_KINDS, type HostKind } from '../../src/coredll/uppercalls.ts'
import { type IHostMemoryManager, openHost } from '../../src/hosting/index.ts'
import { attachThread, createProcess, eTaskCritical, type Finding } from '../../src/index.ts'
import { ruleById } from '../../src/rules/index.ts'

interface Case {
  readonly rule: string
  readonly severity: string
  /** Provokes the finding once and returns its words. */
  raise(host: IHostMemoryManager): string
}

const mallocOf = (host: IHostMemoryManager) => {
  const { ppMalloc } = host.CreateMalloc(0)
  assert.ok(ppMalloc)
  return ppMalloc
}

const cases: Readonly<Record<HostKind, Case>> = {
  releasedHost: {
    rule: 'C-86',
    severity: 'error',
    raise: (host) => {
      host.Release()
      host.GetMemoryLoad()
      return 'IHostMemoryManager::GetMemoryLoad: the interface was released: no reference to it is left'
    }
  },
  notOfHost: {
    rule: 'C-89',
    severity: 'error',
    raise: (host) => {
      mallocOf(host).Free(0x8000)
      return 'IHostMalloc::Free: 0x00008000 is not memory that was allocated through this interface'
    }
  },
  hostLeak: {
    rule: 'C-87',
    severity: 'warning',
    raise: (host) => {
      const malloc = mallocOf(host)
      const { ppMem } = malloc.Alloc(1, eTaskCritical)
      malloc.Release()
      return `IHostMalloc::Release: the allocator ends with 1 block still allocated, the first at 0x${ppMem.toString(16).toUpperCase().padStart(8, '0')}`
    }
  },
  badName: {
    rule: 'C-87',
    severity: 'error',
    raise: (host) => {
      mallocOf(host).DebugAlloc(1, eTaskCritical, 0xffffffff, 1)
      return 'IHostMalloc::DebugAlloc: the file name at 0xFFFFFFFF cannot be read: the block is recorded without it'
    }
  },
  ledger: {
    rule: 'C-91',
    severity: 'error',
    raise: (host) => {
      host.ReleasedVirtualAddressSpace(0x10000)
      return 'IHostMemoryManager::ReleasedVirtualAddressSpace: the range of 0 bytes at 0x00010000 does not fit what was told before: nothing is recorded'
    }
  },
  notifyThrew: {
    rule: 'C-90',
    severity: 'error',
    raise: (host) => {
      const OnMemoryNotification = (): never => {
        throw new Error('no')
      }
      throwsApart(() => host.RegisterMemoryNotificationCallback({ OnMemoryNotification }), Error, 'no')
      return 'IHostMemoryManager::RegisterMemoryNotificationCallback: OnMemoryNotification(3) threw an error'
    }
  }
}

const kinds = suite('findings of hosting')

for (const [kind, { rule, severity, raise }] of Object.entries(cases)) {
  for (const thread of [1, 2]) {
    kinds(`${kind} of thread ${thread}`, () => {
      const process = createProcess({ memory: 1024 * 1024 })
      const findings: Finding[] = []
      process.onFinding((finding) => findings.push(finding))
      const message = raise(openHost(thread === 1 ? process.thread : attachThread(process.share())))
      process.drainFindings()
      const [call = ''] = message.split(': ')
      assert.equal(findings, [{ rule, severity, call, thread, message }])
      assert.ok((HOST_CALLS as readonly string[]).includes(call))
      assert.ok(ruleById(rule))
      process.check()
    })
  }
}

kinds('the table above has every kind', () => {
  assert.equal(Object.keys(cases).sort(), Object.keys(HOST_KINDS).sort())
})
kinds.run()
