// The same three programs as kernels.c, line by line, in AssemblyScript. KERNEL and SIZE stand before this text when it is compiled.
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, vectors: usize, count: i32, written: usize): i32;

let seed: u32 = 123456789;
function next(): u32 {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}
function unit(): f64 {
  return <f64>next() / 4294967296.0;
}

function trace(size: i32, samples: i32): u32 {
  const x = new StaticArray<f64>(9), y = new StaticArray<f64>(9), z = new StaticArray<f64>(9), r = new StaticArray<f64>(9);
  for (let i = 0; i < 8; i++) {
    unchecked((x[i] = unit() * 6.0 - 3.0));
    unchecked((y[i] = unit() * 2.0 - 0.5));
    unchecked((z[i] = unit() * 4.0 + 3.0));
    unchecked((r[i] = unit() * 0.5 + 0.3));
  }
  unchecked((y[8] = -1001.0));
  unchecked((z[8] = 5.0));
  unchecked((r[8] = 1000.0));
  let sum: u32 = 0;
  for (let py = 0; py < size; py++)
    for (let px = 0; px < size; px++) {
      let light = 0.0;
      for (let s = 0; s < samples; s++) {
        let dx = (<f64>px + unit()) / <f64>size - 0.5;
        let dy = 0.5 - (<f64>py + unit()) / <f64>size;
        let dz = 1.0;
        let ox = 0.0, oy = 0.0, oz = 0.0, through = 1.0;
        for (let bounce = 0; bounce < 4; bounce++) {
          const length = Math.sqrt(dx * dx + dy * dy + dz * dz);
          dx /= length;
          dy /= length;
          dz /= length;
          let best = 1e9;
          let hit = -1;
          for (let i = 0; i < 9; i++) {
            const radius = unchecked(r[i]);
            const cx = unchecked(x[i]) - ox, cy = unchecked(y[i]) - oy, cz = unchecked(z[i]) - oz;
            const along = cx * dx + cy * dy + cz * dz;
            const inside = radius * radius - (cx * cx + cy * cy + cz * cz) + along * along;
            if (inside <= 0.0) continue;
            const at = along - Math.sqrt(inside);
            if (at > 0.001 && at < best) {
              best = at;
              hit = i;
            }
          }
          if (hit < 0) {
            light += through * (0.6 + 0.4 * dy);
            break;
          }
          ox += dx * best;
          oy += dy * best;
          oz += dz * best;
          const radius = unchecked(r[hit]);
          const nx = (ox - unchecked(x[hit])) / radius, ny = (oy - unchecked(y[hit])) / radius, nz = (oz - unchecked(z[hit])) / radius;
          dx = nx + unit() * 1.8 - 0.9;
          dy = ny + unit() * 1.8 - 0.9;
          dz = nz + unit() * 1.8 - 0.9;
          through *= 0.7;
        }
      }
      sum = sum * 31 + <u32>(<i32>(light * 1000.0));
    }
  return sum;
}

function multiply(n: i32): u32 {
  const a = new StaticArray<f32>(n * n), b = new StaticArray<f32>(n * n), c = new StaticArray<f32>(n * n);
  for (let i = 0; i < n * n; i++) {
    unchecked((a[i] = <f32>unit()));
    unchecked((b[i] = <f32>unit()));
  }
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const factor = unchecked(a[i * n + k]);
      for (let j = 0; j < n; j++) unchecked((c[i * n + j] += factor * b[k * n + j]));
    }
  let sum: u32 = 0;
  for (let i = 0; i < n * n; i++) sum = sum * 31 + <u32>(<i32>(unchecked(c[i]) * <f32>1000.0));
  return sum;
}

function compress(size: i32): u32 {
  const input = new StaticArray<u8>(size + 8), out = new StaticArray<u8>(size * 2 + 16);
  const table = new StaticArray<i32>(65536);
  for (let i = 0; i < 65536; i++) unchecked((table[i] = -1));
  for (let at = 0; at < size; ) {
    const word = next() % 512;
    for (let k: u32 = 0; k < 3 + (word % 7) && at < size; k++) unchecked((input[at++] = <u8>(97 + ((word * 7 + k * 5) % 26))));
    if (at < size) unchecked((input[at++] = 32));
  }
  let length = 0;
  for (let at = 0; at < size - 4; ) {
    const four = load<u32>(changetype<usize>(input) + at);
    const slot = (four * 2654435761) >> 16;
    const earlier = unchecked(table[slot]);
    unchecked((table[slot] = at));
    let same = 0;
    if (earlier >= 0) while (same < 255 && at + same < size && unchecked(input[earlier + same]) == unchecked(input[at + same])) same++;
    if (same >= 4) {
      unchecked((out[length++] = 255));
      unchecked((out[length++] = <u8>same));
      unchecked((out[length++] = <u8>(at - earlier)));
      unchecked((out[length++] = <u8>((at - earlier) >> 8)));
      at += same;
    } else unchecked((out[length++] = input[at++]));
  }
  let sum: u32 = 2166136261;
  for (let i = 0; i < length; i++) sum = (sum ^ unchecked(out[i])) * 16777619;
  return sum;
}

const answer = memory.data(4);
const vector = memory.data(8);
const written = memory.data(4);
store<u32>(answer, KERNEL == 0 ? trace(SIZE, 16) : KERNEL == 1 ? multiply(SIZE) : compress(SIZE));
store<usize>(vector, answer);
store<i32>(vector, 4, 4);
fd_write(1, vector, 1, written);
