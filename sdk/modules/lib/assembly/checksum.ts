// The two checksums of a PNG file: CRC-32 over its chunks, Adler-32 over the zlib stream in them.

const crcTable: usize = memory.data(1024, 4);
let crcTableReady = false;

function prepareTable(): void {
  for (let n: u32 = 0; n < 256; ++n) {
    let c = n;
    for (let k = 0; k < 8; ++k) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    store<u32>(crcTable + 4 * n, c);
  }
  crcTableReady = true;
}

/** CRC-32 (ISO 3309) of `size` bytes at `pointer`. */
export function crc32(pointer: usize, size: i32): u32 {
  if (!crcTableReady) prepareTable();
  let c: u32 = 0xffffffff;
  for (let i = 0; i < size; ++i) {
    c = load<u32>(crcTable + 4 * ((c ^ load<u8>(pointer + <usize>i)) & 255)) ^ (c >>> 8);
  }
  return ~c;
}

/** Adler-32 of `size` bytes at `pointer`. */
export function adler32(pointer: usize, size: i32): u32 {
  let a: u32 = 1;
  let b: u32 = 0;
  for (let at = 0; at < size;) {
    // 5552 is the longest run for which b cannot overflow 32 bits.
    const end = min(size, at + 5552);
    for (; at < end; ++at) {
      a += load<u8>(pointer + <usize>at);
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return (b << 16) | a;
}
