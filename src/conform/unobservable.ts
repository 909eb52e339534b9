/** Rules that are emulated, but of which calls with their answers show nothing to tell a good implementation from a bad one; with the reason. */
export const unobservable: Readonly<Record<string, string>> = {
  'HA-9': 'that one section guards a heap shows under threads that run at once: ceheap stress'
}
