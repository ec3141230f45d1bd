// Bounds what avsc does for the length that an array or map claims. Pure.
// avsc believes the length: a damaged or hostile record of a few bytes that claims 2^31 items fills the heap before the
// end of the bytes is noticed, and a negative length can move a skip backwards for ever. Here every item takes at least a
// byte of the record, so work and memory are bounded by its size.
import avro from 'avsc'

/** avsc's cursor over the bytes of one record. */
interface Tap {
  readonly buf: Buffer
  pos: number
  readLong(): number
}

/** The inner methods of avsc 5 that its readers, skippers and resolvers call on a type. */
interface Item {
  _read(tap: Tap): unknown
  _skip(tap: Tap): void
}

class BoundedArrayType extends avro.types.ArrayType {
  // A resolver borrows this method and brings its own itemsType, so nothing but `itemsType` is used of `this`.
  _read(tap: Tap): unknown[] {
    const itemsType = this.itemsType as unknown as Item
    let items: unknown[] | null = null
    let at = 0
    for (let left = blockItems(tap); left > 0; left = blockItems(tap)) {
      // The length of the first block is nearly always that of the array.
      items ??= new Array<unknown>(left)
      while (left-- > 0) items[at++] = itemsType._read(tap)
    }
    return items ?? []
  }

  _skip(tap: Tap): void {
    skipItems(tap, [this.itemsType as unknown as Item])
  }
}

class BoundedMapType extends avro.types.MapType {
  _read(tap: Tap): Record<string, unknown> {
    const { valuesType } = this as unknown as { valuesType: Item }
    const entries: [string, unknown][] = []
    for (let left = blockItems(tap); left > 0; left = blockItems(tap))
      while (left-- > 0) entries.push([String(mapKey._read(tap)), valuesType._read(tap)])
    return Object.fromEntries(entries)
  }

  _skip(tap: Tap): void {
    skipItems(tap, [mapKey, (this as unknown as { valuesType: Item }).valuesType])
  }
}

const mapKey = avro.Type.forSchema('string') as unknown as Item

/** A `typeHook` for `Type.forSchema`: arrays and maps that refuse lengths which their record cannot hold. */
export function boundedArrays(schema: avro.Schema, options: avro.ForSchemaOptions): avro.Type | undefined {
  const { type } = schema as { readonly type?: unknown }
  if (type === 'array') return new BoundedArrayType(schema, options)
  if (type === 'map') return new BoundedMapType(schema, options)
  return undefined
}

/** Items of the next block, 0 at the end. Throws where the rest of the record has fewer bytes than that. */
function blockItems(tap: Tap): number {
  let count = tap.readLong()
  if (count < 0) {
    count = -count
    // The block's size in bytes, for readers that skip it whole; here items are skipped one by one.
    tap.readLong()
  }
  if (!(count <= tap.buf.length - tap.pos)) throw new Error('truncated buffer')
  return count
}

function skipItems(tap: Tap, parts: readonly Item[]): void {
  for (let left = blockItems(tap); left > 0; left = blockItems(tap)) {
    while (left-- > 0) {
      const before = tap.pos
      for (const part of parts) part._skip(tap)
      if (!(tap.pos > before)) throw new Error('negative length')
    }
  }
}
