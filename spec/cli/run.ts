// Runs the built command as a user would, in a process of its own.
import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../../../', import.meta.url))
export const cli: string = join(root, 'dist', 'cli.js')
export const habits = 'examples/desktop-habits.wine-relay.log'

/** The environment without what a CI service says of shards, which the specs may run in. */
export function outsideCi(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:CI_NODE|CIRCLE_NODE|BUILDKITE_PARALLEL|JOB_COMPLETION|SHARD_COUNT)/.test(name))
  )
}

export interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

export function ceheap(args: readonly string[], options: SpawnSyncOptions & { input?: string | Uint8Array } = {}): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: root,
    timeout: 30_000,
    ...options,
    encoding: 'utf8'
  })
  return { status, out: stdout, err: stderr }
}

/** A folder for the files of one spec. */
export class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ceheap-cli-'))

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name)
    writeFileSync(path, content)
    return path
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
