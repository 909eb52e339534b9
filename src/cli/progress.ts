import { SingleBar } from 'cli-progress'
import type { FuzzProgress } from '../fuzz/index.ts'
import type { StressProgress } from '../stress/index.ts'

/** Shows how far a file is read. On a terminal alone, and not for small files, which are read before a bar would be seen. */
export interface Progress {
  update(read: number, total: number | undefined, calls: number): void
  stop(): void
}

const smallest = 4 * 1024 * 1024

/** A bar on standard error that leaves nothing behind; undefined where there is no terminal. */
function barOf(format: string): SingleBar | undefined {
  if (process.stderr.isTTY !== true) return undefined
  return new SingleBar({
    format,
    stream: process.stderr,
    clearOnComplete: true,
    // Ctrl-C ends the program at once: nothing of the terminal may be left changed then.
    linewrap: true,
    gracefulExit: false,
    barsize: 32,
    fps: 8
  })
}

export function readProgress(): Progress {
  let bar: SingleBar | undefined
  return {
    update(read, total, calls) {
      if (total === undefined || total < smallest) return
      if (bar === undefined) {
        bar = barOf('{bar} {percentage} % | {calls} calls')
        bar?.start(total, 0, { calls: '0' })
      }
      bar?.update(read, { calls: calls.toLocaleString('en-US') })
    },
    stop() {
      bar?.stop()
      bar = undefined
    }
  }
}

/** Shows how far a campaign, or its only run, has come. */
export function stressProgress(): { update(now: StressProgress): void; stop(): void } {
  let bar: SingleBar | undefined
  return {
    update({ runs, of, done, ops, ms, seconds }) {
      const [at, total] = of > 1 ? [runs, of] : ops > 0 ? [done, ops] : [Math.min(ms, seconds * 1000), seconds * 1000]
      if (bar === undefined) {
        bar = barOf('{bar} {percentage} % | {text}')
        bar?.start(total, at, { text: '' })
      }
      const number = (value: number): string => value.toLocaleString('en-US')
      const text = of > 1 ? `${number(runs)} runs` : `${number(done)} operations`
      bar?.setTotal(total)
      bar?.update(at, { text })
    },
    stop() {
      bar?.stop()
      bar = undefined
    }
  }
}

/** Shows how many trials of a battery are done. */
export function trialProgress(): { update(done: number, of: number): void; stop(): void } {
  let bar: SingleBar | undefined
  return {
    update(done, of) {
      if (bar === undefined) {
        bar = barOf('{bar} {percentage} % | {value} of {total} trials')
        bar?.start(of, done)
      }
      bar?.update(done)
    },
    stop() {
      bar?.stop()
      bar = undefined
    }
  }
}

/** Shows how far a campaign is. */
export function fuzzProgress(): { update(now: FuzzProgress): void; stop(): void } {
  let bar: SingleBar | undefined
  return {
    update({ runs, calls, ms, done, shrinking }) {
      if (bar === undefined) {
        bar = barOf('{bar} {percentage} % | {text}')
        bar?.start(1000, 0, { text: '' })
      }
      const number = (value: number): string => value.toLocaleString('en-US')
      const speed = `${number(Math.round((calls * 1000) / Math.max(ms, 1)))} a second`
      bar?.update(Math.round(done * 1000), {
        text: shrinking ? 'a failure is being made smaller' : `${number(runs)} runs, ${number(calls)} calls, ${speed}`
      })
    },
    stop() {
      bar?.stop()
      bar = undefined
    }
  }
}
