import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  createProcess,
  type Finding,
  MEM_RELEASE,
  PAGE_READWRITE,
  type ProfileName
} from '../../src/index.ts'

const KB = 1024

export interface Page {
  readonly which: 'alloc' | 'free'
  readonly address: number
  readonly size: number
  readonly action: number
}

/** A process, and a provider of pages that does what it is asked; a test bends it with `instead`, which answers undefined to let it be. */
export class Lender {
  readonly process: CeProcess
  readonly ce: CeThread
  readonly asked: Page[] = []
  readonly findings: Finding[] = []
  instead: (page: Page) => number | undefined = () => undefined

  constructor(profile: ProfileName = 'compact-2013') {
    this.process = createProcess({ profile, memory: 2048 * KB, lockTimeout: 50 })
    this.ce = this.process.thread
    this.process.onFinding((finding) => this.findings.push(finding))
  }

  heap(initial = 0, maximum = 0): number {
    return this.ce.CeHeapCreate(
      0,
      initial,
      maximum,
      (address, size, action) => this.#answer({ which: 'alloc', address, size, action }),
      (address, size, action) => this.#answer({ which: 'free', address, size, action })
    )
  }

  /** How often the callbacks were asked to do `action`. */
  times(action: number): number {
    return this.asked.filter((page) => page.action === action).length
  }

  /** Everything holds, and the sections are free: another thread enters them. */
  sound(): void {
    this.process.check()
    const other = attachThread(this.process.share())
    for (const { handle } of this.process.snapshot().heaps) assert.is(other.HeapValidate(handle, 0, 0), 1)
    const p = other.HeapAlloc(other.GetProcessHeap(), 0, 100)
    assert.is(other.HeapFree(other.GetProcessHeap(), 0, p), 1)
    other.detach()
  }

  #answer(page: Page): number {
    this.asked.push(page)
    const bent = this.instead(page)
    if (bent !== undefined) return bent
    const { which, address, size, action } = page
    if (which === 'alloc') return this.ce.VirtualAlloc(address, size, action, PAGE_READWRITE)
    return this.ce.VirtualFree(address, action === MEM_RELEASE ? 0 : size, action)
  }
}
