/**
 * What parent and child say to each other. Request: uint32 length of the header, the header as JSON, the model, then for each
 * input the bytes of the shard's own items. Answer: frames as those of the wasm runtime. All numbers little endian.
 */

/** An element's type as ONNX Runtime's JavaScript interface calls it. */
export type ElementType =
  'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'uint64' | 'int64' | 'float16' | 'float32' | 'float64';

export interface ModelHeader {
  readonly model: number;
  readonly provider: 'cpu' | 'webgpu';
  readonly optimization: 'disabled' | 'basic' | 'extended' | 'all';
  readonly threads: number;
  /** Items of this shard, and of one run. */
  readonly count: number;
  readonly batch: number;
  readonly inputs: readonly {
    readonly name: string;
    readonly type: ElementType;
    /** Sides of one item. */
    readonly shape: readonly number[];
    /** Bytes of one item. */
    readonly itemBytes: number;
  }[];
  readonly outputs: readonly { readonly name: string; readonly type: ElementType }[];
  readonly outputBytes: number;
}
