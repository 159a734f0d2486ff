// Transposition of a matrix in memory, in tiles that stay in the cache.

const TILE = 32;

/** The transpose [columns, rows] of a row-major matrix [rows, columns]. */
export function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row += TILE) {
    const lastRow = Math.min(row + TILE, rows);
    for (let column = 0; column < columns; column += TILE) {
      const lastColumn = Math.min(column + TILE, columns);
      for (let c = column; c < lastColumn; c++) {
        for (let r = row; r < lastRow; r++) result[c * rows + r] = data[r * columns + c] as number;
      }
    }
  }
  return result;
}
