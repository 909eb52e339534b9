import type { TraceEvent } from './event.ts'
import type { TraceDamage } from './source.ts'
import type { TraceHeader } from './writer.ts'

/** Turns the bytes of one format into events. Every format has one; whoever opens the input drives it. */
export interface TraceDecoder {
  readonly unit: 'line' | 'offset'
  /** Line or offset that was read last. */
  readonly position: number
  readonly skipped: number
  readonly unfinished: number
  readonly lost: number
  readonly damage: TraceDamage | undefined
  readonly header: TraceHeader | undefined
  /** Appends what `chunk` completes to `out`. The chunk may be overwritten after the call. */
  push(chunk: Buffer, out: TraceEvent[]): void
  /** The input is over. `cut` says that it broke off, so that a torn end is no news. */
  end(out: TraceEvent[], cut: boolean): void
}

/** Keeps the first damage and counts the others. */
export class DamageNote {
  private message = ''
  private position = 0
  private count = 0

  add(message: string, position: number): void {
    if (this.count++ > 0) return
    this.message = message
    this.position = position
  }

  get first(): TraceDamage | undefined {
    if (this.count === 0) return undefined
    return { message: this.message, position: this.position, further: this.count - 1 }
  }
}
