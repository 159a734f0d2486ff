// What PyTorch does in many passes over memory between the matrix products of FLUX, in one pass each. bfloat16 in and out where a
// matrix product stands before or behind, float32 inside. B batch, L tokens, T tokens of text and image together, H heads, c head width.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint16_t bf16;

static inline float up(bf16 v) {
  uint32_t bits = (uint32_t)v << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

static inline bf16 down(float f) {  // to the nearest, ties to even
  uint32_t bits;
  memcpy(&bits, &f, 4);
  return (bf16)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// qkv [B, L, 3, H, c] -> q, k, v [B, H, T, c] from place `at` on: RMS norm with weights, rotation by cosines and sines [T, c / 2];
// queries times `factor`. inverse [B, L, 2, H] keeps 1 / rms.
void heads_forward(const bf16 *qkv, const float *query_scale, const float *key_scale, const float *cosines, const float *sines,
                   float factor, bf16 *q, bf16 *k, bf16 *v, float *inverse, long B, long L, long H, long c, long T, long at) {
#pragma omp parallel for
  for (long b = 0; b < B; b++)
    for (long l = 0; l < L; l++)
      for (long part = 0; part < 3; part++)
        for (long h = 0; h < H; h++) {
          const bf16 *x = qkv + (((b * L + l) * 3 + part) * H + h) * c;
          bf16 *out = (part == 0 ? q : part == 1 ? k : v) + ((b * H + h) * T + at + l) * c;
          if (part == 2) {
            memcpy(out, x, c * sizeof(bf16));
            continue;
          }
          const float *scale = part ? key_scale : query_scale, *cosine = cosines + (at + l) * c / 2, *sine = sines + (at + l) * c / 2;
          float sum = 0;
          for (long j = 0; j < c; j++) sum += up(x[j]) * up(x[j]);
          float r = 1 / sqrtf(sum / c + 1e-6f), s = part ? r : r * factor;
          inverse[((b * L + l) * 2 + part) * H + h] = r;
          for (long j = 0; j < c / 2; j++) {
            float even = up(x[2 * j]) * s * scale[2 * j], odd = up(x[2 * j + 1]) * s * scale[2 * j + 1];
            out[2 * j] = down(even * cosine[j] - odd * sine[j]);
            out[2 * j + 1] = down(even * sine[j] + odd * cosine[j]);
          }
        }
}

// Gradients of the same: grad_qkv [B, L, 3, H, c] is written; grad_scales [B, 2, c] (summed over the rest) too.
void heads_backward(const bf16 *qkv, const float *query_scale, const float *key_scale, const float *cosines, const float *sines,
                    float factor, const bf16 *gq, const bf16 *gk, const bf16 *gv, const float *inverse, bf16 *grad_qkv,
                    float *grad_scales, long B, long L, long H, long c, long T, long at) {
#pragma omp parallel for
  for (long b = 0; b < B; b++) {
    float *sums = grad_scales + b * 2 * c, y[256], g[256];
    memset(sums, 0, 2 * c * sizeof(float));
    for (long l = 0; l < L; l++)
      for (long part = 0; part < 3; part++)
        for (long h = 0; h < H; h++) {
          long row = (((b * L + l) * 3 + part) * H + h) * c;
          const bf16 *grad = (part == 0 ? gq : part == 1 ? gk : gv) + ((b * H + h) * T + at + l) * c;
          if (part == 2) {
            memcpy(grad_qkv + row, grad, c * sizeof(bf16));
            continue;
          }
          const float *scale = part ? key_scale : query_scale, *cosine = cosines + (at + l) * c / 2, *sine = sines + (at + l) * c / 2;
          float r = inverse[((b * L + l) * 2 + part) * H + h], f = part ? 1 : factor, along = 0;
          for (long j = 0; j < c / 2; j++) {
            float even = up(grad[2 * j]) * f, odd = up(grad[2 * j + 1]) * f;
            g[2 * j] = even * cosine[j] + odd * sine[j];
            g[2 * j + 1] = odd * cosine[j] - even * sine[j];
          }
          for (long j = 0; j < c; j++) {
            y[j] = up(qkv[row + j]) * r;
            sums[part * c + j] += g[j] * y[j];
            g[j] *= scale[j];
            along += g[j] * y[j];
          }
          along /= c;
          for (long j = 0; j < c; j++) grad_qkv[row + j] = down(r * (g[j] - y[j] * along));
        }
  }
}

void softmax_forward(const bf16 *x, bf16 *out, long rows, long n) {
#pragma omp parallel for
  for (long row = 0; row < rows; row++) {
    float top = -1e30f, sum = 0, e[1024];
    for (long j = 0; j < n; j++) top = fmaxf(top, up(x[row * n + j]));
    for (long j = 0; j < n; j++) e[j] = expf(up(x[row * n + j]) - top);
    for (long j = 0; j < n; j++) sum += e[j];
    sum = 1 / sum;
    for (long j = 0; j < n; j++) out[row * n + j] = down(e[j] * sum);
  }
}

void softmax_backward(const bf16 *out, const bf16 *grad, bf16 *gx, long rows, long n) {
#pragma omp parallel for
  for (long row = 0; row < rows; row++) {
    float along = 0;
    for (long j = 0; j < n; j++) along += up(out[row * n + j]) * up(grad[row * n + j]);
    for (long j = 0; j < n; j++) gx[row * n + j] = down(up(out[row * n + j]) * (up(grad[row * n + j]) - along));
  }
}

#define ROOT2 1.5957691216057308f  // 2 sqrt(2 / pi): the tanh form of GELU is x * sigmoid(ROOT2 * (x + 0.044715 x^3))

// Bounded: the compiler's fast reciprocal of infinity is not a number.
static inline float gate(float v) { return 1 / (1 + expf(fminf(-ROOT2 * v * (1 + 0.044715f * v * v), 80))); }

void gelu_forward(const bf16 *x, bf16 *out, long n) {
#pragma omp parallel for
  for (long i = 0; i < n; i++) {
    float v = up(x[i]);
    out[i] = down(v * gate(v));
  }
}

void gelu_backward(const bf16 *x, const bf16 *grad, bf16 *gx, long n) {
#pragma omp parallel for
  for (long i = 0; i < n; i++) {
    float v = up(x[i]), s = gate(v);
    gx[i] = down(up(grad[i]) * (s + v * s * (1 - s) * ROOT2 * (1 + 3 * 0.044715f * v * v)));
  }
}

// x [B, L, C] -> normed without weights, times 1 + scale [B, C], plus shift [B, C]; figures [B, L, 2] keep mean and 1 / deviation.
void modulated_forward(const float *x, const float *shift, const float *scale, bf16 *out, float *figures, long B, long L, long C) {
#pragma omp parallel for
  for (long b = 0; b < B; b++)
    for (long l = 0; l < L; l++) {
      const float *row = x + (b * L + l) * C;
      float mean = 0, square = 0;
      for (long j = 0; j < C; j++) mean += row[j];
      mean /= C;
      for (long j = 0; j < C; j++) square += (row[j] - mean) * (row[j] - mean);
      float r = 1 / sqrtf(square / C + 1e-6f);
      figures[(b * L + l) * 2] = mean;
      figures[(b * L + l) * 2 + 1] = r;
      bf16 *to = out + (b * L + l) * C;
      for (long j = 0; j < C; j++) to[j] = down((row[j] - mean) * r * (1 + scale[b * C + j]) + shift[b * C + j]);
    }
}

void modulated_backward(const float *x, const float *scale, const float *figures, const bf16 *grad, float *gx, float *gshift,
                        float *gscale, long B, long L, long C) {
#pragma omp parallel for
  for (long b = 0; b < B; b++) {
    float *to_shift = gshift + b * C, *to_scale = gscale + b * C;
    memset(to_shift, 0, C * sizeof(float));
    memset(to_scale, 0, C * sizeof(float));
    for (long l = 0; l < L; l++) {
      const float *row = x + (b * L + l) * C, mean = figures[(b * L + l) * 2], r = figures[(b * L + l) * 2 + 1];
      const bf16 *g = grad + (b * L + l) * C;
      float sum = 0, along = 0, *to = gx + (b * L + l) * C;
      for (long j = 0; j < C; j++) {
        float given = up(g[j]), y = (row[j] - mean) * r, inner = given * (1 + scale[b * C + j]);
        to_shift[j] += given;
        to_scale[j] += given * y;
        sum += inner;
        along += inner * y;
        to[j] = inner;
      }
      sum /= C;
      along /= C;
      for (long j = 0; j < C; j++) to[j] = r * (to[j] - sum - (row[j] - mean) * r * along);
    }
  }
}

// x [B, L, C] + gate [B, C] * y [B, L, C]
void gated_forward(const float *x, const float *gate, const bf16 *y, float *out, long B, long L, long C) {
#pragma omp parallel for
  for (long b = 0; b < B; b++)
    for (long l = 0; l < L; l++)
      for (long j = 0, i = (b * L + l) * C; j < C; j++, i++) out[i] = x[i] + gate[b * C + j] * up(y[i]);
}

void gated_backward(const float *gate, const bf16 *y, const float *grad, bf16 *gy, float *ggate, long B, long L, long C) {
#pragma omp parallel for
  for (long b = 0; b < B; b++) {
    float *to = ggate + b * C;
    memset(to, 0, C * sizeof(float));
    for (long l = 0; l < L; l++)
      for (long j = 0, i = (b * L + l) * C; j < C; j++, i++) {
        to[j] += grad[i] * up(y[i]);
        gy[i] = down(grad[i] * gate[b * C + j]);
      }
  }
}
