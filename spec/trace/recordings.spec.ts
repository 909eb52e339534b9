import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TraceEvent } from '../../src/trace/index.ts'
import { byPosition, readNaively } from './naive.ts'
import { difference, example, readExample, tally } from './read.ts'

const relay = suite('recordings: relay logs')

// Counted in the files with zgrep -c 'Call module.function(':
// ntdll.RtlSizeHeap 9369, KERNEL32.HeapFree 4469 with one ntdll.RtlFreeHeap in each of 4479, ntdll.RtlAllocateHeap 4451,
// ntdll.RtlReAllocateHeap 49, KERNEL32.HeapCreate 2 and HeapDestroy 1, each with its ntdll call inside. Skipped: NtAllocateVirtualMemory,
// RtlGetLocaleFileMappingAddress, NtQueryDefaultLocale, KernelBaseGetGlobalData.
relay('sqlite: 18,351 calls of one thread', async () => {
  const { events, source } = await readExample('sqlite.wine-relay.log.gz')
  assert.is(source.format, 'wine-relay')
  assert.ok(source.gzip)
  assert.equal(tally(events, 'call'), { HeapAlloc: 4451, HeapReAlloc: 49, HeapFree: 4479, HeapCreate: 2, HeapSize: 9369, HeapDestroy: 1 })
  assert.equal(tally(events, 'thread'), { '268': 18_351 })
  assert.is(tally(events, 'via')['ntdll.RtlFreeHeap'], 10)
  assert.equal([source.skipped, source.unfinished, source.damage], [4, 0, undefined])
})

// In the same way: HeapFree 2470, RtlFreeHeap 2480, RtlAllocateHeap 2448, RtlReAllocateHeap 346, HeapCreate 2, HeapValidate 1, HeapDestroy 1.
// Skipped: as above, and KERNEL32.CreateThread 4.
relay('threads: 5,278 calls of five threads', async () => {
  const { events, source } = await readExample('threads.wine-relay.log.gz')
  assert.equal(tally(events, 'call'), { HeapAlloc: 2448, HeapReAlloc: 346, HeapFree: 2480, HeapCreate: 2, HeapValidate: 1, HeapDestroy: 1 })
  assert.equal(tally(events, 'thread'), { '36': 194, '216': 1235, '220': 1276, '228': 1286, '224': 1287 })
  assert.equal([source.skipped, source.unfinished, source.damage], [8, 0, undefined])
})
relay('threads: in the order of the events no block is allocated twice or freed without being allocated', async () => {
  const { events } = await readExample('threads.wine-relay.log.gz')
  assert.equal(misfits(events), { twice: 0, missing: 0 })
  // The order of the return lines does have such places, or this test would show nothing.
  const lines = gunzipSync(readFileSync(example('threads.wine-relay.log.gz'))).toString('latin1')
  assert.ok(misfits(readNaivelyByReturn(lines)).twice > 0)
})

