import type { ProcessOptions } from '../coredll/process.ts'
import { jsonLinesWriter, type TraceHeaderFields } from '../trace/writer.ts'
import type { Call } from './history.ts'
import type { Fault } from './judge.ts'
import type { HistoryLine } from './report.ts'

const hex = (value: number): string => `0x${value.toString(16).toUpperCase()}`

/** Arguments that are counts of bytes, by call: everything else is a handle, a pointer or flags. */
const COUNTS: Readonly<Record<string, readonly number[]>> = {
  HeapCreate: [1, 2],
  HeapAlloc: [2],
  HeapReAlloc: [3],
  LocalAlloc: [1],
  LocalReAlloc: [1],
  GlobalAlloc: [1],
  GlobalReAlloc: [1],
  VirtualAlloc: [1],
  VirtualFree: [1],
  SetLastError: [0]
}

export function callText({ call, args }: Call): string {
  const counts = COUNTS[call] ?? []
  return `${call}(${args.map((arg, at) => (counts.includes(at) || arg === 0 ? String(arg) : hex(arg))).join(', ')})`
}

/** The calls of a failing run up to the one that failed, or all of them where none is to blame alone. */
function upToFault(history: readonly Call[], faults: readonly Fault[]): readonly Call[] {
  const last = faults.find(({ at }) => at !== undefined)?.at ?? history.length - 1
  return history.slice(0, last + 1)
}

/** These calls as a trace of ours: JSON Lines. */
export function historyTrace(history: readonly Call[], faults: readonly Fault[], process: ProcessOptions): string {
  const lines: string[] = []
  const { profile, build, placement, memory, physical } = process
  const header = { profile, build, pointerBits: 32, program: 'ceheap stress', placement, memory, physical }
  const writer = jsonLinesWriter((line) => lines.push(`${line}\n`), header as TraceHeaderFields)
  for (const call of upToFault(history, faults)) writer.write(call)
  return lines.join('')
}

export function historyLines(history: readonly Call[], faults: readonly Fault[]): HistoryLine[] {
  return upToFault(history, faults).map((call, at) => {
    const wrong = faults.find((fault) => fault.at === at)
    return {
      call: callText(call),
      thread: call.thread,
      result: call.result === undefined ? '' : call.result < 10 ? String(call.result) : hex(call.result),
      ...(wrong?.expected === undefined || wrong.expected === '' ? {} : { expected: wrong.expected }),
      ...(wrong === undefined ? {} : { note: wrong.message })
    }
  })
}
