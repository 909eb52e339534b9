// Small traces for the specs of this folder: lines of our own format, or texts of the other formats, checked at once.
import { fileURLToPath } from 'node:url'
import { type CheckFinding, type CheckOptions, type CheckReport, checkTrace } from '../../src/check/index.ts'
import { openTrace, openTraceStream } from '../../src/trace/index.ts'

/** One call: name, arguments, result (undefined where the recording does not show it), and what else the line is to have. */
export type Line = readonly [
  call: string,
  args: readonly number[],
  result?: number | undefined,
  more?: { readonly site?: string; readonly thread?: number; readonly process?: number; readonly via?: string }
]

/** Handles and pointers of the recordings below. */
export const heap = 0xa0000
export const other = 0xb0000
export const p = 0x20010
export const q = 0x30010

export function jsonl(lines: readonly Line[]): string {
  const rows = lines.map(([call, args, result, more]) => JSON.stringify({ call, thread: 1, args, result, ...more }))
  return `${['{"ceheap":"trace","version":1}', ...rows].join('\n')}\n`
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** Checks calls, or the text of a recording in any format. */
export async function check(trace: readonly Line[] | string, options: CheckOptions = {}): Promise<CheckReport> {
  return checkTrace(await openTraceStream(once(typeof trace === 'string' ? trace : jsonl(trace)), 'sample'), options)
}

export async function checkExample(name: string, options: CheckOptions = {}): Promise<CheckReport> {
  return checkTrace(await openTrace(fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url))), options)
}

/** Findings as `error W-13 1 HeapReAlloc`, which reads well in a failed comparison. */
export function found({ findings }: CheckReport): string[] {
  return findings.map(({ severity, rule, count, call }) => `${severity} ${rule} ${count} ${call}`)
}

/** The only finding; fails where there is none or another one. */
export function only(report: CheckReport): CheckFinding {
  const [first, ...others] = report.findings
  if (first === undefined || others.length > 0) throw new Error(`expected one finding, got ${JSON.stringify(found(report))}`)
  return first
}

/** A private heap that is made before and destroyed after some calls, all of it as it should be. */
export function within(lines: readonly Line[], maximum = 0, handle: number = heap): Line[] {
  return [['HeapCreate', [0, 0x1000, maximum], handle], ...lines, ['HeapDestroy', [handle], 1]]
}
