// The compiled scan (assembly/record-scan.ts) with its memory, made when first asked for. Nothing where this Node has no
// WebAssembly or none with SIMD (`--jitless`): then there is no fast path, and the general one does everything.
// Pure: the module imports nothing and sees no memory but its own.
import { scanModule } from './scan-module.ts'

/** What the module exports; addresses are bytes in its memory. */
export interface ScanExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly mostSlots: Address
  readonly starts: Address
  readonly ends: Address
  readonly unusuals: Address
  readonly found: Address
  readonly free: Address
  readonly scan: (from: number, level: number) => number
  readonly tokenAt: (from: number) => number
}

interface Address {
  readonly value: number
}

// TypeScript has these in the library of browsers only.
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object
      readonly Instance: new (module: object) => { readonly exports: unknown }
    }
  | undefined

/** A new instance, null where there can be none. */
export function instantiateScan(): ScanExports | null {
  if (typeof WebAssembly === 'undefined') return null
  try {
    const module = new WebAssembly.Module(Buffer.from(scanModule, 'base64'))
    return new WebAssembly.Instance(module).exports as ScanExports
  } catch {
    return null
  }
}
