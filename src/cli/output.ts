import { constants, statSync } from 'node:fs'
import { access, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import pc from 'picocolors'
import { UserError } from './exit.ts'

/** Writes the result to standard output, or to a file, and waits until it is written. */
export async function putOut(text: string, path: string | undefined): Promise<void> {
  if (path === undefined || path === '-') {
    // A failure comes as an event of the stream too: main.ts answers it.
    await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
    return
  }
  try {
    await writeFile(path, text)
  } catch (error) {
    throw new UserError(`${path}: cannot be written (${reasonOf(error)})`)
  }
}

/** Fails where a file could not be written, without touching it, so that no long work ends in a report that is lost. */
export async function expectWritable(path: string | undefined, name: string | undefined = path): Promise<void> {
  if (path === undefined || path === '-') return
  try {
    await access(await placeOf(path), constants.W_OK)
  } catch (error) {
    throw new UserError(`${name}: cannot be written (${reasonOf(error)})`)
  }
}

/** The file, or where there is none yet the folder that it would be in. */
async function placeOf(path: string): Promise<string> {
  try {
    if ((await stat(path)).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    return path
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === '') throw error
    return dirname(path)
  }
}

/** Whether two paths lead to one regular file; false where one of them leads nowhere. */
export function isSameFile(one: string, other: string): boolean {
  try {
    // As bigints: a file's number on Windows needs more bits than a number has.
    const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })]
    return a.isFile() && a.dev === b.dev && a.ino === b.ino
  } catch {
    return false
  }
}

export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'the folder does not exist',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space left',
    ENOTDIR: 'a part of the path is no folder'
  }
  return reasons[code ?? ''] ?? (error instanceof Error ? error.message : String(error))
}

/** A note for the person at the terminal. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Colours for text that goes to standard output; none where it is no terminal or NO_COLOR is set. */
export function colours(toFile: boolean): ReturnType<typeof pc.createColors> {
  return pc.createColors(!toFile && process.stdout.isTTY === true && pc.isColorSupported)
}

/** Columns of the terminal; 80 elsewhere. */
export function columns(toFile: boolean): number {
  return !toFile && process.stdout.isTTY === true ? process.stdout.columns || 80 : 80
}
