import type { TraceEvent } from '../trace/event.ts'

/** Live reservations of one process that are remembered: twice as many as 2 GB have room for. */
const mostRegions = 65_536

/** A live reservation of the recording. Addresses in it are at the same distance from `own` in the emulator. */
export interface Region {
  readonly base: number
  /** Behind its last page. */
  readonly end: number
  /** The call that reserved it. */
  readonly event: TraceEvent
  /** In the emulator; 0 where CE would not have given it. */
  readonly own: number
  /** The emulator refused what the recording did to its pages: their states differ from here on. */
  adrift: boolean
}

/** One process's live reservations as the recording has them, by address; none overlaps another. */
export class Regions {
  private readonly list: Region[] = []

  get full(): boolean {
    return this.list.length >= mostRegions
  }

  /** The region that the address lies in. */
  find(address: number): Region | undefined {
    const region = this.list[this.after(address) - 1]
    return region !== undefined && address < region.end ? region : undefined
  }

  /** By address. */
  live(): readonly Region[] {
    return this.list
  }

  /** The regions that share a byte with [base, end). */
  overlapping(base: number, end: number): Region[] {
    const found: Region[] = []
    for (let at = this.after(end) - 1; at >= 0 && this.list[at]!.end > base; at--) if (this.list[at]!.base < end) found.push(this.list[at]!)
    return found
  }

  /** Precondition: it overlaps no other, and there is room. */
  add(region: Region): void {
    this.list.splice(this.after(region.base), 0, region)
  }

  remove(region: Region): void {
    const at = this.after(region.base) - 1
    if (this.list[at] === region) this.list.splice(at, 1)
  }

  /** How many regions begin at or below the address. */
  private after(address: number): number {
    let [low, high] = [0, this.list.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.list[middle]!.base <= address) low = middle + 1
      else high = middle
    }
    return low
  }
}
