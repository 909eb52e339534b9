import { spawn } from 'node:child_process'
import { hasTotals, type Ended } from './outcome.ts'

/** Time bounds of one spec file, in milliseconds. */
export interface Limits {
  /** From start to end. */
  readonly total: number
  /** From uvu's closing totals to the end of the process: a worker, timer or handle left open shows here. */
  readonly linger: number
}

const running = new Set<() => void>()

/** Kills what `runFile` has started: the processes lead groups of their own and outlive an interrupted terminal otherwise. */
export function killRunning(): void {
  for (const kill of running) kill()
}

/** Runs one compiled spec file in a Node process of its own; always settles, by killing the process if need be. */
export function runFile(file: string, limits: Limits): Promise<Ended> {
  return new Promise((settle) => {
    const { FORCE_COLOR: _, ...env } = process.env
    const child = spawn(process.execPath, ['--enable-source-maps', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, NO_COLOR: '1' },
      // A group of its own: what the spec started dies with it, and cannot hold the pipes open.
      detached: process.platform !== 'win32'
    })
    let stdout = ''
    let stderr = ''
    let killed: string | undefined
    let lingering: NodeJS.Timeout | undefined

    function kill(reason: string): void {
      killed ??= reason
      try {
        if (process.platform === 'win32' || child.pid === undefined) child.kill('SIGKILL')
        else process.kill(-child.pid, 'SIGKILL')
      } catch {
        child.kill('SIGKILL')
      }
    }
    const interrupt = (): void => kill('interrupted')
    running.add(interrupt)
    const timer = setTimeout(() => kill(`killed: still running after the time limit of ${limits.total / 1000} s`), limits.total)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (lingering === undefined && hasTotals(stdout)) {
        const reason = `killed: the tests ended but the process did not, ${limits.linger / 1000} s later (a worker, timer or handle left open)`
        lingering = setTimeout(() => kill(reason), limits.linger)
      }
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', (error) => {
      killed ??= `could not be started: ${error.message}`
    })
    child.on('close', (code, signal) => {
      running.delete(interrupt)
      clearTimeout(timer)
      clearTimeout(lingering)
      settle({ stdout, stderr, code, signal, ...(killed === undefined ? {} : { killed }) })
    })
  })
}
