import { memoryFigures } from '../coredll/figures.ts'
import { createProcess, type ProcessOptions } from '../coredll/process.ts'
import { misuse } from '../errors.ts'
import { oneOf } from '../profile.ts'
import type { TraceSource } from '../trace/index.ts'
import { findingsOf, severities } from './findings.ts'
import { Replayer } from './replay.ts'
import type { CheckOptions, CheckReport, ProcessReport } from './report.ts'
import { Run } from './run.ts'
import { type Target, targetOf } from './target.ts'
import { touchedChoices } from './touched.ts'
import { hex } from './words.ts'

/** The trace cannot be checked as asked: the message says why and what could be asked. */
export class CheckError extends Error {
  override readonly name = 'CheckError'
}

/**
 * Reads the trace to its end and reports. The same trace and options give the same report.
 *
 * @throws TypeError, RangeError for options that are none; CheckError for a process that the trace does not have; InvariantError if the
 * emulator contradicts itself, which is a fault of this library.
 */
export async function checkTrace(source: TraceSource, options: CheckOptions = {}): Promise<CheckReport> {
  if (typeof source?.events !== 'function') throw misuse('checkTrace: source', 'what openTrace gave', source)
  try {
    if (typeof options !== 'object' || options === null) throw misuse('checkTrace: options', 'an object', options)
    return await checked(source, options)
  } catch (error) {
    await source.close()
    throw error
  }
}

async function checked(source: TraceSource, options: CheckOptions): Promise<CheckReport> {
  const floor = oneOf('severity', options.severity ?? 'note', severities)
  // A wrong option is told before a long trace is read.
  const asked = targetOf(options)
  if (options.memory !== undefined || options.physical !== undefined) createProcess(processOf(asked)).close()
  let begun: Begun | undefined
  for await (const batch of source.events()) {
    // The header is known once something was read.
    begun ??= begin(source, options)
    for (const event of batch) begun.replayer.event(event)
    options.onProgress?.({ ...source.progress, calls: begun.replayer.calls })
  }
  const { target, run, replayer } = begun ?? begin(source, options)
  const { profile, build, placement, memory, physical } = target
  if (options.process !== undefined && replayer.processes.size === 0) throw noSuchProcess(source.name, options.process, replayer.ids)
  replayer.end()

  const processes = [...replayer.processes.values()].map((process): ProcessReport => {
    process.emulated.check()
    const { peakCommitted } = memoryFigures(process.ce)
    const imageHash = process.emulated.imageHash()
    return { process: process.id, calls: process.calls, threads: process.threads.size, peakCommitted, imageHash }
  })
  const groups = run.groups.all()
  const callsByName = replayer.callsByName()
  const findings = findingsOf(groups, floor, run.programSites)
  const count = (severity: string): number => findings.filter((finding) => finding.severity === severity).length
  const sum = (field: 'threads' | 'peakCommitted'): number => processes.reduce((total, process) => total + process[field], 0)
  const { name, format, gzip, unit, skipped, unfinished, lost } = source
  return {
    version: 1,
    trace: { name, format, gzip, unit, skipped, unfinished, lost, programSites: run.programSites },
    damage: source.damage ?? null,
    target: { profile: profile.name, title: profile.title, build, placement, memory, physical },
    summary: {
      calls: replayer.calls,
      threads: sum('threads'),
      processes: processes.length,
      findings: findings.length,
      errors: count('error'),
      warnings: count('warning'),
      notes: count('note'),
      callsByName,
      choices: touchedChoices(run, groups, callsByName),
      unknownPointers: run.unknownPointers,
      unseenFrees: [...replayer.processes.values()].reduce((total, process) => total + process.unseenFrees, 0),
      notReplayed: run.notReplayed,
      processesLeftOut: replayer.leftOut.size,
      callsLeftOut: replayer.callsLeftOut,
      heapsLeftOut: replayer.heapsLeftOut,
      peakCommitted: sum('peakCommitted')
    },
    processes,
    heaps: replayer.heaps,
    findings
  }
}

interface Begun {
  readonly target: Target
  readonly run: Run
  readonly replayer: Replayer
}

function begin({ format, header }: TraceSource, options: CheckOptions): Begun {
  const target = targetOf(options, header)
  const run = new Run(target.profile, target.memory, target.physical, format)
  return { target, run, replayer: new Replayer(run, processOf(target), options.process) }
}

function processOf({ profile, ...others }: Target): ProcessOptions {
  return { profile: profile.name, ...others }
}

function noSuchProcess(name: string, wanted: number, ids: ReadonlySet<number>): CheckError {
  const known = [...ids].sort((a, b) => a - b)
  const list =
    known
      .slice(0, 20)
      .map((id) => `${id} (${hex(id)})`)
      .join(', ') + (known.length > 20 ? `, ... (${known.length} in all)` : '')
  if (known.length === 0) return new CheckError(`${name}: has no memory calls of any process`)
  return new CheckError(`${name}: has no memory calls of process ${wanted}; it has those of ${list}`)
}