// Every relayed call is in this one: 282 calls are the outermost of their thread or directly in a callback, and 3 are directly in the
// C runtime's _onexit (2) and exit (1).
relay('desktop-habits: 285 calls of three threads, those in callbacks included', async () => {
  const { events, source } = await readExample('desktop-habits.wine-relay.log')
  assert.not.ok(source.gzip)
  assert.equal(source.progress, { read: 134_886, total: 134_886 })
  assert.is(events.length, 285)
  assert.equal(tally(events, 'thread'), { '36': 151, '216': 67, '220': 67 })
  const habits = events.filter(({ site }) => site.startsWith('140001') && site !== '14000156f' && site !== '14000159c')
  // Read off the main function of desktop-habits.c, the two mallocs of its start-up code in front.
  assert.equal(
    habits.map(({ call }) => call).join(' '),
    'malloc malloc HeapCreate HeapAlloc HeapSize HeapReAlloc HeapAlloc HeapFree HeapLock HeapUnlock GetProcessHeaps GlobalAlloc GlobalLock GlobalUnlock GlobalReAlloc GlobalFree LocalAlloc LocalFree LocalFree VirtualAlloc VirtualFree HeapCreate HeapFree HeapDestroy'
  )
  assert.equal([source.skipped, source.unfinished, source.damage], [262, 0, undefined])
})
for (const name of ['desktop-habits.wine-relay.log', 'sqlite.wine-relay.log.gz', 'threads.wine-relay.log.gz']) {
  relay(`${name}: every event is that of the naive reader`, async () => {
    const bytes = readFileSync(example(name))
    const naive = readNaively((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1'))
    const { events, source } = await readExample(name)
    assert.is(difference(byPosition(events).map(inOrder), naive.events.map(inOrder)), undefined)
    assert.is(source.skipped, naive.skipped)
  })
}
relay.run()

const heap = suite('recordings: heap log')

// zcat | sed 's/ .*//' | sort | uniq -c: RtlSizeHeap 9372, RtlAllocateHeap 4579, RtlFreeHeap 4505, RtlReAllocateHeap 50, RtlCreateHeap 3,
// RtlDestroyHeap 1, behind four lines of a launcher. 35 of the 50 resizes return another block than they got, and each has an allocation of
// its result and a free of its block on the two lines in front. Behind the three creations stand five allocations of their own, and two
// frees of these behind the destruction: 4579 - 35 - 5 allocations and 4505 - 35 - 2 frees are left. The first creation is the process heap's.
heap('sqlite: 18,433 calls behind four lines of a launcher', async () => {
  const { events, source } = await readExample('sqlite.wine-heap.log.gz')
  assert.is(source.format, 'wine-heap')
  assert.equal(tally(events, 'call'), {
    GetProcessHeap: 1,
    HeapCreate: 2,
    HeapAlloc: 4539,
    HeapFree: 4468,
    HeapSize: 9372,
    HeapReAlloc: 50,
    HeapDestroy: 1
  })
  assert.equal([source.skipped, source.damage, events.at(-1)?.position], [4, undefined, 18_514])
  assert.equal(misfits(events), { twice: 0, missing: 0 })
})
heap('sqlite: the calls on its own heap are those of the relay log, block by block', async () => {
  const { events } = await readExample('sqlite.wine-heap.log.gz')
  const { events: relayed } = await readExample('sqlite.wine-relay.log.gz')
  const own = essence(events)
  assert.ok(own.length > 18_000)
  assert.is(difference(own, essence(relayed)), undefined)
})
heap.run()

/** An event as a list, for comparing by text. */
function inOrder({ call, thread, args, result, process, site, via, position }: TraceEvent): unknown[] {
  return [call, thread, args, result, process, site, via, position]
}

/** What SQLite did to its own heap, with blocks by their number of allocation: the two runs got other addresses. */
function essence(events: readonly TraceEvent[]): string[] {
  const blocks = new Map<number, number>()
  let next = 0
  const lines: string[] = []
  for (const { call, args, result } of events) {
    if (args[0] !== 0x10a0000 || call === 'HeapDestroy') continue
    const [, flags, third = 0, size] = args
    const allocates = call === 'HeapAlloc' || call === 'HeapReAlloc'
    lines.push(`${call} ${flags} ${call === 'HeapAlloc' ? third : `block ${blocks.get(third)}`} ${size} ${allocates ? '' : result}`)
    if (allocates) blocks.set(result!, next++)
  }
  return lines
}

/** Blocks that are given out while they are live, and blocks that are freed while they are not. */
function misfits(events: readonly TraceEvent[]): { twice: number; missing: number } {
  const live = new Set<number>()
  const count = { twice: 0, missing: 0 }
  for (const { call, args, result } of events) {
    if ((call === 'HeapFree' || call === 'HeapReAlloc') && args[2] !== 0 && !live.delete(args[2]!)) count.missing++
    if ((call === 'HeapAlloc' || call === 'HeapReAlloc') && result !== 0 && result !== undefined) {
      if (live.has(result)) count.twice++
      live.add(result)
    }
  }
  return count
}

/** The naive reader's events in the order in which the calls returned. */
function readNaivelyByReturn(log: string): TraceEvent[] {
  const returns = new Map<string, number[]>()
  log.split('\n').forEach((text, index) => {
    const found = /^(\w+:\w+):Ret {2}([^(]+)\(.* ret=(\w+)$/.exec(text)
    if (found === null) return
    const key = found.slice(1).join(' ')
    returns.set(key, [...(returns.get(key) ?? []), index + 1])
  })
  const id = (value: number) => value.toString(16).padStart(4, '0')
  const when = new Map<TraceEvent, number>()
  const { events } = readNaively(log)
  for (const event of events) {
    const name = event.via || `KERNEL32.${event.call}`
    const lines = returns.get(`${id(event.process)}:${id(event.thread)} ${name} ${event.site}`)!
    when.set(event, lines.find((line) => line > event.position)!)
  }
  return events.sort((a, b) => when.get(a)! - when.get(b)!)
}
