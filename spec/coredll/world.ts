import * as assert from 'uvu/assert'
import {
  attachThread,
  type Build,
  type CeProcess,
  type CeThread,
  createProcess,
  type Finding,
  MEM_RELEASE,
  type Profile,
  type ProfileName,
  profiles
} from '../../src/index.ts'
import type { ProcessOptions } from '../../src/index.ts'

/** A last error that no call sets: what is still there afterwards was left alone. */
const UNTOUCHED = 0xabcd

/** What a call did: all that an app, or somebody looking over its shoulder, can see of it. */
export interface Answer {
  readonly result: number | undefined
  /** The last error that the call set. */
  readonly error: number | 'untouched'
  /** Rules of the findings that it raised. */
  readonly rules: readonly string[]
  /** Whether anything in the process but the last error is different. */
  readonly changed: boolean
}

/** One process of a profile and a build, watched. */
export interface World {
  readonly profile: Profile
  readonly debug: boolean
  readonly process: CeProcess
  readonly ce: CeThread
  /** The process heap. */
  readonly heap: number
  /** Every finding so far. */
  readonly findings: Finding[]
  /** What HeapSize and LocalSize tell of a block of `bytes` (HS-3, HS-4). */
  size(bytes: number): number
  /** The code that a failing HeapAlloc leaves: `code`, or nothing on ce-5.0 (HA-4, HA-5). */
  allocError(code: number): number | 'untouched'
  answer(call: () => number | undefined): Answer
}

export interface Place {
  readonly name: string
  readonly profile: ProfileName
  readonly build: Build
}

/** The four profiles in both builds. */
export const places: readonly Place[] = (Object.keys(profiles) as ProfileName[]).flatMap((profile) =>
  (['retail', 'debug'] as const).map((build) => ({ name: `${profile} ${build}`, profile, build }))
)

/** 4 MB of memory unless the options say otherwise: enough for every profile's regions and a few big blocks. */
export function open(place: Place, options: ProcessOptions = {}): World {
  const process = createProcess({ profile: place.profile, build: place.build, memory: 4 * 1024 * 1024, lockTimeout: 1000, ...options })
  const ce = process.thread
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  const debug = place.build === 'debug'
  return {
    profile: process.profile,
    debug,
    process,
    ce,
    heap: ce.GetProcessHeap(),
    findings,
    size: (bytes) => (debug ? bytes : Math.ceil(Math.max(bytes, 1) / 32) * 32),
    allocError: (code) => (place.profile === 'ce-5.0' ? 'untouched' : code),
    answer: (call) => answer(process, findings, call)
  }
}

function answer(process: CeProcess, findings: readonly Finding[], call: () => number | undefined): Answer {
  const ce = process.thread
  ce.SetLastError(UNTOUCHED)
  const before = process.imageHash()
  const seen = findings.length
  const result = call()
  const code = ce.GetLastError()
  ce.SetLastError(UNTOUCHED)
  return {
    result,
    error: code === UNTOUCHED ? 'untouched' : code,
    rules: findings.slice(seen).map(({ rule }) => rule),
    changed: process.imageHash() !== before
  }
}

/** Every section is free: another thread enters each of them, or times out. */
function unlocked({ process }: World): void {
  const other = attachThread(process.share())
  for (const { handle } of process.snapshot().heaps) other.HeapValidate(handle, 0, 0)
  other.VirtualFree(0, 0, MEM_RELEASE)
  other.detach()
}

/** Registers one test a profile and build; afterwards every invariant must hold and no section be held. */
export function everywhere(
  test: (name: string, run: () => void) => void,
  name: string,
  body: (world: World) => void,
  options: ProcessOptions = {}
): void {
  for (const place of places) {
    test(`${name} [${place.name}]`, () => {
      const world = open(place, options)
      body(world)
      world.process.check()
      unlocked(world)
      world.process.close()
    })
  }
}

/** Bytes of the heap's blocks, regions and the rest, from a snapshot. */
export function heapOf(world: World, handle: number): ReturnType<CeProcess['snapshot']>['heaps'][number] {
  const found = world.process.snapshot().heaps.find((heap) => heap.handle === handle)
  assert.ok(found, `heap 0x${handle.toString(16)} is alive`)
  return found
}

/** Fails unless `run` throws exactly an error of this type with this message. */
export function refuses(run: () => unknown, type: typeof TypeError | typeof RangeError, message: string | RegExp): void {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown !== undefined, `must throw ${message}`)
  if (typeof message === 'string') assert.is((thrown as Error).message, message)
  else assert.match((thrown as Error).message, message)
  assert.is((thrown as Error).constructor, type, (thrown as Error).message)
}

/** Whether each of `length` bytes is `value`. */
export function filled(ce: CeThread, address: number, length: number, value: number): boolean {
  return ce.memory.read(address, length).every((byte) => byte === value)
}
