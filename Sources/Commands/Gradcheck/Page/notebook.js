// The little PyTorch in which lines are practised: what the exercise uses, forward and backward, and no more.
//
// Names, numbers, + − * / ** @, indexing by integers, ranges and tensors of ids, assignment and its kin, `for` over
// a range, a tensor or enumerate, and the functions in METHODS and FUNCTIONS. Shapes, broadcasting and shared memory
// behave as in PyTorch: `a = b` is the same tensor, `a += b` changes it, `.view` shares its memory. `print(…)` and
// `cmp(…)` do nothing. All else is refused by its name, and so is whatever is too long, too deep or too much work.

class NotebookError extends Error {
  constructor(message, line) {
    super(message);
    this.line = line;
  }

  /** A browser's own error, such as a stack that is too deep, as one of the line. */
  static from(error) {
    return error instanceof NotebookError ? error : new NotebookError(`this cannot be run here: ${error.message}`);
  }
}

// MARK: Limits

const TEXT_LIMIT = 20_000;
const TOKEN_LIMIT = 1000;
const NESTING_LIMIT = 100;
const DIMENSION_LIMIT = 64;
const ELEMENT_LIMIT = 10_000;

/** What the running lines may still do: statements, parts of expressions, and elements that are read or written. */
const work = { left: Infinity };

/** Runs what may do so much work, of what is left. */
function allowing(amount, run) {
  const before = work.left;
  const allowed = Math.min(amount, before);
  work.left = allowed;
  try {
    return run();
  } finally {
    work.left = before - (allowed - Math.max(0, work.left));
  }
}

function spend(amount) {
  work.left -= amount;
  if (!(work.left >= 0)) wrong("this takes too many steps");
}

/** The number of elements of a tensor that is to be made. */
function countToMake(shape) {
  if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
    wrong(`sizes are whole numbers, 0 or more; found ${shape.map(valueText).join(", ")}`);
  }
  const count = product(shape);
  if (!(count <= ELEMENT_LIMIT)) wrong(`a tensor ${shapeText(shape)} is too large here`);
  spend(count);
  return count;
}

const space = (shape) => new Float64Array(countToMake(shape));

// MARK: Tensors

/** A tensor, row-major; views share `data`. Numbers are Doubles; a tensor of ids says so. */
class NotebookTensor {
  constructor(shape, data, isInteger = false) {
    if (shape.length > DIMENSION_LIMIT) wrong(`a tensor has at most ${DIMENSION_LIMIT} dimensions`);
    spend(data.length);
    this.shape = shape;
    this.data = data;
    this.isInteger = isInteger;
  }

  static filled(shape, value) { return new NotebookTensor(shape, space(shape).fill(value)); }

  get count() { return this.data.length; }

  clone() { return new NotebookTensor(this.shape, this.data.slice(), this.isInteger); }
}

const product = (sizes) => sizes.reduce((a, b) => a * b, 1);
const wrong = (message) => { throw new NotebookError(message); };

function broadcastShape(a, b, sign) {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    if (x !== y && x !== 1 && y !== 1) {
      wrong(`${shapeText(a)} ${sign} ${shapeText(b)} do not fit: sizes must be equal, or one of them 1`);
    }
    return x === 1 ? y : x;
  });
}

/** For each element of a result, the element of an operand that is repeated to fit. */
function stretched(tensor, shape) {
  if (sameShape(tensor.shape, shape)) return tensor.data;
  const result = space(shape);
  const skip = shape.length - tensor.shape.length;
  for (let i = 0; i < result.length; i += 1) {
    let [rest, stride, from] = [i, 1, 0];
    for (let d = shape.length - 1; d >= skip; d -= 1) {
      const size = tensor.shape[d - skip];
      if (size > 1) from += (rest % shape[d]) * stride;
      stride *= size;
      rest = Math.floor(rest / shape[d]);
    }
    result[i] = tensor.data[from];
  }
  return result;
}

const OPERATIONS = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "**": (a, b) => a ** b,
};

const scalarTensor = (x) => new NotebookTensor([], Float64Array.of(x));

function asTensor(value) {
  if (value instanceof NotebookTensor) return value;
  if (typeof value === "number" || typeof value === "boolean") return scalarTensor(value);
  return wrong(`a number or a tensor is needed, found ${kindOf(value)}`);
}

