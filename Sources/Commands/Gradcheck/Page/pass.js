// The table of tensors, which Swift wrote into this page, and the pass: one line of JavaScript for each line of
// Derivation.swift. A line is evaluated when it is first read; if a tensor is set, what follows is computed from it.

const parsed = (id) => document.getElementById(id).textContent.replaceAll("<\\/", "</");
const TABLE = JSON.parse(parsed("table"));
const TENSORS = new Map(TABLE.tensors.map((tensor) => [tensor.name, tensor]));
const NAMES = [...TENSORS.keys()];
const PARAMETERS = NAMES.filter((name) => TENSORS.get(name).line === "");
const COMPUTED = NAMES.filter((name) => !PARAMETERS.includes(name));
const FORWARD = COMPUTED.filter((name) => TENSORS.get(name).owner === null);
const GRADIENTS = COMPUTED.filter((name) => TENSORS.get(name).owner !== null);
const isGradient = (name) => TENSORS.get(name).owner !== null;
const readersOf = (name) => FORWARD.filter((forward) => TENSORS.get(forward).inputs.includes(name));
const filled = (sentence, values = {}) =>
  sentence.replace(/\{(\w+)\}/g, (_, place) => values[place]);

const LINES = {
  emb: (p) => p.C.gatheringRows(p.Xb),
  embcat: (p) => p.emb.reshaped(p.Yb.length, p.W1.rows),
  hprebn: (p) => p.embcat.matmul(p.W1).plus(p.b1),
  bnmeani: (p) => p.hprebn.sumOfRows().times(1 / p.n),
  bndiff: (p) => p.hprebn.minus(p.bnmeani),
  bndiff2: (p) => p.bndiff.pow(2),
  bnvar: (p) => p.bndiff2.sumOfRows().times(1 / (p.n - 1)),
  bnvar_inv: (p) => p.bnvar.plus(1e-5).pow(-0.5),
  bnraw: (p) => p.bndiff.times(p.bnvar_inv),
  hpreact: (p) => p.bngain.times(p.bnraw).plus(p.bnbias),
  h: (p) => p.hpreact.tanh(),
  logits: (p) => p.h.matmul(p.W2).plus(p.b2),
  logit_maxes: (p) => p.logits.maximumOfColumns(),
  norm_logits: (p) => p.logits.minus(p.logit_maxes),
  counts: (p) => p.norm_logits.exp(),
  counts_sum: (p) => p.counts.sumOfColumns(),
  counts_sum_inv: (p) => p.counts_sum.pow(-1),
  probs: (p) => p.counts.times(p.counts_sum_inv),
  logprobs: (p) => p.probs.log(),
  loss: (p) => p.logprobs.picking(p.Yb).sumOfRows().times(-1 / p.n),
  dlogprobs: (p) => Matrix.oneHot(p.Yb, p.W2.columns, p.Type).times(-1 / p.n),
  dprobs: (p) => p.probs.pow(-1).times(p.dlogprobs),
  dcounts_sum_inv: (p) => p.dprobs.times(p.counts).sumOfColumns(),
  dcounts_sum: (p) => p.counts_sum.pow(-2).negated().times(p.dcounts_sum_inv),
  dcounts: (p) => p.dprobs.times(p.counts_sum_inv).plus(p.dcounts_sum),
  dnorm_logits: (p) => p.counts.times(p.dcounts),
  dlogit_maxes: (p) => p.dnorm_logits.sumOfColumns().negated(),
  dlogits: (p) => p.dnorm_logits.plus(p.logits.maximaOfRows().times(p.dlogit_maxes)),
  dh: (p) => p.dlogits.matmul(p.W2.transposed()),
  dW2: (p) => p.h.transposed().matmul(p.dlogits),
  db2: (p) => p.dlogits.sumOfRows(),
  dhpreact: (p) => p.h.pow(2).from(1).times(p.dh),
  dbngain: (p) => p.bnraw.times(p.dhpreact).sumOfRows(),
  dbnbias: (p) => p.dhpreact.sumOfRows(),
  dbnraw: (p) => p.bngain.times(p.dhpreact),
  dbnvar_inv: (p) => p.bndiff.times(p.dbnraw).sumOfRows(),
  dbnvar: (p) => p.bnvar.plus(1e-5).pow(-1.5).times(-0.5).times(p.dbnvar_inv),
  dbndiff2: (p) => p.dbnvar.repeated(p.Yb.length, p.W1.columns).times(1 / (p.n - 1)),
  dbndiff: (p) => p.bnvar_inv.times(p.dbnraw).plus(p.bndiff.times(2).times(p.dbndiff2)),
  dbnmeani: (p) => p.dbndiff.sumOfRows().negated(),
  dhprebn: (p) => p.dbndiff.plus(p.dbnmeani.times(1 / p.n)),
  dembcat: (p) => p.dhprebn.matmul(p.W1.transposed()),
  dW1: (p) => p.embcat.transposed().matmul(p.dhprebn),
  db1: (p) => p.dhprebn.sumOfRows(),
  demb: (p) => p.dembcat.reshaped(p.Xb.length, p.C.columns),
  dC: (p) => p.demb.scatteringRows(p.Xb, p.C.rows),
};

