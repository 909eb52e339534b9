import { SingleBar } from 'cli-progress'

/** Shows how far a file is read. On a terminal alone, and not for small files, which are read before a bar would be seen. */
export interface Progress {
  update(read: number, total: number | undefined, calls: number): void
  stop(): void
}

const smallest = 4 * 1024 * 1024

export function readProgress(): Progress {
  let bar: SingleBar | undefined
  return {
    update(read, total, calls) {
      if (total === undefined || total < smallest || process.stderr.isTTY !== true) return
      if (bar === undefined) {
        bar = new SingleBar({
          format: '{bar} {percentage} % | {calls} calls',
          stream: process.stderr,
          clearOnComplete: true,
          // Ctrl-C ends the program at once: nothing of the terminal may be left changed then.
          linewrap: true,
          gracefulExit: false,
          barsize: 32,
          fps: 8
        })
        bar.start(total, 0, { calls: '0' })
      }
      bar.update(read, { calls: calls.toLocaleString('en-US') })
    },
    stop() {
      bar?.stop()
      bar = undefined
    }
  }
}