function arithmetic(sign, a, b) {
  for (const value of [a, b]) {
    if (typeof value !== "number" && !(value instanceof NotebookTensor)) {
      wrong(`${sign} needs numbers and tensors, found ${kindOf(value)}`);
    }
  }
  const f = OPERATIONS[sign];
  if (typeof a === "number" && typeof b === "number") {
    if (sign === "/" && b === 0) wrong("division by zero");
    return f(a, b);
  }
  const [left, right] = [asTensor(a), asTensor(b)];
  const shape = broadcastShape(left.shape, right.shape, sign);
  const [x, y] = [stretched(left, shape), stretched(right, shape)];
  const data = x.map((_, i) => f(x[i], y[i]));
  const isIntegral = (value) => (value instanceof NotebookTensor ? value.isInteger : Number.isInteger(value));
  return new NotebookTensor(shape, data, sign !== "/" && isIntegral(a) && isIntegral(b));
}

function matrixProduct(a, b) {
  if (!(a instanceof NotebookTensor && b instanceof NotebookTensor)) {
    wrong(`@ needs two tensors, found ${kindOf(a)} and ${kindOf(b)}`);
  }
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    wrong(`${shapeText(a.shape)} @ ${shapeText(b.shape)}: @ is for two matrices here`);
  }
  const [rows, inner] = a.shape;
  const [others, columns] = b.shape;
  if (inner !== others) {
    wrong(`${shapeText(a.shape)} @ ${shapeText(b.shape)} do not fit: ${inner} is not ${others}`);
  }
  spend(countToMake([rows, columns]) * inner);
  const result = new Matrix(rows, inner, a.data).matmul(new Matrix(inner, columns, b.data));
  return new NotebookTensor([rows, columns], result.elements);
}

function kindOf(value) {
  if (value instanceof NotebookTensor) return `a tensor ${shapeText(value.shape)}`;
  if (typeof value === "number") return "a number";
  if (typeof value === "boolean") return "a truth value";
  if (Array.isArray(value)) return "a tuple";
  if (value instanceof NotebookRange) return "a range";
  if (value instanceof NotebookEnumeration) return "what enumerate returned";
  if (value?.call) return `the function ${value.name}`;
  return value?.values ? "what max returned (it has .values and .indices)" : "nothing";
}

const valueText = (value) => (typeof value === "number" ? String(value) : kindOf(value));

class NotebookRange {
  constructor(start, end) { Object.assign(this, { start, count: Math.max(0, end - start) }); }

  get tensor() {
    return new NotebookTensor([this.count], space([this.count]).map((_, i) => this.start + i), true);
  }
}

class NotebookEnumeration {
  constructor(value) { this.value = value; }
}

/** What a loop goes over, one by one. */
function* elementsOf(value) {
  if (value instanceof NotebookRange) {
    for (let i = 0; i < value.count; i += 1) yield value.start + i;
  } else if (value instanceof NotebookEnumeration) {
    let i = 0;
    for (const element of elementsOf(value.value)) {
      yield [i, element];
      i += 1;
    }
  } else if (value instanceof NotebookTensor && value.shape.length > 0) {
    for (let i = 0; i < value.shape[0]; i += 1) yield indexed(value, [i]);
  } else {
    wrong(`for goes over a range, a tensor or enumerate here, found ${kindOf(value)}`);
  }
}

/** A dimension counted from the front; `rank` is that of the tensor, or of the result. */
function dimensionOf(tensor, dimension, rank = tensor.shape.length) {
  const along = dimension < 0 ? dimension + rank : dimension;
  if (!Number.isInteger(along) || along < 0 || along >= rank) {
    wrong(`${shapeText(tensor.shape)} has no dimension ${valueText(dimension)}`);
  }
  return along;
}

/** The sum, or the largest elements and where they are, along a dimension. */
function reduceAlong(tensor, dimension, keeps, reduce) {
  const along = dimensionOf(tensor, dimension);
  const [outer, inner] = [product(tensor.shape.slice(0, along)), product(tensor.shape.slice(along + 1))];
  const size = tensor.shape[along];
  const shape = keeps ? tensor.shape.map((other, i) => (i === along ? 1 : other))
    : tensor.shape.filter((_, i) => i !== along);
  const data = space(shape);
  spend(tensor.count);
  for (let o = 0; o < outer; o += 1) {
    for (let i = 0; i < inner; i += 1) {
      data[o * inner + i] = reduce(Array.from({ length: size }, (_, k) => tensor.data[(o * size + k) * inner + i]));
    }
  }
  return new NotebookTensor(shape, data);
}

const total = (elements) => elements.reduce((a, b) => a + b, 0);
const largestIndex = (elements) => elements.reduce((best, x, i) => (x > elements[best] ? i : best), 0);

