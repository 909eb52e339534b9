import { faults } from './faults.ts'
import { type LeftBlocks, within } from './groups.ts'
import type { TraceHeap } from './heaps.ts'
import type { Block } from './ledger.ts'
import type { TraceProcess } from './process.ts'
import type { Run } from './run.ts'
import { bytesText } from './words.ts'

/** Call sites that are told apart in one heap; the others are summed. */
const mostSites = 20

interface Site {
  /** The oldest of the blocks. */
  first: Block
  count: number
  bytes: number
}

/** Reports what is still allocated in a heap at the end of its life, by call site, the most bytes first (DT-3). */
export function reportLeaks(run: Run, process: TraceProcess, heap: TraceHeap): void {
  const sites = sitesOf(heap)
  if (sites.length === 0) return
  const verdict = heap === process.processHeap ? faults.leakProcessHeap : heap.destroyed ? faults.leakDestroyed : faults.leakHeap
  for (const { first, count, bytes } of sites.slice(0, mostSites)) {
    leave(first, count, bytes, `${first.call} of ${amount(count, bytes)}`, first.site)
  }
  const rest = sites.slice(mostSites)
  if (rest.length === 0) return
  const count = rest.reduce((sum, site) => sum + site.count, 0)
  const bytes = rest.reduce((sum, site) => sum + site.bytes, 0)
  leave(rest[0]!.first, count, bytes, `${amount(count, bytes)} at ${rest.length} more call sites`, `${rest.length} more call sites`)

  function leave(first: Block, count: number, bytes: number, recorded: string, site: string): void {
    const { call, position, thread } = first
    const left: LeftBlocks = {
      verdict,
      call,
      site,
      count,
      bytes,
      heap: heap.name,
      recorded: `${recorded}, not freed, in the ${heap.name}`,
      onCe: verdict.onCe,
      position,
      process: process.id,
      thread
    }
    run.groups.leave(left)
  }
}

function amount(count: number, bytes: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'block' : 'blocks'} (${bytesText(bytes)})`
}

function sitesOf(heap: TraceHeap): Site[] {
  const byCall = new Map<string, Map<string, Site>>()
  const sites: Site[] = []
  for (let block = heap.first; block !== undefined; block = block.next) {
    const bySite = within(byCall, block.call)
    let site = bySite.get(block.site)
    if (site === undefined) {
      site = { first: block, count: 0, bytes: 0 }
      bySite.set(block.site, site)
      sites.push(site)
    }
    site.count++
    site.bytes += block.size
    if (block.position < site.first.position) site.first = block
  }
  return sites.sort((a, b) => b.bytes - a.bytes || b.count - a.count || a.first.position - b.first.position)
}
