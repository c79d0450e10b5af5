// Matrices, as Sources/LinearAlgebra/Matrix.swift has them: rows by rows, `times` is elementwise, and a dimension
// of 1 is repeated to fit the other operand. The elements' array says the precision: what is stored in a
// Float32Array is rounded to it, and so is every step of a sum.

class Matrix {
  constructor(rows, columns, elements) {
    this.rows = rows;
    this.columns = columns;
    this.elements = elements;
  }

  static zeros(rows, columns, Type = Float64Array) {
    return new Matrix(rows, columns, new Type(rows * columns));
  }

  static filled(rows, columns, value, Type = Float64Array) {
    return new Matrix(rows, columns, new Type(rows * columns).fill(value));
  }

  /** Row i is 1 at column `indices[i]`. */
  static oneHot(indices, columns, Type = Float64Array) {
    const result = Matrix.zeros(indices.length, columns, Type);
    indices.forEach((column, row) => { result.elements[row * columns + column] = 1; });
    return result;
  }

  get count() { return this.elements.length; }
  get Type() { return this.elements.constructor; }

  /** A scalar in the precision of the elements. */
  scalar(x) { return this.Type === Float32Array ? Math.fround(x) : x; }

  at(row, column) { return this.elements[row * this.columns + column]; }

  map(f) {
    const { elements } = this;
    const result = new this.Type(elements.length);
    for (let i = 0; i < elements.length; i += 1) result[i] = f(elements[i]);
    return new Matrix(this.rows, this.columns, result);
  }

  zip(other, f) {
    const rows = this.rows === 1 ? other.rows : this.rows;
    const columns = this.columns === 1 ? other.columns : this.columns;
    if ((other.rows !== rows && other.rows !== 1) || (other.columns !== columns && other.columns !== 1)) {
      throw new Error(`(${this.rows}, ${this.columns}) and (${other.rows}, ${other.columns}) do not fit`);
    }
    const result = new this.Type(rows * columns);
    const a = this.elements;
    const b = other.elements;
    const [aRow, aColumn] = [this.rows === 1 ? 0 : this.columns, this.columns === 1 ? 0 : 1];
    const [bRow, bColumn] = [other.rows === 1 ? 0 : other.columns, other.columns === 1 ? 0 : 1];
    for (let i = 0, o = 0; i < rows; i += 1) {
      for (let j = 0; j < columns; j += 1, o += 1) {
        result[o] = f(a[i * aRow + j * aColumn], b[i * bRow + j * bColumn]);
      }
    }
    return new Matrix(rows, columns, result);
  }

  plus(x) {
    if (x instanceof Matrix) return this.zip(x, (a, b) => a + b);
    const b = this.scalar(x);
    return this.map((a) => a + b);
  }

  minus(x) { return this.zip(x, (a, b) => a - b); }

  times(x) {
    if (x instanceof Matrix) return this.zip(x, (a, b) => a * b);
    const b = this.scalar(x);
    return this.map((a) => a * b);
  }

  over(x) {
    const b = this.scalar(x);
    return this.map((a) => a / b);
  }

  /** x − every element. */
  from(x) { return this.map((a) => x - a); }

  negated() { return this.map((a) => -a); }
  exp() { return this.map(Math.exp); }
  log() { return this.map(Math.log); }
  tanh() { return this.map(Math.tanh); }
  magnitude() { return this.map(Math.abs); }

  pow(power) {
    switch (power) {
      case -1: return this.map((a) => 1 / a);
      case -0.5: return this.map(this.Type === Float32Array
        ? (a) => 1 / Math.fround(Math.sqrt(a)) : (a) => 1 / Math.sqrt(a));
      case 2: return this.map((a) => a * a);
      // swift-numerics has no powers of negative numbers.
      default: return this.map((a) => (a >= 0 ? Math.pow(a, power) : NaN));
    }
  }