function viewed(tensor, sizes) {
  const wanted = sizes.length === 1 && Array.isArray(sizes[0]) ? sizes[0] : sizes;
  const isSize = (size) => Number.isInteger(size) && size >= -1;
  if (!wanted.every(isSize) || wanted.filter((size) => size === -1).length > 1) {
    wrong("view needs whole sizes, at most one of them -1");
  }
  const known = product(wanted.filter((size) => size !== -1));
  const shape = wanted.map((size) => (size === -1 ? tensor.count / known : size));
  if (product(shape) !== tensor.count || shape.some((size) => !Number.isInteger(size))) {
    wrong(`${shapeText(tensor.shape)} has ${tensor.count} elements and cannot be viewed as ${shapeText(wanted)}`);
  }
  return withShape(tensor, shape);
}

/** The same elements in another shape. */
const withShape = (tensor, shape) => new NotebookTensor(shape, tensor.data, tensor.isInteger);

// MARK: Indexing

/** Where the elements of `tensor[indices]` are: the result's shape, and their places in order. */
function places(tensor, indices) {
  if (indices.length > tensor.shape.length) {
    wrong(`${shapeText(tensor.shape)} has ${tensor.shape.length} dimensions, found ${indices.length} indices`);
  }
  const asIds = indices.map((index, d) => {
    let ids = index;
    if (typeof index === "number") ids = scalarTensor(index);
    else if (index instanceof NotebookRange) ids = index.tensor;
    if (!(ids instanceof NotebookTensor) || ids.data.some((x) => !Number.isInteger(x))) {
      wrong(`an index is a whole number, a range or a tensor of ids, found ${kindOf(index)}`);
    }
    const size = tensor.shape[d];
    const data = ids.data.map((x) => (x < 0 ? x + size : x));
    const outside = ids.data.find((_, i) => data[i] < 0 || data[i] >= size);
    if (outside !== undefined) {
      wrong(`index ${outside} is out of range for dimension ${d} of ${shapeText(tensor.shape)}`);
    }
    return new NotebookTensor(ids.shape, data, true);
  });
  const shape = asIds.reduce((all, ids) => broadcastShape(all, ids.shape, "and"), []);
  const rest = tensor.shape.slice(indices.length);
  const width = product(rest);
  const starts = space(shape);
  let stride = width;
  for (let d = indices.length - 1; d >= 0; d -= 1) {
    const ids = stretched(asIds[d], shape);
    for (let i = 0; i < starts.length; i += 1) starts[i] += ids[i] * stride;
    stride *= tensor.shape[d];
  }
  return { shape: [...shape, ...rest], starts, width };
}

function indexed(value, indices) {
  if (Array.isArray(value)) {
    const [index] = indices;
    const at = index < 0 ? index + value.length : index;
    if (indices.length !== 1 || !Number.isInteger(at) || at < 0 || at >= value.length) {
      wrong(`${shapeText(value.map(valueText))} has no element ${indices.map(valueText).join(", ")}`);
    }
    return value[at];
  }
  if (!(value instanceof NotebookTensor)) wrong(`${kindOf(value)} cannot be indexed`);
  const { shape, starts, width } = places(value, indices);
  const isPlain = indices.every((index) =>
    typeof index === "number" || (index instanceof NotebookTensor && index.shape.length === 0));
  if (isPlain) {
    return new NotebookTensor(shape, value.data.subarray(starts[0], starts[0] + width), value.isInteger);
  }
  const data = space(shape);
  starts.forEach((start, i) => data.set(value.data.subarray(start, start + width), i * width));
  return new NotebookTensor(shape, data, value.isInteger);
}

/** Writes into a tensor: of equal places the last write counts, unless they are added up. */
function assignIndexed(tensor, indices, value, accumulates = false) {
  if (!(tensor instanceof NotebookTensor)) wrong(`${kindOf(tensor)} cannot be changed by an index`);
  const { shape, starts, width } = places(tensor, indices);
  const given = asTensor(value);
  if (!sameShape(broadcastShape(shape, given.shape, "="), shape)) {
    wrong(`${shapeText(given.shape)} does not fit into ${shapeText(shape)}`);
  }
  const data = stretched(given, shape).slice();
  spend(data.length);
  starts.forEach((start, i) => {
    for (let k = 0; k < width; k += 1) {
      tensor.data[start + k] = (accumulates ? tensor.data[start + k] : 0) + data[i * width + k];
    }
  });
}

// MARK: Functions

/** The arguments by name; those without a name in order. */
function bound(given, names, required = 0) {
  const values = {};
  given.positional.forEach((value, i) => {
    if (i >= names.length) wrong(`too many arguments: at most ${names.length}`);
    values[names[i]] = value;
  });
  for (const [name, value] of Object.entries(given.named)) {
    const known = name === "keepdims" ? "keepdim" : name === "axis" ? "dim" : name;
    if (!names.includes(known)) {
      wrong(`no argument ${name} here${names.length ? `; there are ${names.join(", ")}` : ""}`);
    }
    values[known] = value;
  }
  const missing = names.slice(0, required).find((name) => values[name] === undefined);
  if (missing) wrong(`the argument ${missing} is missing`);
  return values;
}

