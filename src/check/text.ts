import { aligned, clipped, labelled, plural, wrap } from './layout.ts'
import type { CheckFinding, CheckReport, HeapReport, Severity } from './report.ts'
import { inProgram, printable } from './sites.ts'
import { bytesText } from './words.ts'

/** How the report for a terminal looks. */
export interface TextStyle {
  /** Columns; 72 to 120 are used. Default 80. */
  readonly width?: number
  /** Colours; by default none. */
  readonly paint?: Paint
}

/** Colours as functions from text to text (those of picocolors fit). */
export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
  readonly green: (text: string) => string
}

const same = (text: string): string => text
const plain: Paint = { bold: same, dim: same, red: same, yellow: same, cyan: same, green: same }

/** Call sites that are listed under one finding. */
const mostSites = 8
const mostHeaps = 12

const formats: Readonly<Record<string, string>> = {
  'wine-relay': 'Wine relay log',
  'wine-heap': 'Wine heap log',
  celog: 'CeLog file',
  jsonl: 'ceheap trace'
}

/** The report for a person: what it is about, the findings with the most serious first, the heaps, a last line with the count. */
export function formatText(report: CheckReport, style: TextStyle = {}): string {
  const width = Math.min(Math.max(style.width ?? 80, 72), 120)
  const paint = style.paint ?? plain
  const apart = report.trace.programSites
  const parts = [
    heading(report, width, paint),
    ...sections(report.findings, apart).map((section) => findingText(section, report, apart, width, paint)),
    heapTable(report, width, paint),
    remarks(report, apart, width, paint),
    [verdictLine(report, paint)]
  ]
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function heading(report: CheckReport, width: number, paint: Paint): string[] {
  const { trace, summary, target, damage } = report
  const { profile, title, build, placement, memory, physical } = target
  const ram = physical === memory ? '' : `, ${bytesText(physical)} of them physical`
  const what = `${formats[trace.format] ?? trace.format}: ${plural(summary.calls, 'memory call')} of ${plural(summary.processes, 'process', 'processes')}, ${plural(summary.threads, 'thread')}`
  const how = `${title} (--profile ${profile}): ${build} build, ${placement} placement, ${bytesText(memory)}${ram}`
  const lines = [
    ...labelled('Trace', printable(trace.name), 0, 11, width),
    ...labelled('', what, 0, 11, width),
    ...labelled('Replayed', `as ${how}`, 0, 11, width)
  ].map((line) => line.replace(/^(Trace|Replayed)/, (label) => paint.bold(label)))
  lines.push(`${paint.bold('Found'.padEnd(11))}${countsText(report, paint)}`)
  if (damage === null) return lines
  const further = damage.further === 0 ? '' : ` (and ${plural(damage.further, 'more place')})`
  return [
    ...lines,
    ...labelled('Damaged', `${printable(damage.message)}${further}. The report is of what could be read.`, 0, 11, width).map(paint.red)
  ]
}

/** The findings of one kind, in the order of the most serious and most frequent one. `apart` puts the program before the DLLs. */
function sections(findings: readonly CheckFinding[], apart: boolean): CheckFinding[][] {
  const found = new Map<string, CheckFinding[]>()
  for (const raw of findings) {
    const { call, callSite, recorded, onCe } = raw
    const finding = { ...raw, call: printable(call), callSite: printable(callSite), recorded: printable(recorded), onCe: printable(onCe) }
    const key = `${finding.severity} ${finding.rule} ${finding.title}`
    const section = found.get(key)
    if (section === undefined) found.set(key, [finding])
    else section.push(finding)
  }
  // Of leaks the bytes count, not the blocks.
  const rank = (finding: CheckFinding): number => (apart && inProgram(finding.callSite) ? 0 : 1)
  for (const section of found.values()) section.sort((a, b) => rank(a) - rank(b) || (b.bytes ?? 0) - (a.bytes ?? 0))
  return [...found.values()]
}

const colours: Readonly<Record<Severity, 'red' | 'yellow' | 'cyan'>> = { error: 'red', warning: 'yellow', note: 'cyan' }

function findingText(section: readonly CheckFinding[], report: CheckReport, apart: boolean, width: number, paint: Paint): string[] {
  const first = section[0]!
  const { severity, rule, title, explanation, recorded, onCe, advice } = first
  const count = section.reduce((sum, finding) => sum + finding.count, 0)
  const leak = first.bytes !== undefined
  const counted = leak ? plural(count, 'block') : plural(count, 'call')
  const badge = severity.toUpperCase().padEnd(8)
  const head = `${badge}${rule.padEnd(6)}${title}`
  const space = ' '.repeat(Math.max(width - head.length - counted.length, 2))
  const body = (label: string, text: string): string[] =>
    labelled(label, text, 2, 10, width).map((line, index) => (index === 0 ? line.replace(label, paint.dim) : line))
  const lines = [
    `${paint[colours[severity]](paint.bold(badge))}${paint.bold(`${rule.padEnd(6)}${title}`)}${space}${paint.dim(counted)}`,
    ...wrap(explanation, width - 2).map((line) => `  ${line}`),
    ''
  ]
  if (!leak) lines.push(...body('Recorded', recorded))
  lines.push(
    ...body('On CE', onCe),
    ...body('Change', advice),
    ...places(section, report, apart, width, paint),
    ...body('Rule', `ceheap rules ${rule}`)
  )
  return lines
}

/** The call sites of a section in columns: how often, where first, what. */
function places(section: readonly CheckFinding[], { trace, summary }: CheckReport, apart: boolean, width: number, paint: Paint): string[] {
  const several = section.some(({ call, heap }) => call !== section[0]!.call || heap !== section[0]!.heap)
  const unit = trace.unit === 'line' ? 'line' : 'offset'
  const rows = section.slice(0, mostSites).map((finding) => {
    const { count, position, callSite, call, heap, bytes, process } = finding
    const row = [`${count.toLocaleString('en-US')} x`]
    if (bytes !== undefined) row.push(compact(bytes))
    row.push(position === 0 ? '' : `${unit} ${position}`, siteText(callSite, apart))
    if (several || bytes !== undefined)
      row.push(heap === undefined || heap === 'process heap' ? call : `${call} in ${heap.replace('heap ', '')}`)
    if (summary.processes > 1) row.push(`process ${process}`)
    return row
  })
  const leak = section[0]!.bytes !== undefined
  const texts = aligned(rows, [true, leak]).map((line) => clipped(line, width - 12))
  if (section.length > mostSites) {
    const rest = section.slice(mostSites)
    const sum = rest.reduce((total, { count }) => total + count, 0)
    texts.push(`and ${sum.toLocaleString('en-US')} more at ${plural(rest.length, 'other call site')} (--format json lists all)`)
  }
  return texts.map((text, index) => `  ${index === 0 ? paint.dim('Where'.padEnd(10)) : ' '.repeat(10)}${text}`)
}

function siteText(site: string, apart: boolean): string {
  if (site === '' || site.includes(' ')) return site
  return apart && !inProgram(site) ? `in DLL ${site}` : `at ${site}`
}

function heapTable({ heaps, summary }: CheckReport, width: number, paint: Paint): string[] {
  const listed = [...heaps]
    .sort((a, b) => b.peakCommitted - a.peakCommitted || a.process - b.process || a.position - b.position)
    .slice(0, mostHeaps)
  if (listed.length === 0) return []
  const several = summary.processes > 1
  const header = ['Heap', 'Kind', 'Peak', 'Committed', 'Left', 'Free', 'Largest', 'Split', ...(several ? ['Process'] : [])]
  const rows = listed.map((heap) => [
    heap.name.replace(/^heap /, ''),
    heap.kind === 'fixed' ? `max ${compact(heap.maximum)}` : 'growable',
    compact(heap.peakBytes),
    compact(heap.peakCommitted),
    heap.destroyed ? 'destroyed' : left(heap),
    compact(heap.freeBytes),
    compact(heap.largestFree),
    `${Math.round(heap.fragmentation * 100)} %`,
    ...(several ? [String(heap.process)] : [])
  ])
  const [title = '', ...lines] = aligned([header, ...rows], [false, false, true, true, true, true, true, true, true]).map((line) =>
    clipped(line, width)
  )
  const more = heaps.length - listed.length + summary.heapsLeftOut
  if (more > 0) lines.push(`and ${plural(more, 'more heap')} (--format json lists up to 1,000)`)
  const legend =
    'Peak: most bytes allocated at once. Committed: most memory taken at once. At the end of the heap: Left, what is still allocated; Free; ' +
    'Largest, the largest free block; Split, the share of the free memory outside that block (fragmentation). ' +
    `${several ? 'The processes together' : 'The process'} had at most ${bytesText(summary.peakCommitted)} committed.`
  return [paint.bold(title), ...lines, ...wrap(legend, width).map(paint.dim)]
}

/** A size in few characters: `60 B`, `4.9 KB`, `508 KB`, `12 MB`. */
function compact(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const [value, unit] = bytes < 1000 * 1024 ? [bytes / 1024, 'KB'] : [bytes / (1024 * 1024), 'MB']
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')} ${unit}`
}

function left({ liveBlocks, liveBytes }: HeapReport): string {
  return liveBlocks === 0 ? 'nothing' : compact(liveBytes)
}

function remarks({ summary, trace }: CheckReport, apart: boolean, width: number, paint: Paint): string[] {
  const { unknownPointers, unseenFrees, notReplayed, processesLeftOut, callsLeftOut } = summary
  const texts: string[] = []
  if (summary.calls === 0)
    texts.push('The trace holds no memory calls: was it recorded with the options that the README names, and not cut by a filter?')
  if (unknownPointers > 0) {
    texts.push(
      `${plural(unknownPointers, 'call')} with blocks that the recording does not show being allocated, taken to be all right (ceheap rules C-40).`
    )
  }
  const choices = Object.entries(summary.choices).filter(([id]) => id !== 'C-40')
  if (choices.length > 0) {
    const list = choices.map(([id, count]) => `${id} (${plural(count, 'call')})`).join(', ')
    texts.push(`Where the documentation is silent the answers are choices of ours, here ${list}. "ceheap rules ID" tells each.`)
  }
  if (unseenFrees > 0) texts.push(`${plural(unseenFrees, 'block')} whose address was handed out again without a free in the recording.`)
  if (notReplayed > 0)
    texts.push(
      `${plural(notReplayed, 'call')} not replayed: on a block or heap that CE would not have given, or recorded without a result.`
    )
  if (processesLeftOut > 0) {
    texts.push(
      `${plural(callsLeftOut, 'call')} of ${plural(processesLeftOut, 'more process', 'more processes')} left out: choose one with --process.`
    )
  }
  if (apart) {
    texts.push(
      'Call sites are return addresses: addr2line -f -e app.exe 0x... finds the line of those of the program. Those in DLLs of the system and of ' +
        "the C runtime are the desktop's own doing: CE has other code there."
    )
  }
  if (trace.unfinished > 0) texts.push(`${plural(trace.unfinished, 'call')} had not returned when the recording ended.`)
  if (trace.lost > 0) texts.push(`The recording device lost ${bytesText(trace.lost)} of its log: what it misses can look like a leak.`)
  return texts.flatMap((text) => labelled('-', text, 0, 2, width)).map(paint.dim)
}

/** `3 errors, 1 warning`, or `nothing`. */
function countsText({ summary }: CheckReport, paint: Paint): string {
  const { errors, warnings, notes } = summary
  const counts = [
    errors > 0 ? paint.red(plural(errors, 'error')) : '',
    warnings > 0 ? paint.yellow(plural(warnings, 'warning')) : '',
    notes > 0 ? paint.cyan(plural(notes, 'note')) : ''
  ]
  return counts.filter((text) => text !== '').join(', ') || 'nothing'
}

function verdictLine(report: CheckReport, paint: Paint): string {
  const { calls, findings } = report.summary
  if (calls === 0) return paint.red(paint.bold('Nothing was checked.'))
  if (findings === 0) return `${paint.green(paint.bold('No findings'))} in ${plural(calls, 'call')}.`
  return `${paint.bold(plural(findings, 'finding'))} (${countsText(report, paint)}) in ${plural(calls, 'call')}.`
}
