// A worker that uses the task allocator beside others: its own spy when it can register one, its own blocks, and blocks of the others through shared slots.
import { parentPort, workerData } from 'node:worker_threads'
import { openCom } from '../../src/com/index.ts'
import { attachThread, CO_E_OBJISREG, CO_E_OBJNOTREG, type CeThread, E_ACCESSDENIED, S_OK, type ShareToken } from '../../src/index.ts'
import { Headers } from '../../src/mixed/spies.ts'

export interface Job {
  readonly token: ShareToken
  readonly seed: number
  readonly rounds: number
  /** Address of 1,024 words that are zero at first; blocks change hands through all but the first. */
  readonly shared: number
}

export interface Done {
  /** Methods of spies that were called. */
  readonly spied: number
  /** Blocks taken over from another worker. */
  readonly passed: number
  readonly error: string | undefined
}

const SLOTS = 64
const HEADER = 16

/** A spy with a header in each block: the block's own address, twice, which only a whole header tells. Between Pre and Post nobody else's methods run. */
class Guard extends Headers {
  calls = 0
  readonly #ce: CeThread
  readonly #busy: Int32Array

  constructor(ce: CeThread, busy: Int32Array) {
    super(HEADER)
    this.#ce = ce
    this.#busy = busy
  }

  #enter(): void {
    this.calls++
    this.log.length = 0
    if (Atomics.exchange(this.#busy, 0, 1) !== 0) throw new Error('another spy is between Pre and Post')
  }

  #leave(): void {
    if (Atomics.exchange(this.#busy, 0, 0) !== 1) throw new Error('a Post without its Pre')
  }

  #sign(actual: number): void {
    if (actual === 0) return
    this.#ce.memory.writeU32(actual, 0x5eed)
    this.#ce.memory.writeU32(actual + 4, ~0x5eed >>> 0)
  }

  #check(request: number): void {
    const at = request - HEADER
    if (this.#ce.memory.readU32(at) !== 0x5eed || this.#ce.memory.readU32(at + 4) !== ~0x5eed >>> 0) throw new Error('a header is gone')
  }

  override PreAlloc(cbRequest: number): number {
    this.#enter()
    return super.PreAlloc(cbRequest)
  }

  override PostAlloc(pActual: number): number {
    this.#sign(pActual)
    this.#leave()
    return super.PostAlloc(pActual)
  }

  override PreFree(pRequest: number, fSpyed: number): number {
    this.#enter()
    if (fSpyed === 1) this.#check(pRequest)
    return super.PreFree(pRequest, fSpyed)
  }

  override PostFree(fSpyed: number): void {
    this.#leave()
    super.PostFree(fSpyed)
  }

  override PreRealloc(pRequest: number, cbRequest: number, fSpyed: number): ReturnType<Headers['PreRealloc']> {
    // A forced failure has no Post.
    if (fSpyed === 1) {
      this.#enter()
      this.#check(pRequest)
    }
    return super.PreRealloc(pRequest, cbRequest, fSpyed)
  }

  override PostRealloc(pActual: number, fSpyed: number): number {
    this.#leave()
    return super.PostRealloc(pActual, fSpyed)
  }
}

function run({ token, seed, rounds, shared }: Job): Done {
  const ce = attachThread(token)
  const { CoTaskMemAlloc, CoTaskMemRealloc, CoTaskMemFree, CoRegisterMallocSpy, CoRevokeMallocSpy } = openCom(ce)
  const busy = new Int32Array(ce.memory.bytes.buffer, shared, 1)
  const slots = new Int32Array(ce.memory.bytes.buffer, shared + 4, SLOTS)
  const spies: Guard[] = []
  const mine: number[] = []
  let passed = 0
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  // A block tells its own size, so that whoever gets it can look.
  const write = (p: number, bytes: number): void => {
    ce.memory.writeU32(p, bytes)
    ce.memory.fill(p + 4, bytes & 0xff, bytes - 4)
  }
  const verify = (p: number): number => {
    const bytes = ce.memory.readU32(p)
    if (!ce.memory.read(p + 4, bytes - 4).every((byte) => byte === (bytes & 0xff))) throw new Error('the contents are gone')
    return bytes
  }
  const take = (): number => {
    const at = random(mine.length)
    const p = mine[at] as number
    mine[at] = mine.at(-1) as number
    mine.pop()
    return p
  }
  for (let round = 0; round < rounds; round++) {
    const choice = random(100)
    if (choice < 35 || mine.length === 0) {
      const bytes = 4 + random(200)
      const p = CoTaskMemAlloc(bytes)
      if (p === 0) continue
      write(p, bytes)
      mine.push(p)
    } else if (choice < 60) {
      const p = take()
      verify(p)
      CoTaskMemFree(p)
    } else if (choice < 75) {
      const p = take()
      const old = verify(p)
      const bytes = 4 + random(400)
      const q = CoTaskMemRealloc(p, bytes)
      if (q !== 0 && ce.memory.readU32(q) !== old) throw new Error('a resize lost the contents')
      if (q !== 0) write(q, bytes)
      mine.push(q || p)
    } else if (choice < 95) {
      const got = Atomics.exchange(slots, random(SLOTS), take())
      if (got === 0) continue
      passed++
      verify(got)
      mine.push(got)
    } else if (choice < 98) {
      const spy = new Guard(ce, busy)
      const hr = CoRegisterMallocSpy(spy)
      if (hr === S_OK) spies.push(spy)
      else if (hr !== CO_E_OBJISREG) throw new Error(`register: ${hr.toString(16)}`)
    } else {
      const hr = CoRevokeMallocSpy()
      if (hr !== S_OK && hr !== E_ACCESSDENIED && hr !== CO_E_OBJNOTREG) throw new Error(`revoke: ${hr.toString(16)}`)
    }
  }
  for (const p of mine) {
    verify(p)
    CoTaskMemFree(p)
  }
  CoRevokeMallocSpy()
  ce.detach()
  return { spied: spies.reduce((sum, { calls }) => sum + calls, 0), passed, error: undefined }
}

if (parentPort !== null) {
  try {
    parentPort.postMessage(run(workerData as Job))
  } catch (error) {
    parentPort.postMessage({ spied: 0, passed: 0, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
  }
}