const elementwise = (f) => (tensor, given) => {
  bound(given, []);
  return new NotebookTensor(tensor.shape, tensor.data.map(f));
};

/** A reduction over all elements, or along a dimension. */
const reduction = (reduce) => (tensor, given) => {
  const { dim, keepdim = false } = bound(given, ["dim", "keepdim"]);
  spend(tensor.count);
  return dim === undefined ? scalarTensor(reduce([...tensor.data])) : reduceAlong(tensor, dim, keepdim, reduce);
};

/** A method with one argument that is needed. */
const withArgument = (name, f) => (tensor, given) => f(tensor, bound(given, [name], 1)[name]);
const withoutArguments = (f) => (tensor, given) => { bound(given, []); return f(tensor); };

const METHODS = {
  exp: elementwise(Math.exp),
  log: elementwise(Math.log),
  tanh: elementwise(Math.tanh),
  sqrt: elementwise(Math.sqrt),
  clone: withoutArguments((tensor) => tensor.clone()),
  float: withoutArguments((tensor) =>
    (tensor.isInteger ? new NotebookTensor(tensor.shape, tensor.data.slice()) : tensor)),
  t: withoutArguments(transposedTensor),
  pow: withArgument("exponent", (tensor, exponent) => arithmetic("**", tensor, exponent)),
  matmul: withArgument("other", matrixProduct),
  expand_as: withArgument("other", (tensor, other) => {
    const { shape } = needsTensor("expand_as", other);
    if (!sameShape(broadcastShape(tensor.shape, shape, "and"), shape)) {
      wrong(`${shapeText(tensor.shape)} cannot be expanded to ${shapeText(shape)}`);
    }
    return new NotebookTensor(shape, stretched(tensor, shape).slice(), tensor.isInteger);
  }),
  transpose(tensor, given) {
    const { dim0, dim1 } = bound(given, ["dim0", "dim1"], 2);
    const dimensions = [dimensionOf(tensor, dim0), dimensionOf(tensor, dim1)];
    return dimensions[0] === dimensions[1] ? tensor : transposedTensor(tensor);
  },
  unsqueeze: withArgument("dim", (tensor, dim) => {
    const at = dimensionOf(tensor, dim, tensor.shape.length + 1);
    return withShape(tensor, [...tensor.shape.slice(0, at), 1, ...tensor.shape.slice(at)]);
  }),
  squeeze(tensor, given) {
    const { dim } = bound(given, ["dim"]);
    const along = dim === undefined ? undefined : dimensionOf(tensor, dim);
    return withShape(tensor, tensor.shape.filter((size, i) => size !== 1 || (along ?? i) !== i));
  },
  sum: reduction(total),
  mean: reduction((elements) => total(elements) / elements.length),
  max(tensor, given) {
    const { dim, keepdim = false } = bound(given, ["dim", "keepdim"]);
    spend(tensor.count);
    if (dim === undefined) return scalarTensor(Math.max(...tensor.data));
    const indices = reduceAlong(tensor, dim, keepdim, largestIndex);
    indices.isInteger = true;
    return { values: reduceAlong(tensor, dim, keepdim, (elements) => elements[largestIndex(elements)]), indices };
  },
  view: (tensor, given) => viewed(tensor, given.positional),
  reshape: (tensor, given) => viewed(tensor, given.positional),
  index_add_(tensor, given) {
    const { dim, index, source } = bound(given, ["dim", "index", "source"], 3);
    if (dim !== 0) wrong("index_add_ is for dimension 0 here");
    if (!(index instanceof NotebookTensor) || index.shape.length !== 1) {
      wrong(`index_add_ needs a vector of ids, found ${kindOf(index)}: .view(-1)?`);
    }
    if (!(source instanceof NotebookTensor) || source.shape[0] !== index.shape[0]) {
      wrong(`index_add_ needs a source with ${index.shape[0]} rows, found ${kindOf(source)}`);
    }
    assignIndexed(tensor, [index], source, true);
    return tensor;
  },
  index_put_(tensor, given) {
    const { indices, values, accumulate = false } = bound(given, ["indices", "values", "accumulate"], 2);
    if (!Array.isArray(indices)) wrong("index_put_ needs a tuple of tensors: (Xb,)");
    assignIndexed(tensor, indices, values, accumulate);
    return tensor;
  },
};

const needsTensor = (name, value) =>
  (value instanceof NotebookTensor ? value : wrong(`${name} needs a tensor, found ${kindOf(value)}`));
