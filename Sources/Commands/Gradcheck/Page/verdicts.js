// Which line of somebody's pass is wrong, and which only follow: LineVerdict.swift and LineHints.swift.
// Each line is evaluated on their own numbers, forward first; all words are the table's.

const isFault = (verdict) => verdict !== undefined && (verdict.kind === "here" || verdict.kind === "shape");

/** Goes through the lines in order and keeps what the next ones need. */
class PassJudge {
  constructor(reference, stale, measured) {
    this.reference = reference;
    this.precision = reference.precision;
    this.stale = new Set(stale);
    this.measured = measured;
    this.evaluator = new LineEvaluator(reference);
    this.verdicts = new Map();
    this.factors = new Map();
    // Theirs, and, where that is wrong by its line, what the line makes.
    this.versions = new Map(PARAMETERS.map((name) =>
      [name, [{ input: lineInput(reference.problem[name]), faults: new Set() }]]));
  }

  judgeAll() {
    for (const name of COMPUTED) this.judge(name);
    return this;
  }

  /** The file's tensor, unless it belongs to another minibatch. */
  found(name) { return this.stale.has(name) ? undefined : this.reference.tensors.get(name); }

  /** A line in every form, on every version of its inputs; the plain one on their own inputs is first. */
  candidates(name) {
    return this.forms(name).flatMap((form) => this.choices(inputsOf(name, form)).map((choice) => {
      const versions = [...choice.values()];
      const inputs = new Map([...choice].map(([input, version]) => [input, version.input]));
      return {
        form, line: this.evaluator.evaluate(name, form, inputs),
        faults: new Set(versions.flatMap((version) => [...version.faults])),
        isChained: versions.some((version) => isComputedInput(version.input)),
      };
    }));
  }

  /** The forms of a line, with those that belong to their forward pass. */
  forms(name) {
    const forms = formsOf(name);
    const factor = this.factors.get({ dlogprobs: "loss", dbndiff2: "bnvar", dhprebn: "bnmeani" }[name]);
    if (factor !== undefined) forms.push({ kind: "scaled", factor });
    if (name === "dhprebn" && this.factors.get("bnvar") !== undefined) {
      forms.push({ kind: "oneGo", factor: this.factors.get("bnvar") });
    }
    return forms;
  }

  /** Every choice of one version for each input. */
  choices(inputs) {
    return inputs.reduce((choices, input) => this.versions.get(input).flatMap((version) =>
      choices.map((choice) => new Map([...choice, [input, version]]))), [new Map()]);
  }

  /** Behind many missing lines, what was measured of right programs is a better bound than the worst case. */
  measuredLimit(name, candidate) {
    const isForwardRight = FORWARD.every((forward) =>
      !["here", "shape", "follows"].includes(this.verdicts.get(forward)?.kind));
    if (!candidate.isChained || candidate.faults.size > 0 || !isForwardRight) return Infinity;
    const limit = 2 * this.measured.bound(name);
    return Number.isFinite(limit) ? limit : Infinity;
  }

  judge(name) {
    const { reference } = this;
    const candidates = this.candidates(name);
    const plain = candidates[0];
    const made = { input: plain.line, faults: plain.faults };
    this.versions.set(name, [made]);
    const say = (kind, { from = [], hint = null } = {}) =>
      this.verdicts.set(name, { name, kind, from: COMPUTED.filter((other) => new Set(from).has(other)), hint });
    if (reference.stale.has(name) || (this.stale.has(name) && reference.tensors.has(name))) {
      return say("not comparable", { hint: TABLE.hints.stale });
    }
    const misshapen = reference.misshapen.get(name);
    if (misshapen) return say("shape", { hint: shapeHint(name, misshapen, reference.sizes) });
    const found = reference.tensors.get(name);
    if (!found) return say("missing");
    for (const candidate of candidates) {
      const limit = this.measuredLimit(name, candidate);
      candidate.comparison = compareWithLine(found, candidate.line, this.precision, limit);
    }
    const holding = candidates.filter((candidate) => candidate.comparison === "holds");
    const best = holding.reduce((least, candidate) =>
      (least === undefined || candidate.faults.size < least.faults.size ? candidate : least), undefined);
    const set = (faults, ...others) =>
      this.versions.set(name, [{ input: lineInput(found), faults: new Set(faults) }, ...others]);
    if (best && !this.hidesFault(name, found)) {
      const isRight = best.faults.size === 0 || this.isOurs(name, found);
      set(isRight ? [] : best.faults);
      if (!isRight) return say("follows", { from: best.faults });
      return say("right", { hint: noteOn(name, found, reference) });
    }
    if (!best && candidates.some((candidate) => candidate.comparison === "incomparable")) {
      set(plain.faults);
      return say(plain.faults.size === 0 ? "not comparable" : "follows",
        { from: plain.faults, hint: TABLE.hints.noBound });
    }
    const unjudged = TENSORS.get(name).inputs.find((input) => reference.misshapen.has(input));
    if (!best && unjudged) {
      // It cannot be evaluated on an input of a wrong shape.
      set([unjudged]);
      return say("follows", { from: [unjudged] });
    }
    const hint = new LineHints(this, name, found, plain.line).text();
    set([name], made);
    this.factors.set(name, constantFactor(found, plain.line, this.precision));
    return say("here", { hint });
  }

