import type { Machine } from './machine.ts'
import type { Schedule } from './schedule.ts'
import { BOARD, FAILED, OVER, PLAIN } from './scheduleboard.ts'
import { DeadlockError, DivergenceError, failureOf } from './scheduleerrors.ts'
import { GrantReader } from './schedulereader.ts'
import { traceOf } from './schedulesteps.ts'
import type { Trace } from './schedulesteps.ts'
import { CHOICES, GUIDED } from './schedulestrategy.ts'
import { writeSchedule } from './schedulestring.ts'

/** How a run with a schedule went. */
export interface ScheduleReport {
  /** The option that the process was made with. */
  readonly schedule: string
  /**
   * The run as a string: `replay:` with it, for as many threads and the same `program`, makes the same run. Undefined for a run of more than
   * 262,144 choices, which repeats by its seed alone, and for a recorded one of more than as many grants or in which a log was full and nobody read it. Made
   * when it is asked for: some milliseconds for 1,000 choices.
   */
  readonly text: string | undefined
  /** Whether all threads have come to their end. */
  readonly over: boolean
  /** Steps made: what a thread does from one point to the next; of a recorded run the grants. */
  readonly steps: number
  /** Steps that more than one thread could have made, or that began with a try. */
  readonly choices: number
  /** How often the turn went on from a thread that could have kept it. */
  readonly preemptions: number
  /** Where a replay went another way. */
  readonly diverged?: { readonly step: number; readonly expected: string; readonly found: string; readonly message: string }
  /** Where nobody could go on. */
  readonly deadlock?: { readonly step: number; readonly message: string }
  /** @internal What a run that is guided wrote down, for the search over orders. */
  readonly trace?: Trace
}

/** The report of the schedule so far. Throws a TypeError in a process without one. */
export function reportOf(machine: Machine, schedule: Schedule | undefined): ScheduleReport {
  if (machine.schedule === undefined || schedule === undefined)
    throw new TypeError(
      'scheduleReport: expected a process with a schedule, got one whose threads are free: createProcess({ schedule, threads })'
    )
  const board = new Int32Array(machine.schedule)
  if (machine.seat instanceof GrantReader) return recordedReport(machine, machine.seat, schedule)
  const phase = Atomics.load(board, BOARD.PHASE)
  const failure = phase === FAILED ? failureOf(board, machine.layout) : early(board, phase)
  const [steps, choices] = [board[BOARD.STEP] as number, board[BOARD.CHOICES] as number]
  return {
    schedule: schedule.name,
    get text() {
      return textOf(machine, board, schedule, choices, phase === OVER ? steps : 0)
    },
    over: phase === OVER,
    steps,
    choices,
    preemptions: board[BOARD.PREEMPTIONS] as number,
    ...(failure instanceof DivergenceError
      ? { diverged: { step: failure.step, expected: failure.expected, found: failure.found, message: failure.message } }
      : {}),
    ...(failure instanceof DeadlockError ? { deadlock: { step: failure.step, message: failure.message } } : {}),
    ...(board[BOARD.KIND] === GUIDED ? { trace: traceOf(board, failure instanceof DeadlockError) } : {})
  }
}

function recordedReport(machine: Machine, reader: GrantReader, { name, threads, program }: Schedule): ScheduleReport {
  reader.drain()
  return {
    schedule: name,
    get text() {
      const events = reader.merged()
      if (events === undefined) return undefined
      return writeSchedule({ form: 'grants', seats: threads, steps: 0, events }, program, machine.layout)
    },
    over: reader.over,
    steps: reader.count,
    choices: 0,
    preemptions: 0
  }
}

/** The first `count` choices, as the string of a run of so many steps. */
function textOf(machine: Machine, board: Int32Array, { threads, program }: Schedule, count: number, steps: number): string | undefined {
  if (count > (board[BOARD.CHOICES_LIMIT] as number)) return undefined
  const events: [number, number][] = []
  let told = 0
  for (let n = 0; n < count; n++) {
    const at = (board[BOARD.CHOICES_AT] as number) + n * 2
    const chosen = board[at] as number
    events.push([chosen & (PLAIN - 1), board[at + 1] as number])
    if ((chosen & PLAIN) === 0) told = events.length
  }
  return writeSchedule({ form: 'choices', seats: threads, steps, events: events.slice(0, told) }, program, machine.layout)
}

/** A replay that came to its end sooner or later than the run that it repeats: no thread is left to be told. */
function early(board: Int32Array, phase: number): DivergenceError | undefined {
  const planned = board[BOARD.PLAN_STEPS] as number
  const made = board[BOARD.STEP] as number
  if (phase !== OVER || board[BOARD.KIND] !== CHOICES || planned === 0 || planned === made) return undefined
  return new DivergenceError(Math.min(planned, made), `the end after ${planned} steps`, `it after ${made}`)
}