const byMethod = (name) => (given) => {
  const [first, ...others] = given.positional;
  return METHODS[name](needsTensor(name, first), { positional: others, named: given.named });
};

const filledLike = (name, value) => (given) =>
  NotebookTensor.filled(needsTensor(name, bound(given, ["input"], 1).input).shape, value);

/** A tensor of the sizes that are given one by one, or as a tuple. */
const filledWith = (value) => ({ positional, named }) => {
  bound({ positional: [], named }, []);
  const isTuple = positional.length === 1 && Array.isArray(positional[0]);
  return NotebookTensor.filled(isTuple ? positional[0] : positional, value);
};

/** The methods that are functions of torch, too. */
const TORCH_METHODS = [
  "exp", "log", "tanh", "sqrt", "sum", "mean", "max", "pow", "matmul", "t", "transpose", "squeeze", "unsqueeze",
  "clone", "reshape",
];

const FUNCTIONS = {
  torch: {
    ...Object.fromEntries(TORCH_METHODS.map((name) => [name, byMethod(name)])),
    zeros: filledWith(0),
    ones: filledWith(1),
    arange: (given) => rangeOf("arange", given).tensor,
    zeros_like: filledLike("zeros_like", 0),
    ones_like: filledLike("ones_like", 1),
  },
  F: {
    one_hot(given) {
      const { input, num_classes: classes } = bound(given, ["input", "num_classes"], 2);
      needsTensor("one_hot", input);
      const result = NotebookTensor.filled([...input.shape, classes], 0);
      result.isInteger = true;
      input.data.forEach((id, i) => {
        if (!Number.isInteger(id) || id < 0 || id >= classes) {
          wrong(`one_hot needs ids from 0 to ${classes - 1}, found ${id}`);
        }
        result.data[i * classes + id] = 1;
      });
      return result;
    },
    softmax(given) {
      const { input, dim } = bound(given, ["input", "dim"], 2);
      const maxes = reduceAlong(needsTensor("softmax", input), dim, true, (x) => Math.max(...x));
      const shifted = arithmetic("-", input, maxes);
      const counts = METHODS.exp(shifted, { positional: [], named: {} });
      return arithmetic("/", counts, reduceAlong(counts, dim, true, total));
    },
  },
};

function rangeOf(name, { positional, named }) {
  bound({ positional: [], named }, []);
  if (positional.length < 1 || positional.length > 2 || positional.some((x) => !Number.isInteger(x))) {
    wrong(`${name} needs one or two whole numbers`);
  }
  return positional.length === 1 ? new NotebookRange(0, positional[0]) : new NotebookRange(...positional);
}

const UNDERSTOOD = "This page understands + − * / ** @, .T, .t, .transpose, .matmul, .pow, .sum, .mean, .max, .exp, "
  + ".log, .tanh, .sqrt, .view, .squeeze, .unsqueeze, .expand_as, .float, .clone, .shape, .index_add_, .index_put_, "
  + "most of these as torch.…, too, torch.zeros, torch.zeros_like, torch.ones, torch.ones_like, torch.arange, "
  + "F.one_hot, F.softmax, indexing, and for … in range, a tensor or enumerate.";

// MARK: Reading

/** White space and comments; a number; a name; a sign; anything else, a text in quotes as a whole. */
const TOKEN = new RegExp([
  String.raw`\s+|#.*`, String.raw`(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)`,
  String.raw`([\p{L}_][\p{L}\p{N}_]*)`,
  String.raw`(\*\*=|\*\*|\+=|-=|\*=|\/=|\/\/|==|!=|<=|>=|[\-+*\/@=()\[\],.:;<>])`,
  String.raw`("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|.)`,
].join("|"), "gu");

/** Adds a line's tokens; what is none of the page's is left to the parser, that passes over it or refuses it. */
function tokenize(text, tokens, line) {
  for (const [, number, name, sign, other] of text.matchAll(TOKEN)) {
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (name !== undefined) tokens.push({ kind: "name", text: name });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign });
    else if (other !== undefined) tokens.push({ kind: "other", text: other });
    if (tokens.length > TOKEN_LIMIT) throw new NotebookError("this line is too long", line);
  }
}

/** The source as logical lines with their indentation; a line goes on while a bracket is open. */
function logicalLines(source) {
  const lines = [];
  let [open, pending] = [0, null];
  source.split("\n").forEach((text, i) => {
    const indent = text.match(/^[ \t]*/)[0].replaceAll("\t", "        ").length;
    pending ??= { tokens: [], indent, line: i + 1 };
    const before = pending.tokens.length;
    tokenize(text, pending.tokens, i + 1);
    for (const { text: sign } of pending.tokens.slice(before)) {
      open += ("([".includes(sign) ? 1 : 0) - (")]".includes(sign) ? 1 : 0);
    }
    if (open < 0) throw new NotebookError("a bracket closes that was never opened", i + 1);
    if (open === 0) {
      if (pending.tokens.length) lines.push(pending);
      pending = null;
    }
  });
  if (pending) throw new NotebookError("a bracket is not closed", pending.line);
  return lines;
}

