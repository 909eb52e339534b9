import { MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE } from '../constants.ts'
import { PAGE, UNIT } from '../machine/layout.ts'
import type { TraceEvent } from '../trace/event.ts'

/** Reservations remembered a recording, and pages of one: a log beyond that is checked without them. */
const mostReservations = 4096
const mostPages = 0x40000

interface Reservation {
  readonly process: number
  readonly base: number
  /** One byte a page: 1 where it is committed. */
  readonly pages: Uint8Array
  committed: number
}

/** What a recording's VirtualAlloc and VirtualFree calls make of the program's own reservations, as far as W-19 needs it. */
export class Reservations {
  private readonly all: Reservation[] = []

  /** A VirtualAlloc that worked in the recording. */
  allocated({ process, args, result = 0 }: TraceEvent): void {
    const [address, bytes, type] = args as [number, number, number, number]
    if (result === 0) return
    if ((type & MEM_RESERVE) !== 0 || address === 0) this.reserve(process, result - (result % UNIT), (address || result) + bytes)
    if ((type & MEM_COMMIT) !== 0) this.set(process, address || result, bytes, 1)
  }

  /** A VirtualFree that worked in the recording; true if it released a reservation of which only a part was committed (VF-5). */
  freed({ process, args, result }: TraceEvent): boolean {
    const [address, bytes, type] = args as [number, number, number]
    if (result === 0) return false
    if (type === MEM_DECOMMIT) this.set(process, address, bytes, 0)
    if (type !== MEM_RELEASE) return false
    const at = this.all.findIndex((one) => one.process === process && one.base === address)
    const [released] = at < 0 ? [] : this.all.splice(at, 1)
    return released !== undefined && released.committed > 0 && released.committed < released.pages.length
  }

  private reserve(process: number, base: number, end: number): void {
    const pages = Math.ceil((end - base) / PAGE)
    if (this.all.length >= mostReservations || pages > mostPages) return
    this.all.push({ process, base, pages: new Uint8Array(pages), committed: 0 })
  }

  /** Marks every page touched; 0 bytes at the base mean all of them. */
  private set(process: number, address: number, bytes: number, state: 0 | 1): void {
    const found = this.all.find(
      ({ process: owner, base, pages }) => owner === process && address >= base && address < base + pages.length * PAGE
    )
    if (found === undefined) return
    const first = Math.floor((address - found.base) / PAGE)
    const end = bytes === 0 ? found.pages.length : Math.ceil((address + bytes - found.base) / PAGE)
    for (let page = first; page < Math.min(end, found.pages.length); page++) {
      found.committed += state - (found.pages[page] as number)
      found.pages[page] = state
    }
  }
}
