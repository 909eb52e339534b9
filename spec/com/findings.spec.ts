// Each kind of finding of this layer: its words, its rule, and that it travels from another thread.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { messagesApart } from '../coredll/apart.ts'
import { type IMalloc, openCom } from '../../src/com/index.ts'
import { COM_CALLS, COM_KINDS, type ComKind } from '../../src/coredll/uppercalls.ts'
import { attachThread, type CeThread, createProcess, type Finding } from '../../src/index.ts'
import { ruleById } from '../../src/rules/index.ts'
import { answering } from './scene.ts'
import { Witness } from '../../src/mixed/spies.ts'

interface Case {
  readonly rule: string
  readonly severity: string
  /** Provokes the finding once and returns its words. */
  raise(ce: CeThread, other: CeThread): string
}

const hex = (value: number): string => `0x${value.toString(16).toUpperCase().padStart(8, '0')}`
const mallocOf = (ce: CeThread): IMalloc => openCom(ce).CoGetMalloc(1).ppMalloc as IMalloc

/** Registers a spy with these answers in the thread. */
function spied(ce: CeThread, methods: Parameters<typeof answering>[0]): IMalloc {
  openCom(ce).CoRegisterMallocSpy(answering(methods))
  return mallocOf(ce)
}

const cases: Readonly<Record<ComKind, Case>> = {
  releasedMalloc: {
    rule: 'C-54',
    severity: 'error',
    raise: (ce) => {
      const malloc = mallocOf(ce)
      malloc.Release()
      malloc.Alloc(1)
      return 'IMalloc::Alloc: the interface was released: no reference to it is left'
    }
  },
  spyElsewhere: {
    rule: 'C-55',
    severity: 'warning',
    raise: (ce, other) => {
      openCom(other).CoRegisterMallocSpy(new Witness())
      openCom(ce).CoTaskMemAlloc(1)
      openCom(ce).CoTaskMemAlloc(1)
      return `CoTaskMemAlloc: the spy lives in thread ${other.tid}: this thread's calls are counted and not shown to it`
    }
  },
  spyReentered: {
    rule: 'C-56',
    severity: 'warning',
    raise: (ce) => {
      spied(ce, { PreHeapMinimize: () => openCom(ce).CoTaskMemFree(openCom(ce).CoTaskMemAlloc(1)) }).HeapMinimize()
      return 'CoTaskMemAlloc: a method of the spy calls the allocator: what the spy does itself is counted and not shown to it'
    }
  },
  spyCount: {
    rule: 'SP-10',
    severity: 'error',
    raise: (ce) => {
      spied(ce, { PreAlloc: () => 1 }).Alloc(2)
      return 'IMalloc::Alloc: the spy answers 1 bytes for a request of 2: too few'
    }
  },
  spyActual: {
    rule: 'SP-15',
    severity: 'error',
    raise: (ce) => {
      const p = ce.LocalAlloc(0, 1)
      const q = ce.LocalAlloc(0, 1)
      spied(ce, { PreFree: () => q }).Free(p)
      return `IMalloc::Free: the spy answers ${hex(q)} for the start of the allocation, which is ${hex(p)}`
    }
  },
  spyOffset: {
    rule: 'SP-14',
    severity: 'error',
    raise: (ce) => {
      const p = ce.LocalAlloc(0, 2)
      ce.LocalFree(p)
      spied(ce, { PostAlloc: () => 0xfffffff0 }).Alloc(2)
      return `IMalloc::Alloc: the spy hands out 0xFFFFFFF0 for the block at ${hex(p)}, which does not hold that address`
    }
  },
  spyNewRequest: {
    rule: 'SP-17',
    severity: 'error',
    raise: (ce) => {
      spied(ce, { PreRealloc: (_, cb) => ({ cb }) as never }).Realloc(ce.LocalAlloc(0, 1), 2)
      return 'IMalloc::Realloc: PreRealloc stored no ppNewRequest: nothing is resized'
    }
  },
  spyThrew: {
    rule: 'C-60',
    severity: 'error',
    raise: (ce) => {
      const PostHeapMinimize = (): void => {
        throw new Error('oh')
      }
      assert.equal(
        messagesApart(() => spied(ce, { PostHeapMinimize }).HeapMinimize()),
        ['oh']
      )
      return 'IMalloc::HeapMinimize: PostHeapMinimize of the spy threw an error, or gave an answer that is none'
    }
  },
  secondRevoke: {
    rule: 'C-58',
    severity: 'warning',
    raise: (ce) => {
      spied(ce, {}).Alloc(1)
      openCom(ce).CoRevokeMallocSpy()
      openCom(ce).CoRevokeMallocSpy()
      return 'CoRevokeMallocSpy: the revoke is pending already: it is to be called once for each register'
    }
  }
}

const kinds = suite('findings of COM')

for (const [kind, { rule, severity, raise }] of Object.entries(cases)) {
  for (const thread of [1, 2]) {
    kinds(`${kind} of thread ${thread}`, () => {
      const process = createProcess({ memory: 1024 * 1024 })
      const findings: Finding[] = []
      process.onFinding((finding) => findings.push(finding))
      const attached = attachThread(process.share())
      const [ce, other] = thread === 1 ? [process.thread, attached] : [attached, process.thread]
      const message = raise(ce, other)
      process.drainFindings()
      const [call = ''] = message.split(': ')
      assert.equal(findings, [{ rule, severity, call, thread, message }])
      assert.ok((COM_CALLS as readonly string[]).includes(call))
      assert.ok(ruleById(rule))
      process.check()
    })
  }
}

kinds('the table above has every kind', () => {
  assert.equal(Object.keys(cases).sort(), Object.keys(COM_KINDS).sort())
})
kinds.run()