const OTHER_STATEMENTS = [
  "import", "from", "def", "if", "while", "with", "class", "return", "del", "assert", "lambda", "print",
];

/** Calls that show something in a notebook, and have nothing to show here. */
const SHOWING = ["print", "cmp"];

/** Reads statements; each has a line for messages. */
class NotebookParser {
  constructor(source) {
    if (source.length > TEXT_LIMIT) throw new NotebookError(`more than ${TEXT_LIMIT} characters are too many here`);
    this.lines = logicalLines(source);
    this.index = 0;
    this.depth = 0;
  }

  static parse(source) {
    const parser = new NotebookParser(source);
    const statements = parser.lines.length ? parser.block(parser.lines[0].indent) : [];
    if (parser.index < parser.lines.length) {
      throw new NotebookError("the indentation matches no line above", parser.lines[parser.index].line);
    }
    return statements;
  }

  block(indent) {
    const statements = [];
    while (this.index < this.lines.length && this.lines[this.index].indent === indent) {
      const current = this.lines[this.index];
      this.index += 1;
      [this.tokens, this.position, this.line] = [current.tokens, 0, current.line];
      if (this.isAt("for")) statements.push(this.loop(indent));
      else statements.push(...this.simpleStatements());
    }
    if (this.index < this.lines.length && this.lines[this.index].indent > indent) {
      throw new NotebookError("unexpected indentation", this.lines[this.index].line);
    }
    return statements;
  }

  get token() { return this.tokens[this.position]; }
  isAt(text) { return this.token?.text === text; }

  skip(text) {
    if (!this.isAt(text)) return false;
    this.position += 1;
    return true;
  }

  fail(message) {
    const { kind, text } = this.token ?? {};
    throw new NotebookError(kind === "other" ? `${text} is not understood here. ${UNDERSTOOD}` : message, this.line);
  }

  /** Reads a part of what is being read. */
  nested(read) {
    this.depth += 1;
    if (this.depth > NESTING_LIMIT) this.fail("this is nested too deeply");
    const part = read();
    this.depth -= 1;
    return part;
  }

  require(text) {
    if (!this.skip(text)) this.fail(`expected ${text}, found ${this.token?.text ?? "the end of the line"}`);
  }

  name() {
    if (this.token?.kind !== "name") {
      this.fail(`expected a name, found ${this.token?.text ?? "the end of the line"}`);
    }
    this.position += 1;
    return this.tokens[this.position - 1].text;
  }

  loop(indent) {
    const { line } = this;
    this.require("for");
    const hasBracket = this.skip("(");
    const variables = [this.name()];
    while (this.skip(",")) variables.push(this.name());
    if (hasBracket) this.require(")");
    this.require("in");
    const over = this.expression();
    this.require(":");
    if (this.token) return { kind: "for", line, variables, over, body: this.simpleStatements() };
    const next = this.lines[this.index];
    if (!next || next.indent <= indent) this.fail("expected an indented line after for … :");
    return { kind: "for", line, variables, over, body: this.nested(() => this.block(next.indent)) };
  }

  simpleStatements() {
    const statements = [];
    do {
      if (!this.token) break;
      statements.push(this.statement());
    } while (this.skip(";"));
    if (this.token) this.fail(`${this.token.text} is not understood here. ${UNDERSTOOD}`);
    return statements;
  }

  statement() {
    const { line } = this;
    const word = this.token.text;
    if (SHOWING.includes(word) && this.tokens[this.position + 1]?.text === "(") return this.showing();
    if (OTHER_STATEMENTS.includes(word)) {
      this.fail(`${word} is not needed here. ${UNDERSTOOD}`);
    }
    const target = this.expression();
    for (const sign of ["=", "+=", "-=", "*=", "/="]) {
      if (!this.skip(sign)) continue;
      if (target.kind !== "name" && target.kind !== "index") {
        this.fail("the left side of = must be a name, or a name with an index");
      }
      const value = this.expression();
      if (this.isAt("=")) this.fail("only one = per line");
      return { kind: "assign", line, target, sign: sign[0], value };
    }
    return { kind: "evaluate", line, value: target };
  }

  /** Passes over a call, whatever its arguments are. */
  showing() {
    let open = 0;
    this.position += 1;
    do {
      if (this.isAt("(") || this.isAt("[")) open += 1;
      if (this.isAt(")") || this.isAt("]")) open -= 1;
      this.position += 1;
    } while (open > 0 && this.token);
    return { kind: "show", line: this.line };
  }