/** One minibatch's way through the network and back. */
class Pass {
  /** `problem` has the parameters by name, and Xb and Yb as arrays of ids. */
  constructor(problem, Type = Float64Array) {
    this.Type = Type;
    this.Xb = problem.Xb;
    this.Yb = problem.Yb;
    this.n = problem.Yb.length;
    for (const name of PARAMETERS) {
      const given = problem[name];
      this[name] = given.Type === Type ? given : given.converted(Type);
    }
  }

  /** dlogits from the logits in one expression. */
  get dlogitsInOneGo() {
    return softmax(this.logits).minus(Matrix.oneHot(this.Yb, this.W2.columns, this.Type)).over(this.n);
  }

  /** dhprebn from dhpreact in one expression. */
  get dhprebnInOneGo() {
    const { n } = this;
    const variance = this.bnraw.times(n / (n - 1)).times(this.dhpreact.times(this.bnraw).sumOfRows());
    return this.bngain.times(this.bnvar_inv).over(n)
      .times(this.dhpreact.times(n).minus(this.dhpreact.sumOfRows()).minus(variance));
  }
}

for (const name of COMPUTED) {
  Object.defineProperty(Pass.prototype, name, {
    get() {
      const value = LINES[name](this);
      this[name] = value;
      return value;
    },
    set(value) { Object.defineProperty(this, name, { value, writable: true, configurable: true }); },
  });
}

function softmax(logits) {
  const counts = logits.minus(logits.maximumOfColumns()).exp();
  return counts.times(counts.sumOfColumns().pow(-1));
}

/** The sizes of a pass: n, block, embedding, context, hidden, vocabulary. */
class Sizes {
  constructor({ n, block, embedding, hidden, vocabulary }) {
    Object.assign(this, { one: 1, n, block, embedding, hidden, vocabulary, context: block * embedding });
  }

  shape(name) { return TENSORS.get(name).dimensions.map((dimension) => this[dimension]); }

  /** Other shapes of the same elements that a notebook may well give a tensor. */
  alternatives(name) {
    const { dimensions } = TENSORS.get(name);
    const shape = this.shape(name);
    if (shape.length === 0) return [[1], [1, 1]];
    if (shape.length === 1) return [[1, ...shape]];
    if (shape.length === 3) return [[shape[0] * shape[1], shape[2]]];
    return dimensions.includes("one") ? [shape.filter((_, i) => dimensions[i] !== "one")] : [];
  }

  accepts(shape, name) {
    return [this.shape(name), ...this.alternatives(name)].some((other) => sameShape(shape, other));
  }

  /** Another number of windows or hidden units that explains two shapes or more, and as many as possible. */
  others(shapes, least = 2) {
    const windows = new Set([this.n]);
    const units = new Set([this.hidden]);
    for (const [name, shape] of shapes) {
      TENSORS.get(name).dimensions.slice(0, shape.length).forEach((dimension, i) => {
        if (!(shape[i] > 1)) return;
        if (dimension === "n") windows.add(shape[i]);
        if (dimension === "hidden") units.add(shape[i]);
      });
    }
    const sorted = (set) => [...set].map(Number).sort((a, b) => a - b);
    let best;
    for (const n of sorted(windows)) {
      for (const hidden of sorted(units)) {
        // If all are transposed, that is a mistake and not another size.
        if ((n === this.n && hidden === this.hidden) || (n === this.hidden && hidden === this.n)) continue;
        const sizes = new Sizes({ ...this, n, hidden });
        const count = [...shapes].filter(([name, shape]) => sizes.accepts(shape, name)).length;
        if (count >= least && count > (best?.count ?? 0)) best = { sizes, count };
      }
    }
    return best?.sizes;
  }

  /** Rows and columns as a matrix of the derivation. */
  matrixShape(name) {
    const shape = this.shape(name);
    const columns = shape.at(-1) ?? 1;
    return [shape.reduce((a, b) => a * b, 1) / columns, columns];
  }

  /** The roundings of an element in its own line. */
  terms(name, occurrences) {
    const few = 4;
    const { terms } = TENSORS.get(name);
    if (terms === null) return few;
    return Math.max(terms === "occurrences" ? occurrences : this[terms[0]] + terms[1], few);
  }
}

