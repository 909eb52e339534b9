// An implementation that lives in this thread, as the interpreter calls it.
import type { IMalloc } from '../com/malloc.ts'
import type { IHostMemoryManager } from '../hosting/manager.ts'
import type { IHostMalloc } from '../hosting/malloc.ts'
import { caseHost, type CaseHost } from './casehost.ts'
import { CasePager, PAGERS } from './casepager.ts'
import { CaseSpy, SPIES } from './casespy.ts'
import { type Answer, type Request, SubjectFault, thrown } from './interpret.ts'
import type { HeapUnderTest, SubjectMemory } from './subject.ts'
import { wasmMemory } from './wasmmemory.ts'

type Anything = (...args: unknown[]) => unknown

/** Functions that answer nothing. */
const procedures = new Set([
  'SetLastError',
  'GlobalMemoryStatus',
  'GetSystemInfo',
  'InitializeCriticalSection',
  'EnterCriticalSection',
  'LeaveCriticalSection',
  'DeleteCriticalSection',
  'CoTaskMemFree',
  'IMalloc::Free',
  'IMalloc::HeapMinimize'
])

/** What an out-parameter is called where a method answers an object. */
const outFields: readonly string[] = ['ppMalloc', 'ppMem', 'pResult', 'pflOldProtect', 'pMemoryLoad', 'pAvailableBytes', 'ppvObject']

/** Whether the answer is an HRESULT with out-parameters beside it. */
function answersObject(call: string): boolean {
  return call.includes('::') || call === 'CoGetMalloc' || call === 'OpenHost'
}

const memoryCalls = new Set(['bytes', 'fill', 'read32', 'write32'])

/** What a module or a factory gave, as an implementation; throws a TypeError where it is none. */
export function subjectOf(value: unknown): HeapUnderTest {
  if (value instanceof Promise) throw new TypeError('expected an implementation, got a Promise: await in the module itself')
  if (typeof value !== 'object' || value === null)
    throw new TypeError(`expected an object with functions such as HeapAlloc, got ${String(value)}`)
  return value as HeapUnderTest
}

export class Session {
  readonly subject: HeapUnderTest
  readonly #memory: SubjectMemory | undefined
  /** Objects that calls answer, by their number; 0 is NULL. */
  readonly #objects: unknown[] = [null]

  constructor(subject: HeapUnderTest) {
    this.subject = subject
    // What compilers to wasm write beside a module exports its memory as it is.
    const memory: unknown = subject.memory
    this.#memory = memory instanceof WebAssembly.Memory ? wasmMemory(memory) : subject.memory
  }

  /** Whether the implementation has what a case needs: a function, the memory, a second thread. */
  offers(name: string): boolean {
    const { subject } = this
    if (memoryCalls.has(name)) return typeof this.#memory?.read === 'function' && typeof this.#memory.write === 'function'
    if (name === 'touch') return typeof this.#memory?.touch === 'function'
    if (name === 'secondThread') return subject.secondThread !== undefined
    if (name.startsWith('IMalloc::')) return typeof subject.CoGetMalloc === 'function'
    if (name.startsWith('IHost') || name.startsWith('Host') || name === 'OpenHost') return typeof subject.openHost === 'function'
    if (name.startsWith('Spy') || name === 'NewSpy') return typeof subject.CoRegisterMallocSpy === 'function'
    // The page functions that a case brings call these in turn.
    if (name === 'NewPager') return this.offers('VirtualAlloc') && this.offers('VirtualFree')
    if (name.startsWith('Pager')) return typeof subject.CeHeapCreate === 'function'
    return typeof (subject as Readonly<Record<string, unknown>>)[name] === 'function'
  }

  /** Makes the call; whatever else than an answer comes of it is a SubjectFault. */
  answer(request: Request): Answer {
    try {
      return this.#answer(request)
    } catch (error) {
      throw error instanceof SubjectFault ? error : new SubjectFault('threw', `threw ${thrown(error)}`)
    }
  }

  /** Bytes of the implementation's memory: as many as were asked for. */
  read(address: number, length: number): Uint8Array {
    const bytes: unknown = this.#memory?.read(address, length)
    if (bytes instanceof Uint8Array && bytes.length === length) return bytes.slice()
    throw new SubjectFault('garbage', `answered ${bytes instanceof Uint8Array ? bytes.length : 'no'} bytes where ${length} were asked`)
  }

  write(address: number, data: Uint8Array): void {
    this.#memory?.write(address, data)
  }

