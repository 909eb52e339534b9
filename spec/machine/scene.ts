// A process with a schedule, what its threads share, and a run of it by real workers.
import { type CeProcess, createProcess, type ProcessOptions, type ScheduleReport } from '../../src/index.ts'
import { type Played, type PlayOptions, play } from './schedulecrew.ts'
import type { PartName } from './schedule-worker.ts'

export interface Scene {
  readonly process: CeProcess
  readonly heap: number
  /** Address of 128 zeroed bytes. */
  readonly shared: number
  /** Two critical sections. */
  readonly sections: readonly [number, number]
}

export function scene(options: ProcessOptions): Scene {
  const process = createProcess({ memory: 2 * 1024 * 1024, lockTimeout: 20_000, ...options })
  const ce = process.thread
  const heap = ce.HeapCreate(0, 0, 0)
  const shared = ce.HeapAlloc(ce.GetProcessHeap(), 8, 128)
  const section = (): number => {
    const address = ce.HeapAlloc(ce.GetProcessHeap(), 8, 20)
    ce.InitializeCriticalSection(address)
    return address
  }
  return { process, heap, shared, sections: [section(), section()] }
}

/** One part each, of so many rounds. */
export function perform(
  { process, heap, shared, sections }: Scene,
  names: readonly PartName[],
  rounds: number,
  options?: PlayOptions
): Promise<Played[]> {
  const parts = names.map((part, at) => ({
    part,
    seed: at + 1,
    rounds,
    heap,
    shared,
    // Every other one enters them the other way round.
    sections: part === 'nest' && at % 2 === 1 ? [...sections].reverse() : sections
  }))
  return play(process, parts, options)
}

export interface Run {
  readonly image: string
  readonly calls: string
  readonly counter: number
  readonly errors: readonly (string | undefined)[]
  readonly values: readonly unknown[]
  readonly report: ScheduleReport
}

/** A whole run: what it left behind and what its threads were told. */
export async function runOf(options: ProcessOptions, names: readonly PartName[], rounds: number, playing?: PlayOptions): Promise<Run> {
  const made = scene({ threads: names.length, ...options })
  const { process } = made
  const played = await perform(
    made,
    names,
    rounds,
    options.schedule === 'recorded' ? { onTick: () => process.drainGrants(), ...playing } : playing
  )
  process.check()
  return {
    image: process.imageHash(),
    calls: JSON.stringify(played.map(({ calls }) => calls.map(({ call, args, result, lastError }) => [call, ...args, result, lastError]))),
    counter: process.thread.memory.readU32(made.shared),
    errors: played.map(({ error }) => error),
    values: played.map(({ value }) => value),
    report: process.scheduleReport()
  }
}
