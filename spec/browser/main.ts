// npm run test:browser: runs page.ts in headless Chromium and prints a line for each of its cases.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Verdict } from './orders.ts'
import { serve } from './server.ts'

const LIMIT = 180_000
const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function browser(): string | undefined {
  const named = process.env.CHROMIUM
  if (named !== undefined && named !== '') return executable(named) ? named : undefined
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(executable)
}

async function verdictsOf(executablePath: string): Promise<{ verdicts: readonly Verdict[]; complaints: readonly string[] }> {
  const server = await serve()
  const complaints: string[] = []
  try {
    // Its sandbox does not work for root, as which CI runs; the page is our own.
    const chrome = await chromium.launch({ executablePath, args: ['--no-sandbox'], timeout: LIMIT })
    try {
      const page = await chrome.newPage()
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('console', (message) => complaints.push(message.text()))
      page.on('response', (response) => {
        if (response.status() >= 400 && !response.url().endsWith('/favicon.ico')) complaints.push(`${response.status()} ${response.url()}`)
      })
      await page.goto(server.url, { timeout: LIMIT })
      await page
        .waitForFunction(() => 'verdicts' in globalThis, undefined, { timeout: LIMIT })
        .catch((error: unknown) => {
          complaints.push(`the page did not come to an end: ${String(error)}`)
        })
      const verdicts = await page.evaluate(() => (globalThis as { verdicts?: Verdict[] }).verdicts ?? [])
      return { verdicts, complaints }
    } finally {
      await chrome.close()
    }
  } finally {
    await server.close()
  }
}

const path = browser()
if (path === undefined) {
  process.stderr.write(
    `test:browser needs Chromium, and found none of ${names.join(', ')} on the PATH.\n` +
      'Debian: apt-get install chromium-headless-shell (.ci/install does). Elsewhere: CHROMIUM=/path/to/chromium npm run test:browser\n'
  )
  process.exitCode = 1
} else {
  const { verdicts, complaints } = await verdictsOf(path)
  let failed = 0
  for (const { name, error } of verdicts) {
    process.stdout.write(error === undefined ? `ok   ${name}\n` : `FAIL ${name}\n  ${error.replaceAll('\n', '\n  ')}\n`)
    if (error !== undefined) failed++
  }
  for (const complaint of complaints) process.stdout.write(`FAIL ${complaint}\n`)
  process.stdout.write(`${verdicts.length - failed} passed, ${failed + complaints.length} failed\n`)
  if (failed + complaints.length > 0 || verdicts.length === 0) process.exitCode = 1
}
