import { parseArgs } from 'node:util'

/** What a command was called with, `--name value` each. What cannot be used ends the program with status 2, its reason and the usage on standard error. */
export class Arguments<N extends string> {
  readonly #usage: string
  readonly #values: Partial<Record<N, string>>

  constructor(usage: string, names: readonly N[], args: readonly string[] = process.argv.slice(2)) {
    this.#usage = usage
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' } as const]))
    try {
      this.#values = parseArgs({ args: [...args], options }).values as Partial<Record<N, string>>
    } catch (error) {
      this.unusable(error instanceof Error ? error.message : String(error))
    }
  }

  text<T>(name: N, otherwise: T): string | T {
    return this.#values[name] ?? otherwise
  }

  whole<T>(name: N, otherwise: T, least = 0, most: number = 2 ** 31 - 1): number | T {
    const text = this.#values[name]
    if (text === undefined) return otherwise
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    return this.unusable(`--${name}: expected a whole number from ${least} to ${most}, got "${text}"`)
  }

  unusable(what: string): never {
    process.stderr.write(`${what}\n${this.#usage}\n`)
    process.exit(2)
  }
}
