import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { builtinWorkloads } from './builtin.ts'
import { thrownBy } from './job.ts'
import { StressError, workloadOf } from './workload.ts'
import type { Workload } from './workload.ts'

/** Where a workload comes from: the name of a built-in one, or the address of a module. */
export interface WorkloadSource {
  readonly builtin?: string
  readonly url?: string
  /** As the user wrote it. */
  readonly given: string
}

const names = (): string => builtinWorkloads.map(({ name }) => name).join(', ')

/** Tells a name from a file: `./mine.js`, an absolute path, a file: address and whatever ends like a module is a file. */
export function sourceOf(given: string | URL): WorkloadSource {
  const text = String(given)
  if (builtinWorkloads.some(({ name }) => name === text)) return { builtin: text, given: text }
  const path = resolve(given instanceof URL || text.startsWith('file:') ? pathOf(text) : text)
  if (!existsSync(path)) {
    const isFile = /[\\/]|\.[cm]?[jt]s$/.test(text)
    throw new StressError(isFile ? `${text}: there is no such file` : `${text}: neither a built-in workload (${names()}) nor a file`)
  }
  if (!statSync(path).isFile()) throw new StressError(`${text}: is not a file; a workload is a module such as ./mine.js`)
  return { url: pathToFileURL(path).href, given: given instanceof URL ? path : text }
}

function pathOf(address: string): string {
  try {
    return fileURLToPath(address)
  } catch (error) {
    throw new StressError(`${address}: is no address of a file on this machine; a workload is a module such as ./mine.js`, { cause: error })
  }
}

const loaded = new Map<string, Promise<Workload>>()

/** The workload itself; loaded once in each thread. */
export function loadWorkload({ builtin, url, given }: WorkloadSource): Promise<Workload> {
  if (url === undefined) {
    const found = builtinWorkloads.find(({ name }) => name === builtin)
    return found === undefined ? Promise.reject(new StressError(`${given}: expected one of ${names()}`)) : Promise.resolve(found)
  }
  let module = loaded.get(url)
  if (module === undefined) {
    module = importWorkload(url, given)
    loaded.set(url, module)
  }
  return module
}

async function importWorkload(url: string, given: string): Promise<Workload> {
  let module: Record<string, unknown>
  try {
    module = (await import(url)) as Record<string, unknown>
  } catch (error) {
    const { message } = thrownBy(error)
    const said = error instanceof Error && error.name === 'Error' ? `Error: ${message}` : message
    throw new StressError(`${given}: cannot be loaded as a module (${said})`, { cause: error })
  }
  return workloadOf(module, given)
}