  /** Whether a tensor is what our pass makes of the same parameters, or of their forward pass. */
  isOurs(name, found) {
    let ours;
    if (isGradient(name)) {
      if (!this.oursBackward) {
        this.oursBackward = new Pass(this.reference.problem);
        for (const forward of FORWARD) this.oursBackward[forward] = this.versions.get(forward)[0].input.value;
      }
      ours = this.oursBackward;
    } else {
      this.oursForward ??= new Pass(this.reference.problem);
      ours = this.oursForward;
    }
    const value = ours[name];
    const terms = ours[TENSORS.get(name).cancels ?? name];
    const largest = terms.elements.reduce((most, x) => (Math.abs(x) >= most ? Math.abs(x) : most), 0);
    const count = Math.floor(terms.count / Math.max(1, value.count));
    const size = Matrix.filled(value.rows, value.columns, largest * Math.max(1, count));
    const line = { value, size, terms: TENSORS.get(name).inputs.length };
    return compareWithLine(found, line, this.precision) === "holds";
  }

  // MARK: What the bounds alone would let pass

  /** Faults that are smaller than a bound and show all the same. */
  hidesFault(name, found) {
    const { cancels } = TENSORS.get(name);
    if (cancels) {
      if (isFault(this.verdicts.get(cancels))) return false;
      const correlation = this.correlation(name, found, cancels);
      return correlation !== undefined && correlation < -0.25;
    }
    if (name === "dnorm_logits") return this.sharesMemoryWithLogits(found);
    return name === "dlogits" && this.misusesMaxes(found);
  }

  /** How well a sum that is zero but for rounding is correlated with what their own terms leave. */
  correlation(name, found, cancelled) {
    const terms = this.found(cancelled);
    if (!terms || found.count < TABLE.elementsForSign) return undefined;
    const sums = name === "dlogit_maxes"
      ? exactRowSums(terms).map((sum) => -sum) : exactRowSums(terms.transposed());
    const sizes = this.evaluator.evaluate(name, { kind: "step" }, new Map([[cancelled, lineInput(terms)]])).size;
    let [product, squaresOfFound, squaresOfSums] = [0, 0, 0];
    sums.forEach((exact, i) => {
      const size = sizes.elements[i];
      if (!(size > 0)) return;
      const [a, b] = [found.elements[i] / size, exact / size];
      product += a * b;
      squaresOfFound += a * a;
      squaresOfSums += b * b;
    });
    const scale = Math.sqrt(squaresOfFound * squaresOfSums);
    return scale > 0 ? product / scale : 0;
  }

  /** Whether dlogits were made in the memory of dnorm_logits. */
  sharesMemoryWithLogits(found) {
    const maxes = this.found("dlogit_maxes");
    if (found.count < TABLE.elementsForBits || !this.found("dlogits")?.equals(found)
      || !maxes?.elements.some((x) => x !== 0)) return false;
    const correlation = this.correlation("dlogit_maxes", maxes, "dnorm_logits");
    return correlation !== undefined && correlation < 0.25;
  }

  /** Whether dlogit_maxes were forgotten, subtracted or added to all columns: the last bits show it. */
  misusesMaxes(found) {
    const [steps, maxes, logits] = ["dnorm_logits", "dlogit_maxes", "logits"].map((name) => this.found(name));
    if (isFault(this.verdicts.get("dnorm_logits")) || !steps || !maxes || !logits
      || found.count < TABLE.elementsForBits) return false;
    const part = logits.maximaOfRows().times(maxes);
    const is = (matrix) => found.equals(rounded(matrix, this.precision));
    return !is(steps.plus(part)) && (is(steps) || is(steps.minus(part)) || is(steps.plus(maxes)));
  }

  // MARK: Files whose parameters or minibatch are not those of the pass

