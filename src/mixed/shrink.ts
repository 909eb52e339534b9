/** Whether a list fails; a promise, so that somebody can be heard meanwhile who has seen enough. */
type Fails = (list: readonly number[]) => Promise<boolean>

/**
 * The shortest list that can be found, by leaving out ever smaller parts, for which `fails` still holds. Gives up when `goOn` says so.
 * Precondition: `fails(list)`. Since a command hangs on its own number alone, what is left of a list is a run of its own.
 */
export async function shrink(list: readonly number[], fails: Fails, goOn: () => boolean): Promise<readonly number[]> {
  let rest = list
  for (let part = Math.ceil(rest.length / 2); part >= 1; ) {
    let dropped = false
    // From the end: what a command needs lies before it.
    for (let end = rest.length; end > 0 && goOn(); end -= part) {
      const without = [...rest.slice(0, Math.max(0, end - part)), ...rest.slice(end)]
      if (!(await fails(without))) continue
      rest = without
      dropped = true
    }
    if (!goOn() || (part === 1 && !dropped)) break
    if (part > 1) part = Math.ceil(part / 2)
  }
  return rest
}
