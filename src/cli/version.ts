import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** The version of the package. The command runs from dist/, beside which package.json lies. */
export const version: string = manifest.version