  /** The verdicts in order, and what they have in common. */
  result() {
    const lines = COMPUTED.map((name) => this.verdicts.get(name));
    for (const cause of ["parameters", "minibatch"]) {
      if (!this.explains(cause, lines)) continue;
      const explained = lines.map((line) => {
        if (line.kind === "here") return { name: line.name, kind: "follows", from: [], hint: null };
        if (line.kind === "follows") return { name: line.name, kind: "right", from: [], hint: null };
        return line;
      });
      return { lines: explained, cause };
    }
    return { lines, cause: null };
  }

  /** Whether the lines that read what may be wrong fail all at once, and nothing else does. */
  explains(cause, lines) {
    const readers = new Set();
    for (const name of COMPUTED) {
      const { ids, inputs } = TENSORS.get(name);
      const readsItself = cause === "minibatch" ? ids !== null : inputs.some((input) => PARAMETERS.includes(input));
      // What is missing was made from the file's parameters, and so hands on what it reads.
      const readsMissing = inputs.some((input) => !this.found(input) && readers.has(input));
      if (readsItself || readsMissing) readers.add(name);
    }
    if (!lines.filter(isFault).every((line) => readers.has(line.name))) return false;
    const judged = lines.filter((line) => readers.has(line.name) && this.found(line.name));
    const forward = judged.filter((line) => !isGradient(line.name));
    const expected = cause === "parameters" && forward.length > 1 ? forward : judged;
    return expected.length > 1 && expected.every((line) => line.kind === "here");
  }
}

/** The sum of each row, its rounding made up for (Neumaier). */
function exactRowSums(matrix) {
  return Array.from({ length: matrix.rows }, (_, row) => {
    let [sum, lost] = [0, 0];
    for (let column = 0; column < matrix.columns; column += 1) {
      const element = matrix.at(row, column);
      const next = sum + element;
      lost += Math.abs(sum) >= Math.abs(element) ? (sum - next) + element : (element - next) + sum;
      sum = next;
    }
    return sum + lost;
  });
}

/** The verdicts on all lines of a reference, and what a whole file may be wrong in. */
function judgeReference(reference) {
  const measured = new MeasuredBounds(reference);
  const judging = (stale) => new PassJudge(reference, stale, measured).judgeAll().result();
  const blame = ({ lines, cause }) => lines.filter(isFault).length + (cause ? 1 : 0);
  let verdicts = judging([]);
  for (const others of reference.stale.size > 0 ? TABLE.stale : []) {
    const left = judging(others);
    if (blame(left) + 2 <= blame(verdicts)) verdicts = left;
  }
  return verdicts;
}

const isNothingJudged = ({ lines }) => lines.every((line) => ["missing", "not comparable"].includes(line.kind));
const hasPassed = ({ lines, cause }) =>
  cause === null && !lines.some((line) => isFault(line) || line.kind === "follows");

/** Why nothing in a file could be judged, and what to do. */
function nothingToJudge(reference) {
  const { words } = TABLE;
  const found = reference.ignored.slice(0, 5).join(", ") || words.noOthers;
  const near = reference.ignored.find((name) => nearestTensor(name));
  return [filled(words.nothing, { names: found }),
    near ? filled(words.mayBe, { name: near, tensor: nearestTensor(near) }) : ""];
}

// MARK: The kind of a mistake

/** Looks for the kind of mistake in a line that is wrong given its inputs. */
class LineHints {
  constructor(judge, name, found, line) {
    Object.assign(this, { judge, name, found, line });
    this.inputs = TENSORS.get(name).inputs;
    this.n = judge.reference.sizes.n;
    this.precision = judge.precision;
  }

  text() {
    const kinds = [
      "emptiness", "wrongSign", "lastWrite", "lostTerm", "ratio", "lostFactor", "forgottenEpsilon", "equalTensor",
      "scaledTerm", "transposed", "constantDifference", "usesOfMaxes", "otherPass", "missingInputs",
    ];
    for (const kind of kinds) {
      const hint = this[kind]();
      if (hint) return hint;
    }
    return null;
  }

  emptiness() {
    if (this.found.elements.some((x) => !Number.isFinite(x))) return TABLE.hints.notFinite;
    return this.found.elements.every((x) => x === 0) ? TABLE.hints.zero : null;
  }

  wrongSign() {
    return TENSORS.get(this.name).cancels && this.isFound(this.line) ? TABLE.hints.oppositeRounding : null;
  }

  lastWrite() {
    if (this.name !== "dC") return null;
    const demb = this.judge.versions.get("demb")?.[0]?.input.value;
    if (!demb) return null;
    const last = Matrix.zeros(this.found.rows, this.found.columns);
    this.judge.reference.problem.Xb.forEach((id, row) => {
      for (let j = 0; j < last.columns; j += 1) last.elements[id * last.columns + j] = demb.at(row, j);
    });
    return this.isFound({ value: last, size: last.magnitude(), terms: 1 }) ? TABLE.hints.lastWrite : null;
  }

