// Cosines between embeddings, in double precision.

/** The rows of [N, width] divided by their L2 norm; a row of zeros stays as it is. */
export function normalizeRows(rows: Float32Array, width: number): Float32Array {
  const result = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += width) {
    const row = rows.subarray(start, start + width);
    const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    for (let i = 0; i < width; i++) result[start + i] = (row[i] as number) / (norm === 0 ? 1 : norm);
  }
  return result;
}

/** The cosine of every row of `a` [N, width] with every row of `b` [M, width]: [N, M]. A row of zeros has cosine 0. */
export function cosines(a: Float32Array, b: Float32Array, width: number): Float64Array {
  const [n, m] = [a.length / width, b.length / width];
  const result = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let [dot, normA, normB] = [0, 0, 0];
      for (let k = 0; k < width; k++) {
        const [x, y] = [a[i * width + k] as number, b[j * width + k] as number];
        dot += x * y;
        normA += x * x;
        normB += y * y;
      }
      const norm = Math.sqrt(normA * normB);
      result[i * m + j] = norm === 0 ? 0 : dot / norm;
    }
  }
  return result;
}
