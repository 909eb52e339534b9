import { looksLikeCeLog } from './celogform.ts'
import { jsonLinesSign } from './jsonl.ts'
import type { TraceFormat } from './source.ts'

// The beginnings of lines, as relay.ts and heaplog.ts read them. Not anchored: an app's output without a line end may stand before.
const relayLine = /(?:^|[^0-9a-f])(?:[0-9a-f]{4,8}:){1,2}(?:Call |Ret {2})[^(]{1,512}\(/
const heapLine = /(?:^|[^0-9a-f])(?:[0-9a-f]{4,8}:){1,2}trace:heap:Rtl/

/** What was found at the beginning of an input: a format, a format that this version cannot read, or nothing known. */
export type Detected = { format: TraceFormat } | { problem: string } | undefined

/**
 * Recognises a format by content. Lines of other kinds may come first (a launcher's notes, other debug channels). A log with both relay and
 * heap lines is a relay log: it says more.
 */
export function detect(head: Buffer): Detected {
  let heap = false
  for (const line of head.toString('latin1').split(/\r?\n/)) {
    if (relayLine.test(line)) return { format: 'wine-relay' }
    heap ||= heapLine.test(line)
    const sign = heap ? 'no' : jsonLinesSign(line)
    if (sign !== 'no') return sign === 'yes' ? { format: 'jsonl' } : sign
  }
  if (heap) return { format: 'wine-heap' }
  return looksLikeCeLog(head) ? { format: 'celog' } : undefined
}