  lostTerm() {
    const { owner } = TENSORS.get(this.name);
    for (const input of this.inputs) {
      const rest = this.variant(input, (matrix) => matrix.times(0));
      if (!rest.value.elements.some((x) => x !== 0) || !this.isFound(rest)) continue;
      return owner && readersOf(owner).length > 1 ? filled(TABLE.hints.oneTerm, { owner }) : TABLE.hints.lostTerm;
    }
    return null;
  }

  ratio() {
    const factor = constantFactor(this.found, this.line, this.precision);
    if (factor === undefined) return null;
    const bounds = boundOf(this.line, this.precision).elements;
    const isClear = bounds.some((bound, i) =>
      Math.abs(this.found.elements[i] - this.line.value.elements[i]) > 32 * bound);
    if (!isClear && ratioKind(factor, this.n) === "anyFactor") return null;
    return filled(TABLE.hints.ratio, { factor: factorText(factor), kind: ratioText(factor, this.n) });
  }

  lostFactor() {
    const isLost = this.inputs.some((input) =>
      this.isFound(this.variant(input, (matrix) => Matrix.filled(matrix.rows, matrix.columns, 1))));
    return isLost ? TABLE.hints.lostFactor : null;
  }

  forgottenEpsilon() {
    if (this.name !== "bnvar_inv" && this.name !== "dbnvar") return null;
    return this.isFound(this.variant("bnvar", (matrix) => matrix.plus(-1e-5))) ? TABLE.hints.noEpsilon : null;
  }

  equalTensor() {
    const others = COMPUTED.filter((name) => name !== this.name && !this.inputs.includes(name));
    const equal = [...others, ...this.inputs].find((name) =>
      this.judge.reference.tensors.get(name)?.hasEqualElements(this.found));
    return equal ? filled(TABLE.hints.equalTensor, { tensor: equal }) : null;
  }

  scaledTerm() {
    const { n } = this;
    for (const input of this.inputs) {
      for (const factor of [-1, 2, 0.5, n / (n - 1), (n - 1) / n, n, 1 / n]) {
        if (!this.isFound(this.variant(input, (matrix) => matrix.times(factor)))) continue;
        return filled(TABLE.hints.scaledTerm, { factor: factorText(factor), kind: ratioText(factor, n) });
      }
    }
    return null;
  }

  transposed() {
    const { found, line } = this;
    if (found.rows !== found.columns || found.rows < 2) return null;
    const transpose = { value: line.value.transposed(), size: line.size.transposed(), terms: line.terms };
    return this.isFound(transpose) ? TABLE.hints.transpose : null;
  }

  constantDifference() {
    const difference = this.found.minus(this.line.value);
    const bounds = boundOf(this.line, this.precision).elements;
    const tolerance = 4 * bounds.reduce((most, bound) => (most < bound ? bound : most), bounds[0] ?? 0);
    if (!difference.elements.some((x) => Math.abs(x) > 8 * tolerance)) return null;
    const isConstant = (matrix) => matrix.columns > 1 && matrix.elements.every((x, i) =>
      i % matrix.columns === 0 || Math.abs(x - matrix.elements[i - (i % matrix.columns)]) <= tolerance);
    if (isConstant(difference)) return TABLE.hints.constantInRows;
    return isConstant(difference.transposed()) ? TABLE.hints.constantInColumns : null;
  }

  usesOfMaxes() {
    return this.name === "dlogits" && this.judge.misusesMaxes(this.found) ? TABLE.hints.otherUseOfMaxes : null;
  }

  otherPass() {
    const { ids } = TENSORS.get(this.name);
    const given = [...this.inputs.filter((input) => PARAMETERS.includes(input)), ...(ids ? [ids] : [])];
    return given.length ? filled(TABLE.hints.otherPass, { names: given.join(", "), tensor: this.name }) : null;
  }

  missingInputs() {
    const missing = this.inputs.filter((input) => COMPUTED.includes(input) && !this.judge.found(input));
    if (missing.length === 0) return null;
    return filled(missing.length === 1 ? TABLE.hints.missingInput : TABLE.hints.missingInputs,
      { names: missing.join(", ") });
  }

  /** The line with one input changed. */
  variant(changed, change) {
    const inputs = new Map(this.inputs.map((input) => {
      const given = this.judge.versions.get(input)[0].input;
      return [input, input === changed ? lineInput(change(given.value)) : given];
    }));
    return this.judge.evaluator.evaluate(this.name, { kind: "step" }, inputs);
  }

