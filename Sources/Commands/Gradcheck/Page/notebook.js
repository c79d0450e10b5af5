// The little PyTorch in which lines are practised: what the exercise uses, forward and backward, and no more.
//
// Names, numbers, + − * / ** @, indexing by integers, ranges and tensors of ids, assignment and its kin, `for` over
// a range, and the functions in METHODS and FUNCTIONS. Shapes, broadcasting and shared memory behave as in PyTorch:
// `a = b` is the same tensor, `a += b` changes it, `.view` shares its memory. All else is refused by its name.

class NotebookError extends Error {
  constructor(message, line) {
    super(message);
    this.line = line;
  }
}

// MARK: Tensors

/** A tensor, row-major; views share `data`. Numbers are Doubles; a tensor of ids says so. */
class NotebookTensor {
  constructor(shape, data, isInteger = false) {
    this.shape = shape;
    this.data = data;
    this.isInteger = isInteger;
  }

  static filled(shape, value) { return new NotebookTensor(shape, new Float64Array(product(shape)).fill(value)); }

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
  const count = product(shape);
  if (sameShape(tensor.shape, shape)) return tensor.data;
  const result = new Float64Array(count);
  const skip = shape.length - tensor.shape.length;
  for (let i = 0; i < count; i += 1) {
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
const asTensor = (value) => (value instanceof NotebookTensor ? value : scalarTensor(value));

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
  const result = new Matrix(rows, inner, a.data).matmul(new Matrix(inner, columns, b.data));
  return new NotebookTensor([rows, columns], result.elements);
}

function kindOf(value) {
  if (value instanceof NotebookTensor) return `a tensor ${shapeText(value.shape)}`;
  if (typeof value === "number") return "a number";
  if (typeof value === "boolean") return "a truth value";
  if (Array.isArray(value)) return "a tuple";
  if (value instanceof NotebookRange) return "a range";
  if (value?.call) return `the function ${value.name}`;
  return value?.values ? "what max returned (it has .values and .indices)" : "nothing";
}

class NotebookRange {
  constructor(start, end) { Object.assign(this, { start, end }); }

  get tensor() { return new NotebookTensor([this.ids.length], Float64Array.from(this.ids), true); }

  get ids() { return Array.from({ length: Math.max(0, this.end - this.start) }, (_, i) => this.start + i); }
}

/** The sum, or the largest elements and where they are, along a dimension. */
function reduceAlong(tensor, dimension, keeps, reduce) {
  const rank = tensor.shape.length;
  const along = dimension < 0 ? dimension + rank : dimension;
  if (!Number.isInteger(along) || along < 0 || along >= rank) {
    wrong(`${shapeText(tensor.shape)} has no dimension ${dimension}`);
  }
  const [outer, inner] = [product(tensor.shape.slice(0, along)), product(tensor.shape.slice(along + 1))];
  const size = tensor.shape[along];
  const shape = keeps ? tensor.shape.map((other, i) => (i === along ? 1 : other))
    : tensor.shape.filter((_, i) => i !== along);
  const data = new Float64Array(outer * inner);
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
  return new NotebookTensor(shape, tensor.data, tensor.isInteger);
}

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
  const starts = new Float64Array(product(shape));
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
      wrong(`${shapeText(value)} has no element ${indices.map(String).join(", ")}`);
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
  const data = new Float64Array(starts.length * width);
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
  return dim === undefined ? scalarTensor(reduce([...tensor.data])) : reduceAlong(tensor, dim, keepdim, reduce);
};

