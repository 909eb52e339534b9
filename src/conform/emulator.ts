import { EXCEPTION_ACCESS_VIOLATION, EXCEPTION_GUARD_PAGE } from '../constants.ts'
import { openCom } from '../com/index.ts'
import { CALLS } from '../coredll/calls.ts'
import { attachThread, createProcess } from '../coredll/process.ts'
import type { CeThread } from '../coredll/thread.ts'
import { openHost } from '../hosting/index.ts'
import { AccessViolation, GuardPageException } from '../machine/memory.ts'
import type { Build, ProfileName } from '../profile.ts'
import type { HeapFunctions, HeapFunctionsOf, HeapUnderTest } from './subject.ts'

/** Small enough to be made anew for each case, large enough for big blocks of every profile. */
const memory = 4 * 1024 * 1024

function functionsOf(ce: CeThread): HeapFunctionsOf {
  const functions: Record<string, unknown> = {}
  // Looked up at each call: a host that waits for news of memory puts a watched form in front of it.
  for (const name of CALLS) functions[name] = (...args: number[]) => (ce[name] as (...args: number[]) => unknown).apply(ce, args)
  return { ...(functions as Partial<HeapFunctions>), ...openCom(ce) }
}

/** This emulator as an implementation under test: a process of its own, freshly made. */
export function emulator(profile: ProfileName, build: Build): HeapUnderTest {
  const process = createProcess({ profile, build, memory })
  const ce = process.thread
  let second: HeapFunctionsOf | undefined
  return {
    ...functionsOf(ce),
    openHost: (policy) => openHost(ce, policy),
    memory: {
      read: (address, length) => ce.memory.read(address, length),
      write: (address, data) => ce.memory.write(address, data),
      touch: (address) => {
        try {
          ce.memory.readU8(address)
          return 0
        } catch (error) {
          if (error instanceof GuardPageException) return EXCEPTION_GUARD_PAGE
          if (error instanceof AccessViolation) return EXCEPTION_ACCESS_VIOLATION
          throw error
        }
      }
    },
    get secondThread() {
      second ??= functionsOf(attachThread(process.share()))
      return second
    },
    close: () => process.close()
  }
}