  expression() {
    let left = this.term();
    while (this.isAt("+") || this.isAt("-")) left = this.binary(this.next(), left, this.term());
    return left;
  }

  next() {
    this.position += 1;
    return this.tokens[this.position - 1].text;
  }

  term() {
    let left = this.unary();
    while (["*", "/", "@"].some((sign) => this.isAt(sign))) left = this.binary(this.next(), left, this.unary());
    return left;
  }

  unary() {
    return this.nested(() => {
      if (this.skip("-")) return { kind: "negate", value: this.unary(), line: this.line };
      if (this.skip("+")) return this.unary();
      const base = this.postfix();
      return this.skip("**") ? this.binary("**", base, this.unary()) : base;
    });
  }

  binary(sign, left, right) { return { kind: "binary", sign, left, right, line: this.line }; }

  postfix() {
    let value = this.atom();
    for (;;) {
      if (this.skip(".")) value = { kind: "member", value, name: this.name(), line: this.line };
      else if (this.skip("(")) value = { kind: "call", value, ...this.callArguments(), line: this.line };
      else if (this.skip("[")) value = { kind: "index", value, indices: this.indices(), line: this.line };
      else return value;
    }
  }

  callArguments() {
    const positional = [];
    const named = Object.create(null);
    while (!this.skip(")")) {
      if (this.token?.kind === "name" && this.tokens[this.position + 1]?.text === "=") {
        const name = this.name();
        this.require("=");
        named[name] = this.expression();
      } else {
        positional.push(this.expression());
      }
      if (!this.isAt(")")) this.require(",");
    }
    return { positional, named };
  }

  indices() {
    const indices = [];
    const refuseSlice = () => {
      if (this.isAt(":")) this.fail("slices are not understood here; index by numbers, ranges and tensors of ids");
    };
    while (!this.skip("]")) {
      refuseSlice();
      indices.push(this.expression());
      refuseSlice();
      if (!this.isAt("]")) this.require(",");
    }
    if (indices.length === 0) this.fail("an index is missing between [ and ]");
    return indices;
  }

  atom() {
    const { token, line } = this;
    if (!token) this.fail("the line ends too early");
    if (token.kind === "number") {
      this.position += 1;
      return { kind: "number", value: Number(token.text), line };
    }
    if (token.kind === "name") {
      this.position += 1;
      if (token.text === "True" || token.text === "False") {
        return { kind: "number", value: token.text === "True", line };
      }
      return { kind: "name", name: token.text, line };
    }
    if (this.skip("(")) {
      const items = [];
      let isTuple = false;
      while (!this.skip(")")) {
        items.push(this.expression());
        if (this.skip(",")) isTuple = true;
        else if (!this.isAt(")")) this.require(")");
      }
      return isTuple || items.length === 0 ? { kind: "tuple", items, line } : items[0];
    }
    return this.fail(`expected a value, found ${token.text}`);
  }
}

// MARK: Running

/** Runs statements in a scope of names. */
class NotebookRunner {
  /** `fallback` gives a value for a name that the scope lacks; `given` are names that cannot be assigned to. */
  constructor(scope, given, fallback = () => undefined) {
    Object.assign(this, { scope, given, fallback });
  }

  run(statements) { for (const statement of statements) this.execute(statement); }

  execute(statement) {
    try {
      spend(1);
      this.perform(statement);
    } catch (caught) {
      const error = NotebookError.from(caught);
      error.line ??= statement.line;
      throw error;
    }
  }

  perform(statement) {
    if (statement.kind === "for") {
      for (const name of statement.variables) this.refuseGiven({ kind: "name", name });
      for (const element of elementsOf(this.value(statement.over))) {
        this.unpack(statement.variables, element);
        this.run(statement.body);
      }
    } else if (statement.kind === "evaluate") {
      this.value(statement.value);
    } else if (statement.kind === "assign") {
      this.assign(statement);
    }
  }

  /** Gives a loop's variables their values. */
  unpack(variables, element) {
    const isOne = variables.length === 1;
    if (!isOne && (!Array.isArray(element) || element.length !== variables.length)) {
      wrong(`${variables.join(", ")} are ${variables.length} names for ${kindOf(element)}`);
    }
    variables.forEach((name, i) => this.setName(name, isOne ? element : element[i]));
  }

  setName(name, value) {
    if (typeof value !== "number" && !(value instanceof NotebookTensor)) {
      wrong(`${name} would be ${kindOf(value)}`);
    }
    this.scope.set(name, value);
  }

