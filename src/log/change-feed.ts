// Who waits for the in-process log to move: consumers for records, readers for an offset, `idle` for silence.
// Listeners run synchronously in the order they subscribed, so a run of the log is the same every time.

export class ChangeFeed {
  readonly #listeners = new Set<() => void>()
  #version = 0

  /** Grows with every change: two equal readings mean that nothing happened in between. */
  get version(): number {
    return this.#version
  }

  /** Tells everybody. A listener that is added meanwhile waits for the next change. */
  notify(): void {
    this.#version += 1
    for (const listener of [...this.#listeners]) listener()
  }

  /** Calls `listener` on every change until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves at the next change, or when the signal is aborted: the caller looks which it was. */
  next(signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        unsubscribe()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const unsubscribe = this.subscribe(done)
      if (signal?.aborted) done()
      else signal?.addEventListener('abort', done)
    })
  }
}
