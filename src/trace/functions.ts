import { type RecordedCall, recordedCall, runsAppCode } from './names.ts'

/** A function as a relay log names it, or a callback (`PE DLL`, `window proc 0x401000`). Interned: compare by identity. */
export interface RelayedFunction {
  /** Bytes of what stands between `Call ` and the opening parenthesis. */
  readonly length: number
  /** Those bytes by four, as DataView.getInt32 reads them, the last four once more: so every byte is in one of them. */
  readonly words: Int32Array
  readonly hash: number
  /** Its reading as a memory call; undefined where it is none. */
  readonly recorded: RecordedCall | undefined
  /** Code that runs inside is the app's. */
  readonly opener: boolean
}

const openingParenthesis = 0x28
const shortestName = 4
const longestName = 512
const mostNames = 1 << 15
const siteSlots = 1 << 12

/** Finds functions by their names without making a string for one that was seen before. */
export class FunctionTable {
  private readonly names: (RelayedFunction | undefined)[] = new Array(2 * mostNames).fill(undefined)
  private size = 0
  private readonly bySite: (RelayedFunction | undefined)[] = new Array(siteSlots).fill(undefined)

  /**
   * The function whose name starts at `start`; undefined where no parenthesis follows or the name is impossibly long. A call site calls
   * one function nearly always, so the last one that was found for `site` is compared first: a third of the time of a search by name.
   */
  find(view: DataView, start: number, end: number, site: number): RelayedFunction | undefined {
    const slot = (site ^ (site / siteSlots)) & (siteSlots - 1)
    const likely = this.bySite[slot]
    if (likely !== undefined && isNamedAt(likely, view, start, end)) return likely
    const found = this.search(view, start, end)
    if (found !== undefined) this.bySite[slot] = found
    return found
  }

  private search(view: DataView, start: number, end: number): RelayedFunction | undefined {
    let hash = 0
    let stop = start
    for (; stop < end; stop++) {
      const byte = view.getUint8(stop)
      if (byte === openingParenthesis) break
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    const length = stop - start
    if (stop === end || length < shortestName || length > longestName) return undefined
    const mask = this.names.length - 1
    let slot = (hash ^ (hash >>> 15)) & mask
    for (;;) {
      const known = this.names[slot]
      if (known === undefined) return this.add(view, start, stop, hash)
      if (known.hash === hash && isNamedAt(known, view, start, end)) return known
      slot = (slot + 1) & mask
    }
  }

  private add(view: DataView, start: number, end: number, hash: number): RelayedFunction {
    // Real logs name a few thousand functions. Beyond that the table starts again: frames keep the objects that they refer to, and at
    // worst a call is not found by its return line.
    if (this.size === mostNames) {
      this.names.fill(undefined)
      this.size = 0
    }
    const bytes = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + start, end - start)
    const name = bytes.toString('latin1')
    const words = new Int32Array((bytes.length >> 2) + 1)
    for (let at = 0; at + 4 <= bytes.length; at += 4) words[at >> 2] = bytes.readInt32LE(at)
    words[words.length - 1] = bytes.readInt32LE(bytes.length - 4)
    const dot = name.indexOf('.')
    const callback = dot < 0 || name.includes(' ')
    const added: RelayedFunction = {
      length: bytes.length,
      words,
      hash,
      recorded: callback ? undefined : recordedCall(name.slice(0, dot), name.slice(dot + 1)),
      opener: callback || runsAppCode(name.slice(0, dot), name.slice(dot + 1))
    }
    const mask = this.names.length - 1
    let slot = (hash ^ (hash >>> 15)) & mask
    while (this.names[slot] !== undefined) slot = (slot + 1) & mask
    this.names[slot] = added
    this.size++
    return added
  }
}

/** Whether exactly this function's name and a parenthesis stand at `at`. */
export function isNamedAt(known: RelayedFunction, view: DataView, at: number, end: number): boolean {
  const { length, words } = known
  if (at + length >= end || view.getUint8(at + length) !== openingParenthesis) return false
  const last = words.length - 1
  if (view.getInt32(at + length - 4, true) !== words[last]) return false
  for (let i = 0; i < last; i++) if (view.getInt32(at + 4 * i, true) !== words[i]) return false
  return true
}
