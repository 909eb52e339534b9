import { pathToFileURL } from 'node:url'
import { ruleById } from '../rules/index.ts'
import type { CheckFinding, CheckReport, Severity } from './report.ts'

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', note: 'note' }

/** The address of the trace: relative where its path is, so that results can be joined with a checkout. */
function uriOf(name: string): string {
  if (name.startsWith('<')) return encodeURIComponent(name.replace(/[<>]/g, ''))
  if (/^(?:[\\/]|[A-Za-z]:[\\/])/.test(name)) return pathToFileURL(name).href
  return name.split(/[\\/]/).map(encodeURIComponent).join('/')
}

function ruleOf(id: string): object {
  const rule = ruleById(id)!
  const sources = rule.source.split('; ')
  const page = sources.find((source) => /^https?:/.test(source))
  const advice = rule.advice === undefined ? '' : ` ${rule.advice}`
  return {
    id,
    shortDescription: { text: rule.statement },
    fullDescription: { text: `${rule.statement}${advice}` },
    help: { text: `${rule.statement}${advice} Source: ${rule.source}` },
    ...(page === undefined ? {} : { helpUri: encodeURI(page) })
  }
}

function resultOf(finding: CheckFinding, { trace }: CheckReport, indexes: ReadonlyMap<string, number>): object {
  const { rule, severity, message, advice, position, callSite, call, count, fingerprint, process, thread, title, heap, bytes } = finding
  const region =
    trace.unit === 'line' ? { region: { startLine: Math.max(position, 1) } } : { region: { byteOffset: position, byteLength: 4 } }
  return {
    ruleId: rule,
    ruleIndex: indexes.get(rule),
    level: levels[severity],
    message: { text: `${message} ${advice}` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: uriOf(trace.name) }, ...region },
        logicalLocations: [{ name: callSite === '' ? call : callSite, fullyQualifiedName: callSite === '' ? call : `${call}@${callSite}` }]
      }
    ],
    occurrenceCount: count,
    partialFingerprints: { 'ceheapFinding/v1': fingerprint },
    properties: { title, process, thread, ...(heap === undefined ? {} : { heap, bytes }) }
  }
}

/** The findings as SARIF 2.1.0, for the code scanning of forges and editors. Locations point into the trace. */
export function formatSarif(report: CheckReport, toolVersion = ''): string {
  const ids = [...new Set(report.findings.map(({ rule }) => rule))].sort()
  const indexes = new Map(ids.map((id, index) => [id, index]))
  const { damage, trace, target } = report
  const notification = damage === null ? [] : [{ level: 'error', message: { text: `${trace.name}: ${damage.message}` } }]
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'ceheap',
            ...(toolVersion === '' ? {} : { version: toolVersion, semanticVersion: toolVersion }),
            rules: ids.map(ruleOf)
          }
        },
        invocations: [
          { executionSuccessful: damage === null, ...(notification.length === 0 ? {} : { toolExecutionNotifications: notification }) }
        ],
        artifacts: [{ location: { uri: uriOf(trace.name) } }],
        results: report.findings.map((finding) => resultOf(finding, report, indexes)),
        properties: { target, summary: report.summary }
      }
    ]
  }
  return `${JSON.stringify(log, null, 2)}\n`
}
