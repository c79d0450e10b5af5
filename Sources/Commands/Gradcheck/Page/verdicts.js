// Which line of a pass is wrong, and which only follow: LineVerdict.swift, OtherPasses.swift, LineHints.swift and
// LineEvaluation.swift. Each line is evaluated on the file's own numbers, forward first; all words are the table's.

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
    // For a tensor of a wrong shape, the lines that the shape comes from.
    this.shapeOrigins = new Map();
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

  /** Whether the file has a tensor that belongs to another minibatch. */
  isLeftOut(name) {
    return this.reference.stale.has(name) || (this.stale.has(name) && this.reference.tensors.has(name));
  }

  /** A parameter, or the file's tensor. */
  value(name) { return PARAMETERS.includes(name) ? this.reference.problem[name] : this.found(name); }

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

  /** The forms of a line, with those that belong to their forward pass: a forward line's factor goes back, too. */
  forms(name) {
    const { owner, inputs } = TENSORS.get(name);
    const forms = formsOf(name);
    const add = (reader, form) => {
      const factor = this.factors.get(reader);
      if (factor !== undefined) forms.push({ ...form, factor });
    };
    if (name === "dlogprobs") add("loss", { kind: "scaled" });
    for (const reader of owner === null ? [] : readersOf(owner)) {
      if (inputs.includes("d" + reader)) add(reader, { kind: "scaledInput", input: "d" + reader });
    }
    if (name === "dhprebn") add("bnvar", { kind: "oneGo" });
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
    if (this.isLeftOut(name)) return say("not comparable", { hint: TABLE.hints.stale });
    const origins = new Set(TENSORS.get(name).inputs.flatMap((input) => [...(this.shapeOrigins.get(input) ?? [])]));
    const misshapen = reference.misshapen.get(name);
    if (misshapen) {
      // A wrong shape is a mistake, unless the line makes it of an input's wrong shape.
      const shapes = new LineShapes(name, reference.sizes);
      const follows = origins.size > 0 && shapes.makes(misshapen, new Map([...reference.shapes, ...reference.misshapen]));
      this.shapeOrigins.set(name, follows ? origins : new Set([name]));
      return follows ? say("follows", { from: origins })
        : say("shape", { hint: shapes.hint(misshapen, reference.shapes) });
    }
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
    if (best && !this.hasHiddenFault(name, found)) {
      const isRight = best.faults.size === 0 || this.isOurs(name, found);
      set(isRight ? [] : best.faults);
      if (!isRight) return say("follows", { from: best.faults });
      return say("right", { hint: noteOn(name, found, this) });
    }
    if (!best && candidates.some((candidate) => candidate.comparison === "incomparable")) {
      set(plain.faults);
      return say(plain.faults.size === 0 ? "not comparable" : "follows",
        { from: plain.faults, hint: TABLE.hints.noBound });
    }
    if (!best && origins.size > 0) {
      // It cannot be evaluated on an input of a wrong shape.
      set(origins);
      return say("follows", { from: origins });
    }
    const limit = this.measuredLimit(name, plain);
    const hint = new LineHints(this, name, found, plain, limit).text();
    set([name], made);
    this.factors.set(name, constantFactor(found, plain.line, this.precision, limit));
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
  hasHiddenFault(name, found) {
    const { cancels } = TENSORS.get(name);
    if (cancels) {
      if (isFault(this.verdicts.get(cancels))) return false;
      const correlation = this.correlation(name, found, cancels);
      return correlation !== undefined && correlation < -0.25;
    }
    if (name === "dnorm_logits") return this.sharesMemoryWithLogits(found);
    return name === "dlogits" && this.misusesMaxes(found);
  }

  /** What cancels in the sums of a gradient that is zero but for rounding, if there are enough different sums. */
  cancellingTerms(name, cancelled) {
    const terms = this.found(cancelled);
    if (!terms) return undefined;
    const rows = name === "dlogit_maxes" ? terms : terms.transposed();
    const different = new Set(Array.from({ length: rows.rows }, (_, i) =>
      rows.elements.subarray(i * rows.columns, (i + 1) * rows.columns).join()));
    return different.size >= TABLE.sumsForSign ? rows : undefined;
  }

  /** How well a sum that is zero but for rounding is correlated with what the file's own terms leave. */
  correlation(name, found, cancelled) {
    const rows = this.cancellingTerms(name, cancelled);
    if (!rows) return undefined;
    const isNegative = name === "dlogit_maxes";
    const sums = isNegative ? exactRowSums(rows).map((sum) => -sum) : exactRowSums(rows);
    const terms = isNegative ? rows : rows.transposed();
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
    const isOfAnotherMinibatch = this.isOfAnotherMinibatch();
    const cause = isOfAnotherMinibatch ? "minibatch"
      : ["parameters", "minibatch"].find((cause) => this.explains(cause, lines)) ?? null;
    if (!cause) return { lines, cause };
    const as = (line, kind) => ({ name: line.name, kind, from: [], hint: null });
    const explained = lines.map((line) => {
      if (line.kind === "here") return as(line, "follows");
      if (line.kind === "follows") return as(line, "right");
      return line.kind === "not comparable" && isOfAnotherMinibatch && this.isLeftOut(line.name)
        ? as(line, "follows") : line;
    });
    return { lines: explained, cause };
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
    // What is zero but for rounding is so whatever the parameters are.
    const judged = lines.filter((line) =>
      readers.has(line.name) && this.found(line.name) && !TENSORS.get(line.name).cancels);
    const forward = judged.filter((line) => !isGradient(line.name));
    const expected = cause === "parameters" && forward.length > 1 ? forward : judged;
    // Other parameters do not make every line a multiple of itself; a factor in a missing line does.
    return expected.length > 1 && expected.every((line) => line.kind === "here")
      && !expected.every((line) => this.factors.get(line.name) !== undefined);
  }

  /** Whether nothing with a row for each window fits Xb and Yb, but fits the rest of the file. */
  isOfAnotherMinibatch() {
    const { otherPass: other, tensors, problem, sizes, precision } = this.reference;
    const hasRows = (name) => TENSORS.get(name).dimensions.includes("n");
    if (!other || other.sizes.hidden !== sizes.hidden || [...tensors.keys()].some(hasRows)) return false;
    const { n, block } = other.sizes;
    const ids = { Xb: new Array(n * block).fill(0), Yb: new Array(n).fill(0) };
    const evaluator = new LineEvaluator({ problem: { ...problem, ...ids }, precision, sizes: other.sizes });
    const judged = [...tensors.keys()].filter((name) => {
      const { ids, cancels, inputs } = TENSORS.get(name);
      return ids === null && cancels === null && inputs.every((input) => other.tensors.has(input));
    });
    // An earlier exercise leaves all but the parameters' gradients.
    const gradients = judged.filter((name) => PARAMETERS.includes(TENSORS.get(name).owner));
    const considered = gradients.length ? gradients : judged;
    const holding = considered.filter((name) => {
      const inputs = new Map(TENSORS.get(name).inputs.map((input) => [input, lineInput(other.tensors.get(input))]));
      const line = evaluator.evaluate(name, { kind: "step" }, inputs);
      return compareWithLine(tensors.get(name), line, precision) === "holds";
    });
    return considered.length === 0 || 2 * holding.length > considered.length;
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
  const whole = judging([]);
  let verdicts = whole;
  TABLE.leftovers.forEach((others, number) => {
    const hasOtherSizes = reference.stale.size > 2 && number < TABLE.leftoversOfAnySize;
    if (!hasOtherSizes && !isLeftover(others, whole)) return;
    const left = judging(others);
    if (blame(left) + 2 <= blame(verdicts)) verdicts = left;
  });
  return verdicts;
}

/** Whether tensors fit together and nothing else. */
function isLeftover(group, { lines }) {
  const inGroup = lines.filter(({ name }) => group.includes(name) && !TENSORS.get(name).cancels);
  const isEntry = ({ name }) => {
    const { ids, inputs } = TENSORS.get(name);
    return ids !== null || !inputs.every((input) => group.includes(input));
  };
  const entries = inGroup.filter(isEntry);
  return entries.filter((line) => line.kind === "here").length >= 3 && !entries.some((line) => line.kind === "right")
    && !inGroup.some((line) => !isEntry(line) && isFault(line));
}

const isNothingJudged = ({ lines }) => lines.every((line) => ["missing", "not comparable"].includes(line.kind));
const hasPassed = ({ lines, cause }) =>
  cause === null && !lines.some((line) => isFault(line) || line.kind === "follows");

/** A name from a file, at most half a line of the terminal's. */
function shownName(name) {
  if (name === "") return '""';
  const letters = Array.from(name);
  return letters.length <= 40 ? name : [...letters.slice(0, 19), "…", ...letters.slice(-20)].join("");
}

/** Why nothing in a file could be judged, and what to do. */
function nothingToJudge(reference) {
  const { words } = TABLE;
  const near = reference.ignored.find((name) => nearestTensor(name));
  const advice = near ? " " + filled(words.mayBe, { name: shownName(near), tensor: nearestTensor(near) }) : "";
  return [filled(words.nothing, { names: firstIgnored(reference.ignored) || words.noOthers }), words.expected + advice];
}

/** The first names that are not compared, as many as the terminal has room for. */
function firstIgnored(names) {
  let text = "";
  for (const [index, name] of names.entries()) {
    const longer = index === 0 ? shownName(name) : `${text}, ${shownName(name)}`;
    if (index > 0 && Array.from(longer).length > 22) return text + ", …";
    text = longer;
  }
  return text;
}

// MARK: The kind of a mistake

/** Looks for the kind of mistake in a line that is wrong given its inputs. */
class LineHints {
  constructor(judge, name, found, { line, isChained }, limit) {
    Object.assign(this, { judge, name, found, line, limit });
    this.isVague = isChained && !Number.isFinite(limit);
    this.inputs = TENSORS.get(name).inputs;
    this.n = judge.reference.sizes.n;
    this.vocabulary = judge.reference.sizes.vocabulary;
    this.precision = judge.precision;
  }

  text() {
    const tried = [
      "rounding", "fewerDigits", "lastWrite", "lostTerm", "ratio", "lostFactor", "forgottenEpsilon", "equalTensor",
      "scaledTerm", "transposed", "constantDifference", "usesOfMaxes",
    ];
    const kinds = [
      "emptiness", "wrongSign", "notZero", ...(this.isVague ? ["equalTensor"] : tried), "missingInputs", "otherPass",
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

  notZero() { return TENSORS.get(this.name).cancels ? TABLE.hints.notZero : null; }

  /** Terms that cancel where the line's do not. */
  rounding() {
    const nothing = { ...this.line, value: this.line.value.times(0) };
    return this.isFound(nothing) && !this.isRounding(this.line) ? TABLE.hints.rounding : null;
  }

  /** The line in a type with fewer digits. */
  fewerDigits() {
    const { value, size } = this.line;
    for (const [type, digits] of [["bfloat16", 8], ["float16", 11]]) {
      // Two inputs and the result have each lost half a unit of this.
      const unit = 2 ** (2 - digits);
      const isRounded = this.found.elements.every((x, i) => hasAtMostDigits(x, digits)
        && Math.abs(x - value.elements[i]) <= unit * size.elements[i]);
      if (isRounded) return filled(TABLE.hints.fewerDigits, { type });
    }
    return null;
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
      if (this.isRounding(rest) || !this.isFound(rest)) continue;
      return owner && readersOf(owner).length > 1 ? filled(TABLE.hints.oneTerm, { owner }) : TABLE.hints.lostTerm;
    }
    return null;
  }

  ratio() {
    const { found, line, limit } = this;
    const factor = constantFactor(found, line, this.precision, limit);
    if (factor === undefined) return null;
    const bounds = boundOf(line, this.precision).elements;
    const isClear = bounds.some((bound, i) =>
      Math.abs(found.elements[i] - line.value.elements[i]) > 32 * Math.min(bound, limit));
    // A single number is always some number times another.
    if (this.kindOf(factor) === "anyFactor" && !(isClear && found.count > 1)) return null;
    return filled(TABLE.hints.ratio, { factor: factorText(factor), kind: this.wordsFor(factor) });
  }

  lostFactor() {
    const isLost = this.inputs.some((input) => {
      const rest = this.variant(input, (matrix) => Matrix.filled(matrix.rows, matrix.columns, 1));
      return !this.isRounding(rest) && this.isFound(rest);
    });
    return isLost ? TABLE.hints.lostFactor : null;
  }

  forgottenEpsilon() {
    if (this.name !== "bnvar_inv" && this.name !== "dbnvar") return null;
    return this.isFound(this.variant("bnvar", (matrix) => matrix.plus(-1e-5))) ? TABLE.hints.noEpsilon : null;
  }

  equalTensor() {
    const others = COMPUTED.filter((name) => name !== this.name && !this.inputs.includes(name));
    const equal = [...others, ...this.inputs].find((name) =>
      this.judge.reference.tensors.get(name)?.hasEqualElements(this.found) && !this.isMadeOfThis(name));
    return equal ? filled(TABLE.hints.equalTensor, { tensor: equal }) : null;
  }

  /** Whether a tensor is to the last bit what its line makes of this one: then being equal says nothing. */
  isMadeOfThis(other) {
    const { inputs } = TENSORS.get(other);
    const { judge } = this;
    if (!inputs.includes(this.name) || inputs.some((input) => !judge.value(input))) return false;
    const given = new Map(inputs.map((input) => [input, lineInput(judge.value(input))]));
    const made = judge.evaluator.evaluate(other, { kind: "step" }, given).value;
    return judge.value(other)?.equals(rounded(made, this.precision)) ?? false;
  }

  scaledTerm() {
    const { n } = this;
    for (const input of this.inputs) {
      for (const factor of [-1, 2, 0.5, n / (n - 1), (n - 1) / n, n, 1 / n]) {
        if (!this.isFound(this.variant(input, (matrix) => matrix.times(factor)))) continue;
        return filled(TABLE.hints.scaledTerm, { factor: factorText(factor), kind: this.wordsFor(factor) });
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
    const largest = bounds.reduce((most, bound) => (most < bound ? bound : most), bounds[0] ?? 0);
    const tolerance = 4 * Math.min(largest, this.limit);
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
    return given.length ? filled(TABLE.hints.otherPass,
      { question: question(this.name), names: given.join(", "), tensor: this.name }) : null;
  }

  missingInputs() {
    const { hints } = TABLE;
    const unknown = this.inputs.filter((input) => COMPUTED.includes(input) && !this.judge.found(input));
    if (unknown.length === 0) return null;
    const leftOut = unknown.filter((input) => this.judge.isLeftOut(input)).length;
    const sentence = leftOut === 0 ? [hints.missingInput, hints.missingInputs]
      : leftOut === unknown.length ? [hints.leftOutInput, hints.leftOutInputs]
        : [hints.unknownInputs, hints.unknownInputs];
    return filled(sentence[unknown.length === 1 ? 0 : 1], { names: unknown.join(", ") });
  }

  /** The line with one input changed. */
  variant(changed, change) {
    const inputs = new Map(this.inputs.map((input) => {
      const given = this.judge.versions.get(input)[0].input;
      return [input, input === changed ? lineInput(change(given.value)) : given];
    }));
    return this.judge.evaluator.evaluate(this.name, { kind: "step" }, inputs);
  }

  isFound(line) { return compareWithLine(this.found, line, this.precision, this.limit) === "holds"; }

  /** Whether nothing but rounding is in a line. */
  isRounding(line) {
    return compareWithLine(line.value.times(0), line, this.precision, this.limit) === "holds";
  }

  /** What a ratio usually means. */
  kindOf(factor) {
    const { n, vocabulary } = this;
    const kinds = [
      [1, "sign"], [(n - 1) / n, "bessel"], [n / (n - 1), "bessel"], [n, "mean"], [1 / n, "mean"],
      [n - 1, "meanWithoutOne"], [1 / (n - 1), "meanWithoutOne"], [2, "square"], [0.5, "square"],
    ];
    if (TENSORS.get(this.name).reducedAxis === 1) kinds.push([vocabulary, "meanOfRow"], [1 / vocabulary, "meanOfRow"]);
    const kind = kinds.find(([ratio]) =>
      Math.abs(Math.abs(factor) / ratio - 1) < 1e-4 && (ratio !== 1 || factor < 0));
    return kind ? kind[1] : "anyFactor";
  }

  wordsFor(factor) {
    const kind = this.kindOf(factor);
    const text = TABLE.hints[kind];
    return factor < 0 && kind !== "sign" && kind !== "anyFactor" ? filled(TABLE.hints.signAnd, { kind: text }) : text;
  }
}

/** Whether a binary number has no more significant digits than that. */
function hasAtMostDigits(x, digits) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  return (view.getBigUint64(0) & ((1n << BigInt(53 - digits)) - 1n)) === 0n;
}

/** The number that a line is multiplied by in all elements. */
function constantFactor(found, line, precision, limit) {
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
  const scaledLimit = Math.max(1, Math.abs(factor)) * limit;
  return compareWithLine(found, scaled, precision, scaledLimit) === "holds" ? factor : undefined;
}

/** Five digits after the point, or six in all. */
function factorText(factor) {
  const size = Math.abs(factor);
  let [scale, unit] = [1e5, 1];
  if (!(size < 1e6 && size > 1e-3)) {
    while (size * scale < 1e5 && scale < 1e300) scale *= 10;
    while (size * scale >= 1e6 && scale > 1) scale /= 10;
    while (size / unit >= 1e6 && unit < 1e300) unit *= 10;
  }
  const value = unit > 1 ? Math.round(size / unit) * unit : Math.round(size * scale) / scale;
  const isWhole = Number.isInteger(value) && value < 1e15;
  return (factor < 0 ? "−" : "") + (isWhole ? String(value) : swiftNumber(value));
}

// MARK: Shapes

/** The shapes that a line makes of its inputs' shapes. */
class LineShapes {
  constructor(name, sizes) {
    Object.assign(this, { name, sizes });
    this.inputs = TENSORS.get(name).inputs;
    this.axis = TENSORS.get(name).reducedAxis;
    const { terms, ids } = TENSORS.get(name);
    this.isElementwise = terms === null && ids === null && this.axis === null && name !== "embcat";
  }

  /** The shape to which the inputs are repeated; undefined if they do not fit each other. */
  whole(given = new Map()) {
    return this.inputs.reduce((shape, input) =>
      shape && LineShapes.broadcast(shape, given.get(input) ?? this.sizes.shape(input)), []);
  }

  static broadcast(a, b) {
    const rank = Math.max(a.length, b.length);
    const pairs = Array.from({ length: rank }, (_, i) => [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1]);
    return pairs.every(([x, y]) => x === y || x === 1 || y === 1) ? pairs.map(([x, y]) => (x === 1 ? y : x)) : undefined;
  }

  /** A matrix's shape without one of its dimensions, as a sum leaves it with keepdim and without. */
  static reduced(shape, axis) {
    if (shape.length !== 2) return [];
    return [axis === 0 ? [1, shape[1]] : [shape[0], 1], [shape[1 - axis]]];
  }

  /** Whether the line makes this shape of shapes of its inputs that are not the notebook's. */
  makes(found, given) {
    if (!this.isElementwise && this.axis === null) return true;
    const whole = this.whole(given);
    if (!whole) return false;
    const accepted = this.axis !== null ? LineShapes.reduced(whole, this.axis)
      : [whole, LineShapes.broadcast(whole, this.sizes.shape(this.name))];
    return accepted.some((shape) => shape && sameShape(shape, found));
  }

  /** Why a shape may be what it is; `given` has the shapes of right inputs that are not the notebook's. */
  hint(found, given) {
    const expected = this.sizes.shape(this.name);
    return filled(TABLE.hints[this.kind(found, expected, given)],
      { found: shapeText(found), expected: shapeText(expected) });
  }

  kind(found, expected, given) {
    const count = (shape) => shape.reduce((a, b) => a * b, 1);
    const isIn = (shapes) => shapes.some((shape) => sameShape(shape, found));
    if (count(expected) === 1) return "notSummed";
    if (count(found) === 1) return "summedOverAll";
    if (found.length === 2 && sameShape(found, [...expected].reverse())) return "transposedShape";
    const lost = new Map([...given].filter(([input]) => this.inputs.includes(input)));
    const repeated = this.whole(lost);
    if (this.isElementwise && lost.size > 0 && repeated && sameShape(found, repeated)) return "keepdim";
    if (found.length === 2 && found[0] === found[1] && expected.length === 2 && expected.includes(1)
      && expected.includes(found[0])) return "keepdimOrSum";
    const whole = this.whole();
    if (whole && this.axis !== null) {
      if (sameShape(found, whole)) return "notSummed";
      if (isIn(LineShapes.reduced(whole, 1 - this.axis))) return "otherDimension";
    }
    if (found.length === expected.length && found.every((size, i) => size === expected[i] || size === 1)) {
      return whole && sameShape(found, whole) ? "notRepeated" : "summed";
    }
    if (count(found) === count(expected)) return "otherForm";
    return this.sizes.others(new Map([[this.name, found]]), 1) ? "shapeOfAnother" : "otherShape";
  }
}

/** What to note of a line that is right: a lost dimension, or what its numbers cannot show. */
function noteOn(name, found, judge) {
  const { reference } = judge;
  const shape = reference.sizes.shape(name);
  const given = reference.shapes.get(name);
  if (given && shape.includes(1)) {
    return filled(TABLE.hints.lostDimension, { found: shapeText(given), expected: shapeText(shape) });
  }
  const { cancels } = TENSORS.get(name);
  if (!cancels) return null;
  const isSeen = judge.cancellingTerms(name, cancels) && !found.elements.every((x) => x === 0);
  return isSeen ? null : TABLE.hints.unseenSign;
}

/** What to look at where the numbers show no kind of mistake; never the line itself. */
function question(name) {
  const { hints } = TABLE;
  const { owner, inputs } = TENSORS.get(name);
  if (owner === null) return inputs.length ? filled(hints.reads, { names: inputs.join(", ") }) : "";
  const lines = readersOf(owner).map((reader) => `${reader} = ${TENSORS.get(reader).line}`);
  return filled(lines.length === 1 ? hints.forwardLine : hints.forwardLines, { lines: lines.join("; ") });
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
