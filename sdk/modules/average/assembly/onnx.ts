// The network as an ONNX file: the fields of onnx.proto that it needs, in protobuf's wire format.
import { Bytes, encode } from '../../lib/assembly/wasi';
import { Weights } from '../../train/assembly/network';

const IR_VERSION: u64 = 8;
const OPSET: u64 = 13;
/** TensorProto.FLOAT, and AttributeProto.INT. */
const FLOAT: u64 = 1;
const INT: u64 = 2;
const FIRST_CAPACITY: i32 = 256;

/** A protobuf message that grows. */
class Message {
  private at: usize = heap.alloc(FIRST_CAPACITY);
  private size: i32 = 0;
  private capacity: i32 = FIRST_CAPACITY;

  private room(more: i32): void {
    if (this.size + more <= this.capacity) return;
    while (this.size + more > this.capacity) this.capacity *= 2;
    const larger = heap.alloc(<usize>this.capacity);
    memory.copy(larger, this.at, <usize>this.size);
    this.at = larger;
  }

  private varint(value: u64): void {
    this.room(10);
    let end = this.at + <usize>this.size;
    for (; value > 127; value >>= 7) store<u8>(end++, <u8>(value | 128));
    store<u8>(end++, <u8>value);
    this.size = <i32>(end - this.at);
  }

  whole(field: u32, value: u64): Message {
    this.varint(field << 3);
    this.varint(value);
    return this;
  }

  bytes(field: u32, value: Bytes): Message {
    this.varint((field << 3) | 2);
    this.varint(value.size);
    this.room(value.size);
    memory.copy(this.at + <usize>this.size, value.pointer, <usize>value.size);
    this.size += value.size;
    return this;
  }

  text(field: u32, value: string): Message {
    return this.bytes(field, encode(value));
  }

  part(field: u32, value: Message): Message {
    return this.bytes(field, value.done);
  }

  get done(): Bytes {
    return new Bytes(this.at, this.size);
  }
}

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9. */
function tensor(name: string, rows: i32, columns: i32, values: usize): Message {
  const message = new Message();
  if (rows > 0) message.whole(1, rows);
  return message
    .whole(1, columns)
    .whole(2, FLOAT)
    .text(8, name)
    .bytes(9, new Bytes(values, 4 * max(rows, 1) * columns));
}

/** ValueInfoProto of any number of rows: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 } } }. */
function value(name: string, columns: i32): Message {
  const rows = new Message().text(2, 'images');
  const shape = new Message().part(1, rows).part(1, new Message().whole(1, columns));
  const type = new Message().part(1, new Message().whole(1, FLOAT).part(2, shape));
  return new Message().text(1, name).part(2, type);
}

/** NodeProto `output = input · transposed weights + bias`: input 1, output 2, op_type 4, attribute 5. */
function gemm(input: string, weights: string, bias: string, result: string): Message {
  const transposed = new Message().text(1, 'transB').whole(3, 1).whole(20, INT);
  return new Message()
    .text(1, input)
    .text(1, weights)
    .text(1, bias)
    .text(2, result)
    .text(4, 'Gemm')
    .part(5, transposed);
}

/** The file. Its input `pixels` is a row of numbers from 0 to 1 for each image, its output `scores` a row of a score for each class. */
export function encodeOnnx(weights: Weights): Bytes {
  const inputs = weights.inputs;
  const hidden = weights.hidden;
  const classes = weights.classes;
  const w1 = weights.w1;
  const b1 = weights.b1;
  const w2 = weights.w2;
  const b2 = weights.b2;
  // GraphProto: node 1, name 2, initializer 5, input 11, output 12.
  const graph = new Message()
    .part(1, gemm('pixels', 'w1', 'b1', 'sums'))
    .part(1, new Message().text(1, 'sums').text(2, 'hidden').text(4, 'Relu'))
    .part(1, gemm('hidden', 'w2', 'b2', 'scores'))
    .text(2, 'classifier')
    .part(5, tensor('w1', hidden, inputs, w1))
    .part(5, tensor('b1', 0, hidden, b1))
    .part(5, tensor('w2', classes, hidden, w2))
    .part(5, tensor('b2', 0, classes, b2))
    .part(11, value('pixels', inputs))
    .part(12, value('scores', classes));
  // ModelProto: ir_version 1, producer_name 2, graph 7, opset_import 8 { version 2 }.
  return new Message()
    .whole(1, IR_VERSION)
    .text(2, 'dpu')
    .part(7, graph)
    .part(8, new Message().text(1, '').whole(2, OPSET)).done;
}
