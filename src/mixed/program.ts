import type { CeThread } from '../coredll/thread.ts'
import { Run } from './run.ts'

/** Some of a seed's commands by their numbers, and whether everything is given back after them. */
export interface Program {
  readonly seed: number
  readonly commands: readonly number[]
  readonly finishing: boolean
}

/** Told of each thread of the process: who writes its calls down, or plants a fault in them. */
export type OnThread = (ce: CeThread, index: number) => void

/** Runs a program, and looks at everything at its end. What goes wrong is thrown. */
export function play({ seed, commands, finishing }: Program, onThread?: OnThread, tell?: (line: string) => void): void {
  const run = new Run(seed, onThread, Number.POSITIVE_INFINITY)
  try {
    run.world.tell = tell
    for (const command of commands) {
      tell?.(`// ${command}`)
      run.command(command)
    }
    tell?.('// the end')
    if (finishing) run.finish()
    else run.agree()
  } finally {
    run.close()
  }
}