  assign({ target, sign, value }) {
    const result = this.value(value);
    if (target.kind === "index") {
      const tensor = this.value(target.value);
      const indices = target.indices.map((index) => this.value(index));
      this.refuseGiven(target.value);
      const changed = sign === "=" ? result : arithmetic(sign, indexed(tensor, indices), result);
      assignIndexed(tensor, indices, changed);
      return;
    }
    this.refuseGiven(target);
    if (sign === "=") {
      this.setName(target.name, result);
      return;
    }
    const old = this.value(target);
    const changed = arithmetic(sign, old, result);
    if (!(old instanceof NotebookTensor)) {
      this.scope.set(target.name, changed);
      return;
    }
    if (!sameShape(changed.shape, old.shape)) {
      wrong(`${shapeText(old.shape)} ${sign}= ${shapeText(asTensor(result).shape)}: `
        + `the result ${shapeText(changed.shape)} does not fit into it`);
    }
    old.data.set(changed.data);
  }

  refuseGiven(target) {
    if (target.kind === "name" && this.given.has(target.name)) {
      wrong(`${target.name} is given and cannot be changed`);
    }
  }

  named(name) {
    if (this.scope.has(name)) return this.scope.get(name);
    const value = this.fallback(name);
    if (value !== undefined) return value;
    if (name === "range") return { call: (given) => rangeOf("range", given), name };
    if (name === "enumerate") {
      return { call: (given) => new NotebookEnumeration(bound(given, ["iterable"], 1).iterable), name };
    }
    if (name === "len") {
      return { call: ({ positional: [value0] }) => needsTensor("len", value0).shape[0], name };
    }
    if (name === "torch" || name === "F") return { module: name };
    const near = nearestName(name, [...this.scope.keys(), ...COMPUTED]);
    return wrong(`${name} is not defined${TENSORS.has(name) ? " yet" : near ? `; ${near}?` : ""}`);
  }

  value(node) {
    spend(1);
    switch (node.kind) {
      case "number": return node.value;
      case "name": return this.named(node.name);
      case "tuple": return node.items.map((item) => this.value(item));
      case "negate": return arithmetic("*", -1, this.value(node.value));
      case "binary": {
        const [left, right] = [this.value(node.left), this.value(node.right)];
        return node.sign === "@" ? matrixProduct(left, right) : arithmetic(node.sign, left, right);
      }
      case "index": return indexed(this.value(node.value), node.indices.map((index) => this.value(index)));
      case "member": return this.member(this.value(node.value), node.name);
      default: {
        const called = this.value(node.value);
        if (!called?.call) wrong(`${kindOf(called)} cannot be called`);
        const named = Object.create(null);
        for (const [name, value] of Object.entries(node.named)) named[name] = this.value(value);
        return called.call({ positional: node.positional.map((value) => this.value(value)), named });
      }
    }
  }

  member(value, name) {
    if (value?.module) {
      const functions = FUNCTIONS[value.module];
      if (value.module === "torch" && name === "nn") return { module: "torch.nn" };
      if (value.module === "torch.nn" && name === "functional") return { module: "F" };
      if (functions && Object.hasOwn(functions, name)) return { call: functions[name], name };
      return wrong(`${value.module}.${name} is not understood here. ${UNDERSTOOD}`);
    }
    if (value?.values && (name === "values" || name === "indices")) return value[name];
    if (value instanceof NotebookTensor) {
      if (name === "shape") return value.shape;
      if (name === "T") return transposedTensor(value);
      if (Object.hasOwn(METHODS, name)) {
        return { call: (given) => METHODS[name](value, given), name: "." + name };
      }
      if (name === "grad" || name === "backward") {
        return wrong(`.${name}: there is no autograd here; the gradient is yours to write`);
      }
    }
    return wrong(`${kindOf(value)} has no .${name} here. ${UNDERSTOOD}`);
  }
}

function transposedTensor(tensor) {
  if (tensor.shape.length < 2) return tensor;
  if (tensor.shape.length > 2) wrong(`only matrices are transposed here, found ${shapeText(tensor.shape)}`);
  const [rows, columns] = tensor.shape;
  return new NotebookTensor([columns, rows], new Matrix(rows, columns, tensor.data).transposed().elements);
}

function nearestName(name, names) {
  let best = null;
  const most = Math.max(1, Math.min(2, Math.floor(name.length / 4)));
  for (const other of names) {
    if (Math.abs(other.length - name.length) > most) continue;
    const distance = editDistance(other.toLowerCase(), name.toLowerCase());
    if (other !== name && distance <= Math.min(most, (best?.distance ?? Infinity) - 1)) best = { other, distance };
  }
  return name.length > 1 ? best?.other : undefined;
}
