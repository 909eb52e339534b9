import { SingleBar } from 'cli-progress'
import type { FuzzProgress } from '../fuzz/index.ts'
import type { StressProgress } from '../stress/index.ts'

/** Files up to this size are read before a bar would be seen, in bytes. */
const SMALL = 4 * 1024 * 1024

const inWords = (value: number): string => value.toLocaleString('en-US')

/** A bar on standard error that leaves nothing behind; where there is no terminal, none. */
class Bar {
  readonly #format: string
  #bar: SingleBar | undefined

  constructor(format: string) {
    this.#format = format
  }

  draw(at: number, total: number, text = ''): void {
    if (process.stderr.isTTY !== true) return
    if (this.#bar === undefined) {
      this.#bar = new SingleBar({
        format: this.#format,
        stream: process.stderr,
        clearOnComplete: true,
        // Ctrl-C ends the program at once: nothing of the terminal may be left changed then.
        linewrap: true,
        gracefulExit: false,
        barsize: 32,
        fps: 8
      })
      this.#bar.start(total, at, { text })
    }
    this.#bar.setTotal(total)
    this.#bar.update(at, { text })
  }

  stop(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }
}

export interface Progress<Told extends readonly unknown[]> {
  update(...told: Told): void
  stop(): void
}

function progress<Told extends readonly unknown[]>(format: string, draw: (bar: Bar, ...told: Told) => void): Progress<Told> {
  const bar = new Bar(format)
  return { update: (...told) => draw(bar, ...told), stop: () => bar.stop() }
}

/** Shows how far a file is read. */
export function readProgress(): Progress<[read: number, total: number | undefined, calls: number]> {
  return progress('{bar} {percentage} % | {text} calls', (bar, read, total, calls) => {
    if (total !== undefined && total >= SMALL) bar.draw(read, total, inWords(calls))
  })
}

/** Shows how far a campaign, or its only run, has come. */
export function stressProgress(): Progress<[now: StressProgress]> {
  return progress('{bar} {percentage} % | {text}', (bar, { runs, of, done, ops, ms, seconds }) => {
    const [at, total] = of > 1 ? [runs, of] : ops > 0 ? [done, ops] : [ms, seconds * 1000]
    bar.draw(at, total, of > 1 ? `${inWords(runs)} runs` : `${inWords(done)} operations`)
  })
}

/** Shows how many trials of a battery are done. */
export function trialProgress(): Progress<[done: number, of: number]> {
  return progress('{bar} {percentage} % | {value} of {total} trials', (bar, done, of) => bar.draw(done, of))
}

/** Shows how far a campaign is. */
export function fuzzProgress(): Progress<[now: FuzzProgress]> {
  return progress('{bar} {percentage} % | {text}', (bar, { runs, calls, ms, done, shrinking }) => {
    const speed = `${inWords(Math.round((calls * 1000) / Math.max(ms, 1)))} a second`
    bar.draw(
      Math.round(done * 1000),
      1000,
      shrinking ? 'a failure is being made smaller' : `${inWords(runs)} runs, ${inWords(calls)} calls, ${speed}`
    )
  })
}