const METHODS = {
  exp: elementwise(Math.exp),
  log: elementwise(Math.log),
  tanh: elementwise(Math.tanh),
  sqrt: elementwise(Math.sqrt),
  clone: (tensor, given) => { bound(given, []); return tensor.clone(); },
  sum: reduction(total),
  mean: reduction((elements) => total(elements) / elements.length),
  max(tensor, given) {
    const { dim, keepdim = false } = bound(given, ["dim", "keepdim"]);
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

const FUNCTIONS = {
  torch: {
    exp: byMethod("exp"), log: byMethod("log"), tanh: byMethod("tanh"), sqrt: byMethod("sqrt"),
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

const UNDERSTOOD = "This page understands + − * / ** @, .T, .sum, .mean, .max, .exp, .log, .tanh, .sqrt, .view, "
  + ".clone, .shape, .index_add_, .index_put_, torch.zeros_like, torch.ones_like, torch.tanh, F.one_hot, "
  + "F.softmax, indexing, and for … in range.";

// MARK: Reading

/** White space and comments; a number; a name; a sign; anything else. */
const TOKEN = new RegExp([
  String.raw`\s+|#.*`, String.raw`(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)`,
  String.raw`([\p{L}_][\p{L}\p{N}_]*)`,
  String.raw`(\*\*=|\*\*|\+=|-=|\*=|\/=|\/\/|==|!=|<=|>=|[\-+*\/@=()\[\],.:;<>])`,
  "(.)",
].join("|"), "gu");

/** The tokens of one logical line. */
function tokenize(text, line) {
  const tokens = [];
  for (const [, number, name, sign, other] of text.matchAll(TOKEN)) {
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (name !== undefined) tokens.push({ kind: "name", text: name });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign });
    else if (other !== undefined) {
      throw new NotebookError(`${other} is not understood here. ${UNDERSTOOD}`, line);
    }
  }
  return tokens;
}

/** The source as logical lines with their indentation; a line goes on while a bracket is open. */
function logicalLines(source) {
  const lines = [];
  let [open, pending] = [0, null];
  source.split("\n").forEach((text, i) => {
    const tokens = tokenize(text, i + 1);
    const indent = text.match(/^[ \t]*/)[0].replaceAll("\t", "        ").length;
    if (pending) pending.tokens.push(...tokens);
    else if (tokens.length) pending = { tokens, indent, line: i + 1 };
    for (const { text: sign } of tokens) open += ("([".includes(sign) ? 1 : 0) - (")]".includes(sign) ? 1 : 0);
    if (open < 0) throw new NotebookError("a bracket closes that was never opened", i + 1);
    if (open === 0 && pending) {
      lines.push(pending);
      pending = null;
    }
  });
  if (pending) throw new NotebookError("a bracket is not closed", pending.line);
  return lines;
}

const OTHER_STATEMENTS = [
  "import", "from", "def", "if", "while", "with", "class", "return", "del", "assert", "lambda", "print",
];

/** Reads statements; each has a line for messages. */
class NotebookParser {
  constructor(source) {
    this.lines = logicalLines(source);
    this.index = 0;
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

  fail(message) { throw new NotebookError(message, this.line); }

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
    const variable = this.name();
    this.require("in");
    const range = this.expression();
    this.require(":");
    if (this.token) return { kind: "for", line, variable, range, body: this.simpleStatements() };
    const next = this.lines[this.index];
    if (!next || next.indent <= indent) this.fail("expected an indented line after for … :");
    return { kind: "for", line, variable, range, body: this.block(next.indent) };
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
    if (this.skip("-")) return { kind: "negate", value: this.unary(), line: this.line };
    if (this.skip("+")) return this.unary();
    const base = this.postfix();
    return this.skip("**") ? this.binary("**", base, this.unary()) : base;
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
    const named = {};
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

const STEP_LIMIT = 20_000;

/** Runs statements in a scope of names. */
class NotebookRunner {
  /** `fallback` gives a value for a name that the scope lacks; `given` are names that cannot be assigned to. */
  constructor(scope, given, fallback = () => undefined) {
    Object.assign(this, { scope, given, fallback, steps: 0 });
  }

  run(statements) { for (const statement of statements) this.execute(statement); }

  execute(statement) {
    this.steps += 1;
    if (this.steps > STEP_LIMIT) throw new NotebookError("this takes too many steps", statement.line);
    try {
      this.perform(statement);
    } catch (error) {
      if (error instanceof NotebookError) error.line ??= statement.line;
      throw error;
    }
  }

  perform(statement) {
    if (statement.kind === "for") {
      const range = this.value(statement.range);
      if (!(range instanceof NotebookRange)) wrong(`for goes over a range here, found ${kindOf(range)}`);
      for (const id of range.ids) {
        this.scope.set(statement.variable, id);
        this.run(statement.body);
      }
    } else if (statement.kind === "evaluate") {
      this.value(statement.value);
    } else {
      this.assign(statement);
    }
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
      if (typeof result !== "number" && !(result instanceof NotebookTensor)) {
        wrong(`${target.name} would be ${kindOf(result)}`);
      }
      this.scope.set(target.name, result);
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
    if (name === "range") return { call: (given) => this.range(given), name };
    if (name === "len") {
      return { call: ({ positional: [value0] }) => needsTensor("len", value0).shape[0], name };
    }
    if (name === "torch" || name === "F") return { module: name };
    const near = nearestName(name, [...this.scope.keys(), ...COMPUTED]);
    return wrong(`${name} is not defined${TENSORS.has(name) ? " yet" : near ? `; ${near}?` : ""}`);
  }

  range({ positional }) {
    if (positional.length < 1 || positional.length > 2 || positional.some((x) => !Number.isInteger(x))) {
      wrong("range needs one or two whole numbers");
    }
    return positional.length === 1 ? new NotebookRange(0, positional[0]) : new NotebookRange(...positional);
  }

  value(node) {
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
        const named = {};
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
  if (tensor.shape.length > 2) wrong(`.T is for matrices, found ${shapeText(tensor.shape)}`);
  const [rows, columns] = tensor.shape;
  return new NotebookTensor([columns, rows], new Matrix(rows, columns, tensor.data).transposed().elements);
}

function nearestName(name, names) {
  let best = null;
  for (const other of names) {
    const distance = editDistance(other.toLowerCase(), name.toLowerCase());
    const most = Math.max(1, Math.min(2, Math.floor(name.length / 4)));
    if (other !== name && distance <= Math.min(most, (best?.distance ?? Infinity) - 1)) best = { other, distance };
  }
  return name.length > 1 ? best?.other : undefined;
}
