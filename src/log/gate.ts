// Where the in-process log can be delayed, failed or killed: every awaited step of a client passes one gate twice.
// A seeded fault scheduler supplies the gate; without one every step goes on at once. No timers, no randomness here.

/**
 * Called with the name of a step, `<call>:request` before its effect on the log and `<call>:response` after it. A promise
 * delays the step, a rejection fails it, a promise that never settles is a process that died there. A failure at the
 * response leaves the effect in place and the caller ignorant of it, as a lost acknowledgement does.
 */
export type Gate = (point: string) => Promise<void> | void

/** Runs an effect between its two gates. The effect itself is synchronous, hence atomic. */
export async function gated<T>(gate: Gate, call: string, effect: () => T): Promise<T> {
  await gate(`${call}:request`)
  const result = effect()
  await gate(`${call}:response`)
  return result
}
