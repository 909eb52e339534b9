import { S_OK } from '../constants.ts'
import type { ICLRMemoryNotificationCallback } from '../hosting/notify.ts'
import type { HostPolicy } from '../hosting/policy.ts'

/** A CLR host as a case opens it, with what it was told. */
export interface CaseHost {
  readonly policy: HostPolicy
  readonly failures: number
  readonly callback: ICLRMemoryNotificationCallback
  /** What the callback was told last; 0 before. */
  readonly told: number
}

/** `generous` bounds nothing; `budget` grants 64 KB at task level, 128 KB at the others, and 1 MB of address space; `strict` 64 KB at any level. */
export function caseHost(kind: string): CaseHost {
  let failures = 0
  let told = 0
  const onFailure = (): void => {
    failures++
  }
  const policies: Readonly<Record<string, HostPolicy>> = {
    generous: { onFailure },
    budget: { budget: { task: 0x10000, appDomain: 0x20000, process: 0x20000 }, addressSpace: 0x100000, onFailure },
    strict: { budget: { task: 0x10000, appDomain: 0x10000, process: 0x10000 }, onFailure }
  }
  const policy = policies[kind]
  if (policy === undefined) throw new TypeError(`script: expected one of ${Object.keys(policies).join(', ')}, got ${kind}`)
  return {
    policy,
    get failures() {
      return failures
    },
    get told() {
      return told
    },
    callback: {
      OnMemoryNotification: (available) => {
        told = available
        return S_OK
      }
    }
  }
}