const sameShape = (a, b) => a.length === b.length && a.every((size, i) => size === b[i]);

/** A shape or an index as PyTorch shows it. */
const shapeText = (shape) => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`);

/** The indices of the element that comes at a position row by row. */
function indicesOf(position, shape) {
  const indices = [];
  let rest = position;
  for (const size of [...shape].reverse()) {
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return indices;
}

/** A number as Swift describes it. */
function swiftNumber(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const size = Math.abs(x);
  const [digits, exponent] = size.toExponential().split("e");
  const sign = x < 0 ? "-" : "";
  if (size < 1e-4 || size > 2 ** 53) {
    const power = Math.abs(Number(exponent));
    return `${sign}${digits.includes(".") ? digits : digits + ".0"}`.replace(/\.0$/, "")
      + `e${exponent.startsWith("-") ? "-" : "+"}${power < 10 ? "0" : ""}${power}`;
  }
  const [significant, places] = [digits.replace(".", ""), Number(exponent)];
  if (places < 0) return `${sign}0.${"0".repeat(-places - 1)}${significant}`;
  if (significant.length <= places + 1) return `${sign}${significant.padEnd(places + 1, "0")}.0`;
  return `${sign}${significant.slice(0, places + 1)}.${significant.slice(places + 1)}`;
}

// MARK: A notebook's file

const PRECISIONS = {
  F32: {
    name: "float32", ulp: 2 ** -23, least: 2 ** -126, greatest: (2 - 2 ** -23) * 2 ** 127, Type: Float32Array,
  },
  F64: { name: "float64", ulp: 2 ** -52, least: 2 ** -1022, greatest: Number.MAX_VALUE, Type: Float64Array },
};

const rounded = (matrix, precision) => (precision.Type === Float32Array
  ? matrix.converted(Float32Array).converted(Float64Array) : matrix);

/** Minibatch, parameters, and as many tensors as were saved; all of the file is checked. */
function readReference(bytes) {
  let file;
  try {
    file = readSafetensors(bytes);
  } catch (error) {
    if (error instanceof FileError) error.message = "not a safetensors file: " + error.message;
    throw error;
  }
  const tensor = (name) => file.get(name) ?? refuse(`${name}: expected in every reference, found none`);
  const wrongShape = (name, expected, found) =>
    refuse(`${name}: expected ${expected}, found ${shapeText(found)}`);
  const precision = PRECISIONS[tensor("C").dtype];
  if (!precision) refuse(`C: expected F32 or F64, found ${tensor("C").dtype}`);
  const dimensions = (name, expected) => {
    const { shape } = tensor(name);
    if (shape.length !== 2 || shape.some((size) => size < 1)) wrongShape(name, expected, shape);
    return shape;
  };
  const [vocabulary, embedding] = dimensions("C", "(vocabulary, embedding)");
  const [n, block] = dimensions("Xb", "(n, block)");
  const [inputs, hidden] = dimensions("W1", "(block·embedding, hidden)");
  if (n < 2) wrongShape("Xb", "(n, block) with n > 1", [n, block]);
  if (inputs !== block * embedding) {
    wrongShape("W1", `(${block}·${embedding}, hidden)`, [inputs, hidden]);
  }
  const sizes = new Sizes({ n, block, embedding, hidden, vocabulary });
  const widths = [vocabulary, hidden, sizes.context];
  const largest = Math.max(...widths.map((width) => n * width), sizes.context * hidden,
    vocabulary * hidden, vocabulary * embedding);
  if (largest > TABLE.elementLimit) {
    refuse(`expected tensors of at most ${TABLE.elementLimit} elements`);
  }
  const C = tensor("C");
  const checkType = (name) => {
    const { dtype } = tensor(name);
    if (dtype !== C.dtype) refuse(`${name}: expected ${C.dtype} like C, found ${dtype}`);
  };
  const checkShape = (name, accepted) => {
    const { shape } = tensor(name);
    if (accepted.some((other) => sameShape(shape, other))) return;
    wrongShape(name, shapeText(accepted[0]), shape);
  };
  const matrix = (name, its = sizes) => {
    checkType(name);
    checkShape(name, [its.shape(name), ...its.alternatives(name)]);
    return new Matrix(...its.matrixShape(name), tensorElements(tensor(name)));
  };
  const problem = {};
  for (const name of PARAMETERS) {
    problem[name] = matrix(name);
    const wrong = problem[name].elements.findIndex((x) => !Number.isFinite(Math.fround(x)));
    if (wrong >= 0) {
      refuse(`${name}: expected finite floats, found ${swiftNumber(problem[name].elements[wrong])} `
        + `at ${shapeText(indicesOf(wrong, sizes.shape(name)))}`);
    }
  }
  const ids = (name, shape) => {
    checkShape(name, [shape]);
    const { dtype } = tensor(name);
    if (dtype !== "I64" && dtype !== "I32") refuse(`${name}: expected I64 or I32, found ${dtype}`);
    return [...tensorElements(tensor(name))].map((id, index) => {
      if (id < 0 || id >= vocabulary) {
        refuse(`${name}: expected ids from 0 to ${vocabulary - 1}, found ${id} `
          + `at ${shapeText(indicesOf(index, shape))}`);
      }
      return Number(id);
    });
  };
  problem.Xb = ids("Xb", [n, block]);
  problem.Yb = ids("Yb", [n]);
  const reference = { precision, problem, sizes, tensors: new Map(), shapes: new Map(), otherTypes: new Map() };
  const others = new Map();
  for (const name of COMPUTED) {
    if (!file.has(name)) continue;
    const { dtype, shape } = file.get(name);
    if (dtype !== C.dtype) {
      reference.otherTypes.set(name, dtype);
    } else if (sizes.accepts(shape, name)) {
      reference.tensors.set(name, matrix(name));
      if (!sameShape(shape, sizes.shape(name))) reference.shapes.set(name, shape);
    } else {
      others.set(name, shape);
    }
  }
  const explained = sizes.others(others);
  const isStale = ([name, shape]) => explained !== undefined && explained.accepts(shape, name);
  reference.stale = new Map([...others].filter(isStale));
  reference.misshapen = new Map([...others].filter((other) => !isStale(other)));
  reference.otherPass = explained && {
    sizes: explained, tensors: new Map([...reference.stale.keys()].map((name) => [name, matrix(name, explained)])),
  };
  reference.ignored = ignoredNames(file);
  return reference;
}

/** The name of an element type in PyTorch; the format's where that has none. */
function pythonType(dtype) {
  if (dtype === "BOOL") return "bool";
  const kinds = { F: "float", BF: "bfloat", I: "int", U: "uint" };
  const [, kind, width] = dtype.match(/^(F|BF|I|U)(8|16|32|64)$/) ?? [];
  return kind ? kinds[kind] + width : dtype;
}

/** The names that are not tensors of the pass, sorted. */
function ignoredNames(file) {
  const scalars = (text) => Array.from(canonical(text), (scalar) => scalar.codePointAt(0));
  return [...file.values()].map((tensor) => tensor.name)
    .filter((name) => !TENSORS.has(name) && name !== "Xb" && name !== "Yb")
    .sort((a, b) => {
      const [left, right] = [scalars(a), scalars(b)];
      const i = left.findIndex((scalar, k) => scalar !== right[k]);
      return i < 0 ? left.length - right.length : left[i] - (right[i] ?? -1);
    });
}

/** The tensor that another name may stand for; none for dloss, which is 1. */
function nearestTensor(name) {
  if (name === "dloss") return undefined;
  for (const [prefix, suffix] of [["", ".grad"], ["", "_grad"], ["grad_", ""], ["d_", ""]]) {
    if (!name.startsWith(prefix) || !name.endsWith(suffix) || new TextEncoder().encode(name).length >= 40) continue;
    const gradient = "d" + name.slice(prefix.length, name.length - suffix.length);
    if (TENSORS.has(gradient)) return gradient;
  }
  const letters = Array.from(name.toLowerCase());
  if (letters.length < 2 || letters.length > 20) return undefined;
  let best;
  for (const other of NAMES) {
    const distance = editDistance(other.toLowerCase(), letters);
    if (best === undefined || distance < best.distance) best = { other, distance };
  }
  return best.distance <= Math.max(1, Math.min(2, Math.floor(letters.length / 4))) ? best.other : undefined;
}

/** How many letters have to be put in, taken away or replaced (Levenshtein); 1 if two neighbours changed places. */
function editDistance(a, b) {
  const [first, second] = [Array.from(a), Array.from(b)];
  const i = first.findIndex((letter, k) => letter !== second[k]);
  const swapped = [...first.slice(0, i), first[i + 1], first[i], ...first.slice(i + 2)];
  if (i >= 0 && swapped.length === second.length && swapped.every((letter, k) => letter === second[k])) return 1;
  const row = Array.from({ length: second.length + 1 }, (_, i) => i);
  first.forEach((letter, i) => {
    let diagonal = row[0];
    row[0] = i + 1;
    second.forEach((other, j) => {
      const cost = Math.min(row[j] + 1, row[j + 1] + 1, diagonal + (letter === other ? 0 : 1));
      diagonal = row[j + 1];
      row[j + 1] = cost;
    });
  });
  return row[second.length];
}
