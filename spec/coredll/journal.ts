/** What a thread's steps have made of the two memories, word by word, so that what it leaves at each of them is had without making the steps again. */
export class Journal {
  readonly #system: Int32Array
  readonly #user: Int32Array
  /** Words changed so far, and what they have become; those of user memory lie below 0: -1 is its first. */
  readonly at: number[] = []
  readonly values: number[] = []
  /** How many words had been changed after each step: a step after which there are as many as before it has changed nothing. */
  readonly ends: number[] = []

  /** `system` and `user` are the memories whole. */
  constructor(system: Int32Array, user: Int32Array) {
    this.#system = system
    this.#user = user
  }

  write<T>(memory: ArrayBufferLike, from: number, length: number, act: () => T): T {
    const system = memory === this.#system.buffer
    const words = system ? this.#system : this.#user
    const first = from >>> 2
    const before = words.slice(first, (from + length + 3) >>> 2)
    const result = act()
    for (const [n, old] of before.entries()) {
      const now = words[first + n] as number
      if (now === old) continue
      this.at.push(system ? first + n : -1 - first - n)
      this.values.push(now)
    }
    this.ends.push(this.at.length)
    return result
  }
}

function mixed(at: number, value: number): number {
  const one = Math.imul(at ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(value, 0xc2b2ae35)
  return Math.imul(one ^ (one >>> 15), 0x2c1b3c6d)
}

function mixedAgain(at: number, value: number): number {
  const one = Math.imul(at + 0x165667b1, 0x27d4eb2f) + Math.imul(value ^ 0x5bd1e995, 0x1b873593)
  return Math.imul(one ^ (one >>> 13), 0x297a2d39)
}

/** A copy of both memories of a process, to be put back, and a name for what is in it: two images that differ have another name, but for one chance in 2^64. */
export class Image {
  readonly #system: Int32Array
  readonly #user: Int32Array
  readonly #base: Image
  #one = 0
  #two = 0

  /** What the memories hold now; images that are to be told apart have the same `base`. */
  constructor(system: Int32Array, user: Int32Array, base?: Image) {
    this.#system = new Int32Array(system)
    this.#user = new Int32Array(user)
    this.#base = base ?? this
    if (base === undefined) return
    this.#add(this.#system, base.#system, 1)
    this.#add(this.#user, base.#user, -1)
  }

  get name(): string {
    return `${this.#one},${this.#two}`
  }

  restore(system: Int32Array, user: Int32Array): void {
    system.set(this.#system)
    user.set(this.#user)
  }

  /** Makes of the image what the steps made of the memories that changed its words [from, to). */
  apply({ at, values }: Journal, from: number, to: number): void {
    for (let n = from; n < to; n++) {
      const place = at[n] as number
      const value = values[n] as number
      const [words, base, word] = place < 0 ? [this.#user, this.#base.#user, -1 - place] : [this.#system, this.#base.#system, place]
      this.#change(place, base[word] as number, words[word] as number, value)
      words[word] = value
    }
  }

  /** A word counts by what it is where it is not what it is in the base. */
  #change(place: number, base: number, old: number, now: number): void {
    if (old !== base) {
      this.#one = (this.#one - mixed(place, old)) | 0
      this.#two = (this.#two - mixedAgain(place, old)) | 0
    }
    if (now === base) return
    this.#one = (this.#one + mixed(place, now)) | 0
    this.#two = (this.#two + mixedAgain(place, now)) | 0
  }

  #add(words: Int32Array, base: Int32Array, side: 1 | -1): void {
    for (let word = 0; word < words.length; word++) {
      if (words[word] === base[word]) continue
      this.#change(side > 0 ? word : -1 - word, base[word] as number, base[word] as number, words[word] as number)
    }
  }
}

export interface Moment {
  /** The first step that is not made. */
  readonly step: number
  /** Whether the steps just before it and just after it change user memory alone. */
  readonly inner: boolean
}

/**
 * The moments before the steps of a journal that differ from the moment before, with `image` as it is then; the last step is the last that is not made.
 *
 * What becomes of an `inner` moment can be told from the first and the last of the moments in its row. System memory is the same in all of them, and mending
 * reads no user memory but the structures of critical sections, which no step here writes; so it makes the same stores after each. A byte of user memory is
 * then as after the first or as after the last, and what is judged of user memory is judged byte by byte.
 */
export function* momentsOf(journal: Journal, image: Image): Generator<Moment> {
  const { ends, at } = journal
  const startOf = (step: number): number => (step === 0 ? 0 : (ends[step - 1] as number))
  const steps = [...ends.keys()]
  const changing = steps.filter((step) => ends[step] !== startOf(step))
  const byUser = new Set(changing.filter((step) => at.slice(startOf(step), ends[step]).every((place) => place < 0)))
  yield { step: 0, inner: false }
  for (const [n, step] of changing.entries()) {
    if (step + 1 === ends.length) return
    image.apply(journal, startOf(step), ends[step] as number)
    const next = changing[n + 1]
    yield { step: step + 1, inner: byUser.has(step) && next !== undefined && byUser.has(next) }
  }
}
