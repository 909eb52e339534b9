/** A command's end by the user's doing: the message goes to stderr without a stack trace, the exit status is 2. */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/** Nothing found. */
export const clean = 0
/** The command did its work and has findings. */
export const findings = 1
/** The input or the arguments cannot be used, or the input is damaged. */
export const unusable = 2