  #answer(request: Request): Answer {
    const { call, out } = request
    const given = this.#make(request)
    if (call === 'bytes') return { value: 0, out: [], lastError: undefined, bytes: given as Uint8Array }
    const fields: number[] = []
    let value = given
    if (answersObject(call) && typeof given === 'object' && given !== null && 'hr' in given) {
      value = given.hr
      for (const name of outFields) if (name in given) fields.push(this.#number(call, (given as Record<string, unknown>)[name]))
      if (fields.length < out) throw new SubjectFault('garbage', `answered ${fields.length} out-parameters where ${out} belong`)
    }
    return { value: procedures.has(call) ? 0 : dwordOf(value), out: fields, lastError: this.#lastError(request), bytes: undefined }
  }

  #lastError({ call, thread }: Request): number | undefined {
    const functions = this.#functions(thread)
    if (call === 'GetLastError' || typeof functions.GetLastError !== 'function') return undefined
    try {
      return dwordOf(functions.GetLastError())
    } catch (error) {
      const [kind, what] = error instanceof SubjectFault ? [error.kind, error.message] : (['threw', `threw ${thrown(error)}`] as const)
      throw new SubjectFault(kind, `GetLastError ${what}`)
    }
  }

  #functions(thread: number): Partial<HeapUnderTest> {
    return thread === 1 ? this.subject : (this.subject.secondThread ?? {})
  }

  #make({ thread, call, args }: Request): unknown {
    const own = this.#ownCall(call, args)
    if (own !== undefined) return own
    const [owner, method] = call.includes('::') ? call.split('::') : ['', call]
    if (owner !== '') {
      const target = this.#objects[args[0] as number] as Readonly<Record<string, Anything>> | undefined
      const run = target?.[method as string]
      if (typeof run !== 'function') throw new SubjectFault('garbage', `has no method ${call}`)
      return run.apply(
        target,
        args.slice(1).map((arg) => (call.includes('Callback') ? this.#objects[arg as number] : arg))
      )
    }
    const functions = this.#functions(thread) as Readonly<Record<string, Anything>>
    const run = functions[call]
    if (typeof run !== 'function') throw new SubjectFault('garbage', `has no function ${call}`)
    if (call === 'CoRegisterMallocSpy') return run.call(functions, this.#objects[args[0] as number] ?? null)
    if (call === 'CeHeapCreate') {
      const pager = this.#objects[args[3] as number] as CasePager
      return run.call(functions, args[0], args[1], args[2], pager.alloc, pager.free)
    }
    return run.apply(functions, args as unknown[])
  }

  /** What the battery itself brings: memory, spies, page functions, hosts. */
  #ownCall(call: string, args: readonly (number | string)[]): unknown {
    const [a, b, c] = args as [number, number, number]
    switch (call) {
      case 'bytes':
        return this.read(a, b)
      case 'fill':
        this.write(a, new Uint8Array(b).fill(c))
        return 0
      case 'read32':
        return new DataView(this.read(a, 4).buffer).getUint32(0, true)
      case 'write32':
        this.write(a, new Uint8Array(new Uint32Array([b]).buffer))
        return 0
      case 'touch':
        return this.#memory?.touch?.(a)
      case 'NewSpy':
        return this.#put(new CaseSpy(oneKind(SPIES, args[0])))
      case 'SpyCount':
        return (this.#objects[a] as CaseSpy).count(String(b))
      case 'SpyArg':
        return (this.#objects[a] as CaseSpy).argument(String(b), c)
      case 'NewPager':
        return this.#put(new CasePager(oneKind(PAGERS, args[0]), this.subject))
      case 'PagerCount':
        return (this.#objects[a] as CasePager).count(String(b))
      case 'OpenHost':
        return this.#openHost(String(args[0]))
      case 'HostFailures':
        return (this.#objects[a] as CaseHost).failures
      case 'HostCallback':
        return this.#put((this.#objects[a] as CaseHost).callback)
      case 'HostTold':
        return (this.#objects[a] as CaseHost).told
      default:
        return undefined
    }
  }

  /** The manager's number; the next one is that of what the battery knows of the host. */
  #openHost(kind: string): unknown {
    const host = caseHost(kind)
    const manager = this.subject.openHost?.(host.policy) as IHostMemoryManager
    return { hr: 0, ppMem: this.#put(manager), pResult: this.#put(host) }
  }

  #put(value: unknown): number {
    const known = this.#objects.indexOf(value)
    if (known >= 0) return known
    return this.#objects.push(value) - 1
  }

  #number(call: string, value: unknown): number {
    if (value === null) return 0
    if (typeof value === 'object') return this.#put(value as IMalloc | IHostMalloc)
    try {
      return dwordOf(value)
    } catch (error) {
      throw error instanceof SubjectFault ? new SubjectFault('garbage', `an out-parameter of ${call} ${error.message}`) : error
    }
  }
}

/** An answer as a DWORD; -1 is 0xFFFFFFFF, as wasm and C bindings give it, and true is 1. */
export function dwordOf(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32) return value >>> 0
  const got = typeof value === 'object' && value !== null ? `an object (${value.constructor?.name ?? 'null prototype'})` : String(value)
  throw new SubjectFault('garbage', `answered ${got.slice(0, 60)}, which is no DWORD`)
}

function oneKind<T extends string>(kinds: readonly T[], kind: unknown): T {
  const found = kinds.find((name) => name === kind)
  if (found === undefined) throw new TypeError(`script: expected one of ${kinds.join(', ')}, got ${String(kind)}`)
  return found
}
