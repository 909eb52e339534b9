/** The id of the emulated process as tool help tells it (C-73), and as the functions with Ex take it (C-94). */
export const PROCESS_ID = 0x00400002
