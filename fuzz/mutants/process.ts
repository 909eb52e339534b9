import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Job, Told } from './child.ts'
import { TOO_OFTEN } from './switch.ts'

/** Milliseconds that a test may take: of the processor and of the clock. A busy machine stretches only the second. */
export interface Limit {
  readonly cpu: number
  readonly wall: number
}

export interface Ended {
  readonly told: readonly Told[]
  /** 'passed': everything asked for did. */
  readonly end: 'passed' | 'failed' | 'timeout'
  /** The test at which it ended. */
  readonly file: number
  readonly test: number
  readonly message: string
}

const running = new Set<number>()

/** Ends all that still runs, with the processes that it started itself. */
export function killAll(): void {
  for (const pid of running) killGroup(pid)
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** Milliseconds of the processor that a process has used; undefined where the system does not tell. */
function cpuOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return undefined
  }
}

/** Runs one process of the mutated build to its end, or until a test takes longer than `limitOf` it. */
export function runChild(
  child: string,
  job: Job,
  environment: Readonly<Record<string, string>>,
  limitOf: (file: number, test: number) => Limit,
  cwd: string
): Promise<Ended> {
  return new Promise((settle) => {
    const started = spawn(process.execPath, ['--max-old-space-size=1024', child, JSON.stringify(job)], {
      cwd,
      env: { ...process.env, CEHEAP_SEED: '1', ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      detached: true
    })
    const pid = started.pid as number
    running.add(pid)
    const told: Told[] = []
    let rest = ''
    let errors = ''
    let late = false
    let at = { file: 0, test: -1, wall: performance.now(), cpu: 0 }
    const timer = setInterval(() => {
      const limit = limitOf(at.file, at.test)
      const cpu = cpuOf(pid)
      if (performance.now() - at.wall < limit.wall && (cpu === undefined || cpu - at.cpu < limit.cpu)) return
      late = true
      killGroup(pid)
    }, 250)
    const pipe = started.stdio[3] as NodeJS.ReadableStream
    pipe.setEncoding('utf8')
    pipe.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() as string
      for (const line of lines) {
        const one = JSON.parse(line) as Told
        told.push(one)
        if (one.is === 'begins') at = { file: one.file, test: one.test, wall: performance.now(), cpu: cpuOf(pid) ?? 0 }
      }
    })
    started.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(0, 2000)
    })
    started.on('close', (code, signal) => {
      clearInterval(timer)
      running.delete(pid)
      killGroup(pid)
      const failed = told.find((one) => one.is === 'failed')
      const done = told.some((one) => one.is === 'done') && code === 0
      const end = late || code === TOO_OFTEN ? 'timeout' : done && failed === undefined ? 'passed' : 'failed'
      const message =
        failed?.message ??
        (end === 'passed' ? '' : end === 'timeout' ? 'no end' : `the process ended with ${signal ?? code}: ${firstError(errors)}`)
      settle({ told, end, file: failed?.file ?? at.file, test: failed?.test ?? at.test, message })
    })
  })
}

function firstError(text: string): string {
  return (/^\w*Error.*$/m.exec(text)?.[0] ?? text.trim().split('\n')[0] ?? '').slice(0, 200)
}
