import { COMMAND_WORDS, commandsIn, SETUP_WORDS } from './words.ts'

/** Whether a program fails; a promise, so that somebody can be heard meanwhile who has seen enough. */
type Fails = (words: Uint32Array) => Promise<boolean>

/**
 * The shortest and plainest program that can be found for which `fails` still holds: commands are left out in ever smaller parts, then fields of what is
 * left become zero or less, as long as anything helps. Gives up when `goOn` says so. Precondition: `fails(words)`.
 */
export async function shrink(words: Uint32Array, fails: Fails, goOn: () => boolean): Promise<Uint32Array> {
  let best = await lastOnes(words, fails, goOn)
  for (;;) {
    const before = best
    best = await leaveOut(best, fails, goOn)
    best = await simplify(best, fails, goOn)
    if (best === before || !goOn()) return best
  }
}

/** Without the commands `from` to `to` - 1. */
function without(words: Uint32Array, from: number, to: number): Uint32Array {
  const rest = new Uint32Array(words.length - (to - from) * COMMAND_WORDS)
  const cut = SETUP_WORDS + from * COMMAND_WORDS
  rest.set(words.subarray(0, cut))
  rest.set(words.subarray(SETUP_WORDS + to * COMMAND_WORDS), cut)
  return rest
}

/** A failure most often hangs on few commands before it: a short end of a long program is tried first. */
async function lastOnes(words: Uint32Array, fails: Fails, goOn: () => boolean): Promise<Uint32Array> {
  const count = commandsIn(words)
  for (let keep = 64; keep < count && goOn(); keep *= 3) {
    const end = without(words, 0, count - keep)
    if (await fails(end)) return end
  }
  return words
}

async function leaveOut(words: Uint32Array, fails: Fails, goOn: () => boolean): Promise<Uint32Array> {
  let rest = words
  for (let part = Math.ceil(commandsIn(rest) / 2); part >= 1; ) {
    let dropped = false
    // From the end: what a command needs lies before it.
    for (let end = commandsIn(rest); end > 0 && goOn(); end -= part) {
      const less = without(rest, Math.max(0, end - part), end)
      if (!(await fails(less))) continue
      rest = less
      dropped = true
    }
    if (!goOn() || (part === 1 && !dropped)) return rest
    if (part > 1) part = Math.ceil(part / 2)
  }
  return rest
}

/** Parts of a word that mean something by themselves (setup.ts, heapcalls.ts). */
const FIELDS = [0xffffffff, 0xffff0000, 0x0000ff00, 0x000000ff, 0x00000100, 0x00001e00, 0x0000e000, 0x00f00000, 0x00000010, 0x00000060]

async function simplify(words: Uint32Array, fails: Fails, goOn: () => boolean): Promise<Uint32Array> {
  let best = words
  const attempt = async (at: number, value: number): Promise<void> => {
    if (best[at] === value >>> 0 || !goOn()) return
    const next = best.slice()
    next[at] = value
    if (await fails(next)) best = next
  }
  for (let at = 0; at < words.length; at++) {
    for (const field of FIELDS) await attempt(at, (best[at] as number) & ~field)
    // A smaller amount or an earlier block, by halves and then by one.
    for (let half = (best[at] as number) >>> 17; half > 0; half >>>= 1)
      await attempt(at, ((best[at] as number) & 0xffff) | ((((best[at] as number) >>> 16) - half) << 16))
  }
  return best
}
