// One line of the derivation on a file's own numbers, and how far they may be from it. This is
// LineEvaluation.swift: an element's bound is factor · (terms + 1) · (ulp · Σ|terms| + least normal number).

/** A tensor of the file as a line reads it; a line's result can take its place. */
const lineInput = (value) => ({ value, size: value.magnitude(), terms: 0 });

const isComputedInput = (input) => input !== undefined && input.terms > 0;

/** A multiple of what a line makes or reads. */
const scaled = ({ value, size, terms }, factor) =>
  ({ value: value.times(factor), size: size.times(Math.max(1, Math.abs(factor))), terms });

function boundOf(line, precision) {
  const factor = TABLE.factor * (line.terms + 1);
  const [ulp, least] = [factor * precision.ulp, factor * precision.least];
  return line.size.map((size) => ulp * size + least);
}

/**
 * Whether every element is within its bound: "holds", "differs", or "incomparable" where the line is infinite or
 * not a number. Written so that a NaN is never within a bound.
 */
function compareWithLine(found, line, precision, limit = Infinity) {
  const factor = TABLE.factor * (line.terms + 1);
  const [ulp, least] = [factor * precision.ulp, factor * precision.least];
  let isComparable = true;
  for (let i = 0; i < found.count; i += 1) {
    const element = found.elements[i];
    const expected = line.value.elements[i];
    if (element === expected) continue;
    const bound = ulp * line.size.elements[i] + least;
    if (!(Number.isFinite(bound) && Math.abs(expected) <= precision.greatest)) {
      isComparable = false;
    } else if (!(Math.abs(element - expected) <= Math.min(bound, limit))) {
      return "differs";
    }
  }
  return isComparable ? "holds" : "incomparable";
}

/** The forms in which a line may be written, its own first, and the tensors that each reads. */
function formsOf(name) {
  const oneGo = (...inputs) => ({ kind: "oneGo", factor: 1, inputs });
  const others = {
    logprobs: [oneGo("logits")],
    loss: [oneGo("logits")],
    dlogits: [oneGo("logits"), { kind: "fromProbabilities", inputs: ["probs"] }],
    dhprebn: [oneGo("dhpreact", "bnvar_inv", "bnraw", "bngain")],
    dbnvar: [{ kind: "fromResult", inputs: ["bnvar_inv", "dbnvar_inv"] }],
  };
  return [{ kind: "step", inputs: TENSORS.get(name).inputs }, ...others[name] ?? []];
}

class LineEvaluator {
  constructor({ problem, precision, sizes }) {
    this.problem = problem;
    this.precision = precision;
    this.sizes = sizes;
    this.magnitudes = { Xb: problem.Xb, Yb: problem.Yb };
    for (const name of PARAMETERS) this.magnitudes[name] = problem[name].magnitude();
    this.occurrences = mostOccurrences(problem.Xb);
  }

  /** A line on the given inputs, a Map; what is not given is the problem's. */
  evaluate(name, inputs, form = { kind: "step" }) {
    if (form.kind === "scaled") return scaled(this.evaluate(name, inputs), form.factor);
    if (form.kind === "scaledInput") {
      return this.evaluate(name, new Map([...inputs, [form.input, scaled(inputs.get(form.input), form.factor)]]));
    }
    const values = new Pass(this.problem);
    const magnitudes = new Pass(this.magnitudes);
    let terms = this.sizes.terms(name, this.occurrences);
    for (const [input, given] of inputs) {
      const isDivisor = TENSORS.get(name).divisor === input;
      values[input] = given.value;
      magnitudes[input] = isDivisor ? given.value.magnitude() : given.size;
      terms += given.terms;
    }
    const line = new Line(name, inputs, values, magnitudes, this.precision);
    const n = this.sizes.n;
    switch (form.kind) {
      case "step": return { value: values[name], size: line.size(), terms };
      case "fromResult": {
        const cube = (p) => p.bnvar_inv.pow(3).times(p.dbnvar_inv);
        return { value: cube(values).times(-0.5), size: cube(magnitudes).times(0.5), terms };
      }
      case "fromProbabilities": {
        const targets = Matrix.oneHot(values.Yb, values.W2.columns);
        return { value: values.probs.minus(targets).over(n), size: magnitudes.probs.plus(targets).over(n), terms };
      }
      default:
        return { ...line.inOneGo(n, form.factor), terms: terms + (name === "dhprebn" ? n : this.sizes.vocabulary) };
    }
  }
}