  isFound(line) { return compareWithLine(this.found, line, this.precision) === "holds"; }
}

/** The number that a line is multiplied by in all elements. */
function constantFactor(found, line, precision) {
  let [products, squares] = [0, 0];
  line.value.elements.forEach((x, i) => {
    products += found.elements[i] * x;
    squares += x * x;
  });
  const factor = products / squares;
  if (!Number.isFinite(factor) || factor === 0 || !(Math.abs(factor - 1) > 1e-5)
    || !(line.value.count > 1 || squares > 0)) return undefined;
  const scaled = {
    value: line.value.times(factor), size: line.size.times(2 * Math.abs(factor)), terms: line.terms,
  };
  return compareWithLine(found, scaled, precision) === "holds" ? factor : undefined;
}

/** Five digits after the point, or six in all. */
function factorText(factor) {
  const size = Math.abs(factor);
  let scale = 1e5;
  if (!(size < 1e6 && size > 1e-3)) {
    while (size * scale < 1e5 && scale < 1e300) scale *= 10;
    while (size * scale >= 1e6 && scale > 1e-300) scale /= 10;
  }
  const value = Math.round(size * scale) / scale;
  const isWhole = Number.isInteger(value) && value < 1e6;
  return (factor < 0 ? "−" : "") + (isWhole ? String(value) : swiftNumber(value));
}

function ratioKind(factor, n) {
  const kinds = [
    [1, "sign"], [(n - 1) / n, "bessel"], [n / (n - 1), "bessel"], [n, "mean"], [1 / n, "mean"],
    [n - 1, "meanWithoutOne"], [1 / (n - 1), "meanWithoutOne"], [2, "square"], [0.5, "square"],
  ];
  const kind = kinds.find(([ratio]) =>
    Math.abs(Math.abs(factor) / ratio - 1) < 1e-4 && (ratio !== 1 || factor < 0));
  return kind ? kind[1] : "anyFactor";
}

function ratioText(factor, n) {
  const kind = ratioKind(factor, n);
  const text = TABLE.hints[kind];
  return factor < 0 && kind !== "sign" && kind !== "anyFactor" ? filled(TABLE.hints.signAnd, { kind: text }) : text;
}

/** Why a shape may be what it is. */
function shapeHint(name, found, sizes) {
  const { hints } = TABLE;
  const expected = sizes.shape(name);
  const shapes = { found: shapeText(found), expected: shapeText(expected) };
  const reversed = [...expected].reverse();
  const [one, other] = [expected.indexOf(1), found.indexOf(1)];
  const areMatrices = expected.length === 2 && found.length === 2;
  if (areMatrices && one >= 0 && other >= 0 && one !== other && !sameShape(found, reversed)) {
    return filled(hints.otherDimension, shapes);
  }
  if (sameShape(found, reversed)) return filled(hints.transposedShape, shapes);
  if (areMatrices && one >= 0 && found[1 - one] === expected[1 - one]) {
    return filled(found[0] === found[1] ? hints.keepdimOrSum : hints.notSummed, shapes);
  }
  if (found.length < expected.length || found.includes(1)) return filled(hints.keepdim, shapes);
  return filled(hints.otherShape, shapes);
}

/** What to note of a line that is right: a lost dimension, or what its numbers cannot show. */
function noteOn(name, found, reference) {
  const shape = reference.sizes.shape(name);
  const given = reference.shapes.get(name);
  if (given && shape.includes(1)) {
    return filled(TABLE.hints.lostDimension, { found: shapeText(given), expected: shapeText(shape) });
  }
  if (!TENSORS.get(name).cancels) return null;
  const isUnseen = found.elements.every((x) => x === 0) || found.count < TABLE.elementsForSign;
  return isUnseen ? TABLE.hints.unseenSign : null;
}

/** What to look at where the numbers show no kind of mistake; never the line itself. */
function question(name) {
  const { words } = TABLE;
  const { owner, inputs } = TENSORS.get(name);
  if (owner === null) return inputs.length ? filled(words.reads, { names: inputs.join(", ") }) : "";
  const lines = readersOf(owner).map((reader) => `${reader} = ${TENSORS.get(reader).line}`);
  return filled(lines.length === 1 ? words.forwardLine : words.forwardLines, { lines: lines.join("; ") });
}

/** The verdicts as `gradcheck --json` has them. */
function verdictsAsJSON({ lines, cause }) {
  return {
    cause,
    verdicts: lines.map((line) => ({
      name: line.name, verdict: line.kind,
      follows_from: line.kind === "follows" && cause ? [cause] : line.from, hint: line.hint,
    })),
  };
}
