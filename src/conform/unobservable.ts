/** Rules that are emulated, but of which calls with their answers show nothing to tell a good implementation from a bad one; with the reason. */
export const unobservable: Readonly<Record<string, string>> = {
  'HA-9': 'that one section guards a heap shows under threads that run at once: ceheap stress',
  'HD-2': 'it binds the program, not the implementation; what ours answers is C-12',
  'HF-4': 'it binds the program, not the implementation; what ours answers is C-5',
  'HI-18': 'the message comes to a window, not as the answer of a call',
  'CS-6': 'a thread has to end inside a section: ceheap stress',
  'CS-11': 'it tells of a function that CE lacks',
  'CM-2': 'it takes a second process',
  'SP-13': 'it takes threads that run at once'
}