  /** The sum over the rows, (1, columns). */
  sumOfRows() {
    const result = Matrix.zeros(1, this.columns, this.Type);
    for (let i = 0, o = 0; i < this.rows; i += 1) {
      for (let j = 0; j < this.columns; j += 1, o += 1) result.elements[j] += this.elements[o];
    }
    return result;
  }

  /** The sum over the columns, (rows, 1). */
  sumOfColumns() {
    const result = Matrix.zeros(this.rows, 1, this.Type);
    for (let i = 0, o = 0; i < this.rows; i += 1) {
      for (let j = 0; j < this.columns; j += 1, o += 1) result.elements[i] += this.elements[o];
    }
    return result;
  }

  maximumOfColumns() {
    const result = Matrix.filled(this.rows, 1, -Infinity, this.Type);
    for (let i = 0, o = 0; i < this.rows; i += 1) {
      for (let j = 0; j < this.columns; j += 1, o += 1) {
        if (this.elements[o] >= result.elements[i]) result.elements[i] = this.elements[o];
      }
    }
    return result;
  }

  /** 1 at each row's largest element, the first of equals. */
  maximaOfRows() {
    const indices = [];
    for (let i = 0; i < this.rows; i += 1) {
      let best = 0;
      for (let j = 1; j < this.columns; j += 1) if (this.at(i, j) > this.at(i, best)) best = j;
      indices.push(best);
    }
    return Matrix.oneHot(indices, this.columns, this.Type);
  }

  transposed() {
    const result = Matrix.zeros(this.columns, this.rows, this.Type);
    for (let i = 0, o = 0; i < this.rows; i += 1) {
      for (let j = 0; j < this.columns; j += 1, o += 1) result.elements[j * this.rows + i] = this.elements[o];
    }
    return result;
  }

  /** The product of matrices. */
  matmul(other) {
    const [inner, columns] = [this.columns, other.columns];
    const result = Matrix.zeros(this.rows, columns, this.Type);
    const [a, b, c] = [this.elements, other.elements, result.elements];
    for (let i = 0; i < this.rows; i += 1) {
      for (let k = 0; k < inner; k += 1) {
        const factor = a[i * inner + k];
        for (let j = 0, o = i * columns, p = k * columns; j < columns; j += 1) c[o + j] += factor * b[p + j];
      }
    }
    return result;
  }

  reshaped(rows, columns) { return new Matrix(rows, columns, this.elements); }

  gatheringRows(indices) {
    const result = Matrix.zeros(indices.length, this.columns, this.Type);
    indices.forEach((index, row) => result.elements.set(
      this.elements.subarray(index * this.columns, (index + 1) * this.columns), row * this.columns));
    return result;
  }

  scatteringRows(indices, rows) {
    const result = Matrix.zeros(rows, this.columns, this.Type);
    indices.forEach((index, row) => {
      for (let j = 0; j < this.columns; j += 1) {
        result.elements[index * this.columns + j] += this.elements[row * this.columns + j];
      }
    });
    return result;
  }

  picking(indices) {
    const result = Matrix.zeros(this.rows, 1, this.Type);
    indices.forEach((column, row) => { result.elements[row] = this.at(row, column); });
    return result;
  }

  repeated(rows, columns) { return this.zip(Matrix.zeros(rows, columns, this.Type), (a) => a); }

  converted(Type) { return new Matrix(this.rows, this.columns, Type.from(this.elements)); }

  /** The largest element. */
  largest() { return this.elements.reduce((most, x) => (most < x ? x : most)); }

  hasEqualElements(other) {
    return this.count === other.count && this.elements.every((element, i) => element === other.elements[i]);
  }

  equals(other) {
    return this.rows === other.rows && this.columns === other.columns && this.hasEqualElements(other);
  }
}

/** max|a − b|; ∞ where an element is NaN or only one is infinite. */
function largestDifference(first, second) {
  const [a, b] = [first.elements, second.elements];
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) {
    const difference = Math.abs(a[i] - b[i]);
    // Equal infinities are equal.
    if (difference > largest) largest = difference;
    else if (difference !== difference && a[i] !== b[i]) largest = Infinity;
  }
  return largest;
}
