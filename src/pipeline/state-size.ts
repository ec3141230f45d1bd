// Bytes that states take in their changelog, kept as a running sum: exact, and without walking the state. For those that the
// engine holds as objects; it knows the others, whose records it keeps.

/** Sizes by principal. */
export class StateSize {
  readonly #sizes = new Map<string, number>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** The newest record of a principal; null where there is none or the engine keeps it. */
  set(key: string, value: { readonly length: number } | null): void {
    this.#bytes += (value?.length ?? 0) - (this.#sizes.get(key) ?? 0)
    if (value === null) this.#sizes.delete(key)
    else this.#sizes.set(key, value.length)
  }
}
