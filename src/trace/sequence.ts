import type { TraceEvent } from './event.ts'
import { win32Result } from './names.ts'
import type { Frame } from './nesting.ts'
import { hexText } from './text.ts'

/** Events held back for a call that was overtaken; past it they go out and that call stays without its result. */
const mostHeld = 4096
/** Releases that are watched at once: there are as many as threads inside one, but a hostile log may have any number. */
const mostReleases = 1024
const mostSites = 1 << 16

interface Release {
  readonly frame: Frame
  readonly block: number
  /** The event of an overtaken call, already in its place. */
  event: TraceEvent | undefined
}

/**
 * Puts the calls of all threads into one order that can be replayed: that of their returns, with one exception. A block belongs to
 * others from somewhere between the call and the return of what frees it. So when an allocation returns a block that another thread is
 * still about to free, that call is put before the allocation, and what follows waits for its result. (In the bundled recording of four
 * threads this concerns 9 of 5,278 calls.)
 */
export class Sequence {
  private readonly events: TraceEvent[] = []
  private readonly releases: Release[] = []
  private readonly sites = new Map<number, string>()
  private overtaken = 0

  /** A memory call of the app has begun; its arguments are in the frame. */
  begin(frame: Frame): void {
    const { releases } = frame.function.recorded!
    if (releases < 0 || this.releases.length === mostReleases) return
    const block = frame.args![releases]!
    if (block !== 0) this.releases.push({ frame, block, event: undefined })
  }

  /** It has returned. */
  complete(frame: Frame, printed: number): void {
    const recorded = frame.function.recorded!
    const result = win32Result(recorded.result, printed)
    if (recorded.releases >= 0 && this.releases.length > 0) {
      const release = this.take(frame)
      if (release?.event !== undefined) {
        release.event.result = result
        this.overtaken--
        return
      }
    }
    if (recorded.result === 'block' && printed !== 0) {
      for (const release of this.releases) {
        if (release.block !== printed || release.event !== undefined || release.frame.thread.process !== frame.thread.process) continue
        release.event = this.add(release.frame, undefined)
        this.overtaken++
      }
    }
    this.add(frame, result)
  }

  /** It will not return. */
  abandon(frame: Frame): void {
    if (frame.function.recorded!.releases < 0) return
    if (this.take(frame)?.event !== undefined) this.overtaken--
  }

  /** Moves to `out` what needs not wait; everything where `all` is set. */
  flush(out: TraceEvent[], all: boolean): void {
    if (this.overtaken > 0) {
      if (!all && this.events.length < mostHeld) return
      for (const release of this.releases) if (release.event !== undefined) release.frame.args = undefined
      for (let index = this.releases.length - 1; index >= 0; index--) {
        if (this.releases[index]!.event !== undefined) this.releases.splice(index, 1)
      }
      this.overtaken = 0
    }
    for (const event of this.events) out.push(event)
    this.events.length = 0
  }

  private take(frame: Frame): Release | undefined {
    for (let index = this.releases.length - 1; index >= 0; index--) {
      const release = this.releases[index]!
      if (release.frame !== frame) continue
      this.releases.splice(index, 1)
      return release
    }
    return undefined
  }

  private add(frame: Frame, result: number | undefined): TraceEvent {
    const { call, via } = frame.function.recorded!
    const event: TraceEvent = {
      call,
      thread: frame.thread.id,
      args: frame.args!,
      result,
      process: frame.thread.process,
      site: this.siteText(frame.site),
      via,
      position: frame.line
    }
    this.events.push(event)
    return event
  }

  private siteText(site: number): string {
    if (site < 0) return ''
    const known = this.sites.get(site)
    if (known !== undefined) return known
    if (this.sites.size === mostSites) this.sites.clear()
    const text = hexText(site)
    this.sites.set(site, text)
    return text
  }
}
