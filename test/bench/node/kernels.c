/* The same three programs as kernels.as, line by line: what a compiler for this very processor makes of them. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint32_t seed;
static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}
static double unit(void) { return (double)next() / 4294967296.0; }

/* A path tracer: eight balls over a floor under a sky, up to four bounces. */
static uint32_t trace(int size, int samples) {
  static double x[9], y[9], z[9], r[9];
  for (int i = 0; i < 8; i++) {
    x[i] = unit() * 6.0 - 3.0;
    y[i] = unit() * 2.0 - 0.5;
    z[i] = unit() * 4.0 + 3.0;
    r[i] = unit() * 0.5 + 0.3;
  }
  x[8] = 0.0, y[8] = -1001.0, z[8] = 5.0, r[8] = 1000.0;
  uint32_t sum = 0;
  for (int py = 0; py < size; py++)
    for (int px = 0; px < size; px++) {
      double light = 0.0;
      for (int s = 0; s < samples; s++) {
        double dx = ((double)px + unit()) / size - 0.5, dy = 0.5 - ((double)py + unit()) / size, dz = 1.0;
        double ox = 0.0, oy = 0.0, oz = 0.0, through = 1.0;
        for (int bounce = 0; bounce < 4; bounce++) {
          double length = sqrt(dx * dx + dy * dy + dz * dz);
          dx /= length, dy /= length, dz /= length;
          double best = 1e9;
          int hit = -1;
          for (int i = 0; i < 9; i++) {
            double cx = x[i] - ox, cy = y[i] - oy, cz = z[i] - oz;
            double along = cx * dx + cy * dy + cz * dz;
            double inside = r[i] * r[i] - (cx * cx + cy * cy + cz * cz) + along * along;
            if (inside <= 0.0) continue;
            double at = along - sqrt(inside);
            if (at > 0.001 && at < best) best = at, hit = i;
          }
          if (hit < 0) {
            light += through * (0.6 + 0.4 * dy);
            break;
          }
          ox += dx * best, oy += dy * best, oz += dz * best;
          double nx = (ox - x[hit]) / r[hit], ny = (oy - y[hit]) / r[hit], nz = (oz - z[hit]) / r[hit];
          dx = nx + unit() * 1.8 - 0.9, dy = ny + unit() * 1.8 - 0.9, dz = nz + unit() * 1.8 - 0.9;
          through *= 0.7;
        }
      }
      sum = sum * 31u + (uint32_t)(int32_t)(light * 1000.0);
    }
  return sum;
}

/* A product of two square matrices of 32-bit floats. */
static uint32_t multiply(int n) {
  float *a = malloc(n * n * 4), *b = malloc(n * n * 4), *c = calloc(n * n, 4);
  for (int i = 0; i < n * n; i++) a[i] = (float)unit(), b[i] = (float)unit();
  for (int i = 0; i < n; i++)
    for (int k = 0; k < n; k++) {
      float factor = a[i * n + k];
      for (int j = 0; j < n; j++) c[i * n + j] += factor * b[k * n + j];
    }
  uint32_t sum = 0;
  for (int i = 0; i < n * n; i++) sum = sum * 31u + (uint32_t)(int32_t)(c[i] * 1000.0f);
  return sum;
}

/* A compressor that finds repeats by a table of hashes, on text whose words repeat. */
static uint32_t compress(int size) {
  uint8_t *in = malloc(size + 8), *out = malloc(size * 2 + 16);
  int32_t *table = malloc(65536 * 4);
  memset(table, 0xff, 65536 * 4);
  for (int at = 0; at < size;) {
    uint32_t word = next() % 512u;
    for (uint32_t k = 0; k < 3u + word % 7u && at < size; k++) in[at++] = (uint8_t)(97u + (word * 7u + k * 5u) % 26u);
    if (at < size) in[at++] = 32;
  }
  int length = 0;
  for (int at = 0; at < size - 4;) {
    uint32_t four = in[at] | in[at + 1] << 8 | in[at + 2] << 16 | (uint32_t)in[at + 3] << 24;
    uint32_t slot = (four * 2654435761u) >> 16;
    int32_t earlier = table[slot];
    table[slot] = at;
    int same = 0;
    if (earlier >= 0)
      while (same < 255 && at + same < size && in[earlier + same] == in[at + same]) same++;
    if (same >= 4) {
      out[length++] = 255, out[length++] = (uint8_t)same;
      out[length++] = (uint8_t)(at - earlier), out[length++] = (uint8_t)((at - earlier) >> 8);
      at += same;
    } else
      out[length++] = in[at++];
  }
  uint32_t sum = 2166136261u;
  for (int i = 0; i < length; i++) sum = (sum ^ out[i]) * 16777619u;
  return sum;
}

int main(int count, char **args) {
  struct timespec from, to;
  int kernel = atoi(args[1]), size = atoi(args[2]);
  seed = 123456789u;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
  uint32_t sum = kernel == 0 ? trace(size, 16) : kernel == 1 ? multiply(size) : compress(size);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
  printf("%u %.3f\n", sum, (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6);
  return count == 3 ? 0 : 1;
}
