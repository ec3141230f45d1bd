// Bytes that the state of a partition takes in its changelog, kept as a running sum: exact, and without walking the state.

/** Sizes by principal. */
export class StateSize {
  readonly #sizes = new Map<string, number>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** The newest record of a principal; null is a tombstone. */
  set(key: string, value: { readonly length: number } | null): void {
    this.#bytes += (value?.length ?? 0) - (this.#sizes.get(key) ?? 0)
    if (value === null) this.#sizes.delete(key)
    else this.#sizes.set(key, value.length)
  }
}
