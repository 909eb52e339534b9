import { createReadStream } from 'node:fs'
import { UserError } from './exit.ts'
import { isSameFile, reasonOf } from './output.ts'

/** Larger files are no program and no report. */
const MOST_BYTES = 64 * 1024 * 1024

/** All bytes of a file; of standard input for `-`. */
export async function bytesAt(name: string): Promise<Buffer> {
  try {
    const parts: Buffer[] = []
    let length = 0
    for await (const part of name === '-' ? process.stdin : createReadStream(name)) {
      parts.push(part)
      length += part.length
      if (length > MOST_BYTES) throw new UserError(`${name}: expected at most ${MOST_BYTES} bytes, got more`)
    }
    return Buffer.concat(parts)
  } catch (error) {
    if (error instanceof UserError) throw error
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new UserError(`${name}: cannot be read (${missing ? 'no such file' : reasonOf(error)})`)
  }
}

/** Runs what throws a RangeError for input that cannot be used. */
export function usable<T>(act: () => T, name?: string): T {
  try {
    return act()
  } catch (error) {
    throw error instanceof RangeError ? new UserError(name === undefined ? error.message : `${name}: ${error.message}`) : error
  }
}

/** Fails where a result would be written over what it is made from. */
export function expectApart(output: string | undefined, ...inputs: readonly (string | undefined)[]): void {
  if (output === undefined || output === '-') return
  const same = inputs.find((input) => input !== undefined && isSameFile(input, output))
  if (same !== undefined) throw new UserError(`${output}: is the input itself, which the result would overwrite`)
}