/** How often the most frequent id occurs. */
function mostOccurrences(ids) {
  const counts = new Map();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

/** A line whose inputs are set, in a pass of values and in one of their sizes. */
class Line {
  constructor(name, inputs, values, sizes, precision) {
    Object.assign(this, { name, inputs, values, sizes, precision });
  }

  /** Σ|terms| of the step; ∞ where a number on the way to it is too large or too small for the precision. */
  size() {
    const { values: v, sizes: s } = this;
    switch (this.name) {
      case "bndiff": return s.hprebn.plus(s.bnmeani);
      case "norm_logits": return s.logits.plus(s.logit_maxes);
      case "dlogits": return s.dnorm_logits.plus(v.logits.maximaOfRows().times(s.dlogit_maxes));
      case "dhpreact": return s.h.pow(2).plus(1).times(s.dh);
      // The error from an argument that was computed here is the function's slope times the argument's error.
      case "h": return v.h.magnitude().plus(this.loss("hpreact", v.h.pow(2).from(1)));
      case "counts": return v.counts.plus(this.loss("norm_logits", v.counts));
      case "logprobs": return v.logprobs.magnitude().plus(this.loss("probs", v.probs.pow(-1)));
      case "dprobs": {
        const { greatest } = this.precision;
        const overflow = v.probs.pow(-1).map((x) => (Math.abs(x) <= greatest ? 0 : Infinity));
        return this.quotient(s.dprobs.magnitude()).plus(overflow);
      }
      case "dbnvar": {
        // A power below the least normal number has lost digits, and a large factor magnifies the loss.
        const most = 1 / this.precision.least;
        const underflow = v.bnvar.plus(1e-5).pow(1.5).times(2).map((x) => (x <= most ? 0 : Infinity));
        return this.quotient(s.dbnvar.magnitude()).plus(underflow);
      }
      case "logit_maxes":
        return isComputedInput(this.inputs.get("logits")) ? s.logits.maximumOfColumns() : v.logit_maxes.magnitude();
      default: return this.quotient(s[this.name].magnitude());
    }
  }

  /** The size of a line that may divide by something that was computed here. */
  quotient(size) {
    const input = this.inputs.get(TENSORS.get(this.name).divisor);
    if (!isComputedInput(input)) return size;
    return size.times(input.size.times(input.value.magnitude().pow(-1)));
  }

  loss(name, slope) {
    const input = this.inputs.get(name);
    return isComputedInput(input) ? slope.magnitude().times(input.size) : slope.times(0);
  }

  /** Cross-entropy or batch norm as one expression, and its Σ|terms|. */
  inOneGo(n, varianceFactor) {
    const { values: v, sizes: s } = this;
    if (this.name === "dhprebn") {
      const form = (d, sign) => {
        const variance = d.bnraw.times(varianceFactor * n / (n - 1)).times(d.dhpreact.times(d.bnraw).sumOfRows());
        return d.bngain.times(d.bnvar_inv).times(1 / n)
          .times(d.dhpreact.times(n).plus(d.dhpreact.sumOfRows().times(sign)).plus(variance.times(sign)));
      };
      return { value: form(v, -1), size: form(s, 1) };
    }
    // A probability's relative error is the error of exp's argument, which is in proportion to the argument.
    const maxes = v.logits.maximumOfColumns();
    const exponents = v.logits.minus(maxes);
    const logs = exponents.exp().sumOfColumns().log();
    const lost = s.logits.plus(maxes.magnitude());
    if (this.name === "dlogits") {
      const targets = Matrix.oneHot(v.Yb, v.W2.columns);
      return { value: v.dlogitsInOneGo, size: softmax(v.logits).times(lost.plus(1)).plus(targets).over(n) };
    }
    const logprobs = exponents.minus(logs);
    const size = lost.plus(logs.magnitude());
    if (this.name === "logprobs") return { value: logprobs, size };
    return {
      value: logprobs.picking(v.Yb).times(-1 / n).sumOfRows(), size: size.picking(v.Yb).times(1 / n).sumOfRows(),
    };
  }
}

// MARK: How far correct programs differ on a problem (Comparison.swift)

/** The part of Python's `random` that is needed here. */
class PythonRandom {
  constructor(seed) {
    const state = new Uint32Array(624);
    state[0] = 19650218;
    for (let i = 1; i < 624; i += 1) {
      const x = state[i - 1] ^ (state[i - 1] >>> 30);
      state[i] = Math.imul(1812433253, x) + i;
    }
    let i = 1;
    const step = (multiplier) => Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), multiplier);
    const next = () => {
      i += 1;
      if (i >= 624) { state[0] = state[623]; i = 1; }
    };
    for (let k = 0; k < 624; k += 1) { state[i] = (state[i] ^ step(1664525)) + seed; next(); }
    for (let k = 0; k < 623; k += 1) { state[i] = (state[i] ^ step(1566083941)) - i; next(); }
    state[0] = 0x80000000;
    this.state = state;
    this.index = 624;
  }

  next() {
    const { state } = this;
    if (this.index === 624) {
      for (let i = 0; i < 624; i += 1) {
        const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
        state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.index = 0;
    }
    let y = state[this.index];
    this.index += 1;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  randbelow(bound) {
    const width = 32 - Math.clz32(bound);
    for (;;) {
      const candidate = this.next() >>> (32 - width);
      if (candidate < bound) return candidate;
    }
  }
}

/** Moves numbers by at most a last place, at random. */
function nudged(random, matrix) {
  const ulp = matrix.Type === Float32Array ? 2 ** -23 : 2 ** -52;
  const round = matrix.Type === Float32Array ? Math.fround : (x) => x;
  return matrix.map((element) => element + round((random.randbelow(3) - 1) * ulp * element));
}

/** Eight passes with moved numbers, in two forms: each in the precision beside itself in Double. */
function nudgedPasses(problem, precision) {
  const pairs = [];
  for (let number = 0; number < 8; number += 1) {
    const random = new PythonRandom(number);
    const given = { ...problem };
    for (const name of PARAMETERS) {
      given[name] = problem[name].converted(Float32Array);
      if (number > 0) given[name] = nudged(random, given[name]);
    }
    const looked = new Pass(given, Float32Array).emb;
    const emb = number > 0 ? nudged(random, looked) : looked;
    const pass = (Type, isInOneGo) => {
      const result = new Pass(given, Type);
      result.emb = emb.converted(Type);
      if (isInOneGo) {
        result.dlogits = result.dlogitsInOneGo;
        result.dhprebn = result.dhprebnInOneGo;
      }
      return result;
    };
    const steps = new PythonRandom(number);
    for (const isInOneGo of [false, true]) {
      const expected = pass(Float64Array, isInOneGo);
      if (precision.Type === Float32Array) {
        pairs.push([pass(Float32Array, isInOneGo), expected]);
        continue;
      }
      const moved = pass(Float64Array, false);
      for (const name of COMPUTED) {
        if (isInOneGo && name === "dlogits") moved.dlogits = moved.dlogitsInOneGo;
        if (isInOneGo && name === "dhprebn") moved.dhprebn = moved.dhprebnInOneGo;
        // A look-up and its other shape are exact.
        if (name !== "emb" && name !== "embcat") moved[name] = nudged(steps, moved[name]);
      }
      pairs.push([moved, expected]);
    }
  }
  return pairs;
}

/** The distance of neighbouring numbers at x. */
function lastPlace(x, precision) {
  const size = Math.abs(precision.Type === Float32Array ? Math.fround(x) : x);
  if (!Number.isFinite(size)) return NaN;
  const smallest = precision.Type === Float32Array ? 2 ** -149 : 2 ** -1074;
  if (size < precision.least) return smallest;
  let power = Math.floor(Math.log2(size));
  if (2 ** power > size) power -= 1;
  if (2 ** (power + 1) <= size) power += 1;
  return Math.max(2 ** power * precision.ulp, smallest);
}

/** The bounds on the difference of two correct programs, measured when the first is asked for. */
class MeasuredBounds {
  constructor({ problem, precision, sizes }) {
    Object.assign(this, { problem, precision, sizes });
  }

  bound(name) {
    this.passes ??= nudgedPasses(this.problem, this.precision);
    this.steps ??= new Pass(this.problem);
    this.bounds ??= new Map();
    if (!this.bounds.has(name)) this.bounds.set(name, this.measure(name));
    return this.bounds.get(name);
  }

  measure(name) {
    const difference = Math.max(...this.passes.map(([found, expected]) =>
      largestDifference(found[name], expected[name])));
    const terms = this.steps[TENSORS.get(name).cancels ?? name];
    const magnitude = terms.elements.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
    return 16 * difference
      + this.sizes.terms(name, mostOccurrences(this.problem.Xb)) * lastPlace(magnitude, this.precision);
  }
}
