// Which line of a pass is wrong, and which only follow: LineVerdict.swift, MixedPasses.swift, LineHints.swift and
// LineEvaluation.swift. Each line is evaluated on the file's own numbers, forward first; all words are the table's.

const isFault = (verdict) => verdict !== undefined && (verdict.kind === "here" || verdict.kind === "shape");

/** Whether a line is right, but was computed from other parameters or ids than those in the file. */
const isMisfit = (verdict) =>
  verdict !== undefined && verdict.kind === "follows" && verdict.from.every((name) => PARAMETERS.includes(name));

/** The parameters that an update changes: of the others the gradient is zero but for rounding. */
const UPDATED = PARAMETERS.filter((name) => !TENSORS.get("d" + name).cancels);

/** The parameters that have changed since lines were computed from them. */
const changedParameters = (lines) => PARAMETERS.filter((name) => lines.some((line) => line.from.includes(name)));

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
    // Wrong lines whose numbers show no kind of mistake.
    this.unclassified = new Set();
    // For a tensor of a wrong shape, the lines that the shape comes from.
    this.shapeOrigins = new Map();
    // The file's tensor, and, where that is wrong by its line, what the line makes.
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

  /** A line on the file's own numbers, one of them multiplied, if the file has them all. */
  lineOf(name, changed, factor) {
    const { inputs } = TENSORS.get(name);
    if (inputs.some((input) => !this.value(input))) return undefined;
    return this.evaluator.evaluate(name, new Map(inputs.map((input) =>
      [input, lineInput(input === changed ? this.value(input).times(factor) : this.value(input))])));
  }

  /** A line in every form, on every version of its inputs; the plain one on their own inputs is first. */
  candidates(name) {
    return this.forms(name).flatMap((form) => this.choices(form.inputs).map((choice) => {
      const versions = [...choice.values()];
      const inputs = new Map([...choice].map(([input, version]) => [input, version.input]));
      return {
        line: this.evaluator.evaluate(name, inputs, form),
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
      if (factor !== undefined) forms.push({ inputs, ...form, factor });
    };
    if (name === "dlogprobs") add("loss", { kind: "scaled" });
    for (const reader of owner === null ? [] : readersOf(owner)) {
      if (inputs.includes("d" + reader)) add(reader, { kind: "scaledInput", input: "d" + reader });
    }
    if (name === "dhprebn") add("bnvar", forms.find(({ kind }) => kind === "oneGo"));
    return forms;
  }

  /** Every choice of one version for each input. */
  choices(inputs) {
    return inputs.reduce((choices, input) => this.versions.get(input).flatMap((version) =>
      choices.map((choice) => new Map([...choice, [input, version]]))), [new Map()]);
  }

  /** Behind many missing lines, what was measured of correct programs is a better bound than the worst case. */
  measuredLimit(name, candidate) {
    const isForwardRight = FORWARD.every((forward) => isMisfit(this.verdicts.get(forward))
      || !["here", "shape", "follows"].includes(this.verdicts.get(forward)?.kind));
    const hasFaults = [...candidate.faults].some((fault) => !PARAMETERS.includes(fault));
    if (!candidate.isChained || hasFaults || !isForwardRight) return Infinity;
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
      this.verdicts.set(name, { name, kind, from: NAMES.filter((other) => new Set(from).has(other)), hint });
    const otherType = reference.otherTypes.get(name);
    if (otherType) {
      const { name: expected } = this.precision;
      const line = `${name} = ${name}.${expected === "float32" ? "float" : "double"}()`;
      return say("not comparable",
        { hint: filled(TABLE.hints.otherType, { found: pythonType(otherType), expected, line }) });
    }
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
    const accept = (faults) => {
      const others = [...faults].filter((fault) => !PARAMETERS.includes(fault));
      if (others.length < faults.size) {
        // What it was computed from has changed since; it is right, and so is what reads it.
        set(others);
        return say("follows", { from: faults });
      }
      const isRight = faults.size === 0 || this.isOurs(name, found);
      set(isRight ? [] : faults);
      if (!isRight) return say("follows", { from: faults });
      return say("right", { hint: noteOn(name, found, this) });
    };
    if (best && !this.hasHiddenFault(name, found)) return accept(best.faults);
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
    const before = best ? undefined : this.parametersBeforeUpdate(name, found, plain);
    if (before) {
      for (const [parameter, value] of before) {
        const given = { input: lineInput(reference.problem[parameter]), faults: new Set() };
        this.versions.set(parameter, [given, { input: lineInput(value), faults: new Set([parameter]) }]);
      }
      return accept(new Set(before.keys()));
    }
    const limit = this.measuredLimit(name, plain);
    const hints = new LineHints(this, name, found, plain, limit);
    const kind = hints.kind();
    if (kind === null) this.unclassified.add(name);
    const hint = kind ?? hints.missingInputs() ?? hints.otherPass();
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
      const rounding = this.rounding(name, found, cancels);
      return rounding !== undefined && ((rounding.correlation < -0.25 && !rounding.isOfHigherPrecision)
        || rounding.clearFactor !== undefined);
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

  /** How a sum that is zero but for rounding relates to what the file's own terms leave. */
  rounding(name, found, cancelled) {
    const rows = this.cancellingTerms(name, cancelled);
    if (!rows) return undefined;
    const isNegative = name === "dlogit_maxes";
    const sums = isNegative ? exactRowSums(rows).map((sum) => -sum) : exactRowSums(rows);
    const terms = isNegative ? rows : rows.transposed();
    const sizes = this.evaluator.evaluate(name, new Map([[cancelled, lineInput(terms)]])).size;
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
    const correlation = scale > 0 ? product / scale : 0;
    const factor = squaresOfSums > 0 ? product / squaresOfSums : 1;
    const least = TABLE.factorOfRounding;
    const isClear = rows.rows >= TABLE.sumsForFactor && correlation > 0.6
      && (factor >= least || (factor <= 1 / least && factor >= 1e-4));
    // What is much smaller was rounded from a higher precision, and has nothing to do with the sum.
    const isOfHigherPrecision = squaresOfFound < 1e-6 * squaresOfSums;
    return { correlation, isOfHigherPrecision, clearFactor: isClear ? factor : undefined };
  }

  /** Whether dlogits were made in the memory of dnorm_logits. */
  sharesMemoryWithLogits(found) {
    const maxes = this.found("dlogit_maxes");
    if (found.count < TABLE.elementsForBits || !this.found("dlogits")?.equals(found)
      || !maxes?.elements.some((x) => x !== 0)) return false;
    const rounding = this.rounding("dlogit_maxes", maxes, "dnorm_logits");
    return rounding !== undefined && rounding.correlation < 0.25 && !rounding.isOfHigherPrecision;
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

  // MARK: Parameters after the update

  /** The parameters before an update with their gradients, where that makes a line right: a Map. */
  parametersBeforeUpdate(name, found, plain) {
    const limit = this.measuredLimit(name, plain);
    if (found.count < TABLE.elementsForRate || (plain.isChained && !Number.isFinite(limit))) return undefined;
    const direct = TENSORS.get(name).inputs.filter((input) => UPDATED.includes(input));
    const reached = this.parametersReached(name);
    const sets = [...direct.map((parameter) => [parameter]), ...(direct.length > 1 ? [direct] : []),
      ...(reached.length > direct.length ? [reached] : [])];
    if (sets.length === 0) return undefined;
    for (const made of [() => this.gradientsInFile(), () => this.gradientsOfFile()]) {
      const gradients = made();
      for (const set of sets.filter((set) => set.every((parameter) => gradients.get(parameter)))) {
        const steps = new Map(set.map((parameter) => [parameter, gradients.get(parameter)]));
        const before = this.parametersBefore(steps, name, found, plain.line, limit);
        if (before) return before;
      }
    }
    return undefined;
  }

  /** The parameters that a line reads, itself or in lines that are missing. */
  parametersReached(name) {
    const reached = new Set();
    const open = [...TENSORS.get(name).inputs];
    while (open.length > 0) {
      const input = open.pop();
      if (reached.has(input)) continue;
      reached.add(input);
      if (!this.found(input)) open.push(...TENSORS.get(input).inputs);
    }
    return UPDATED.filter((parameter) => reached.has(parameter));
  }

  gradientsInFile() { return new Map(PARAMETERS.map((parameter) => [parameter, this.found("d" + parameter)])); }

  /** The parameters' gradients as the lines make them of what else is in the file. */
  gradientsOfFile() {
    const pass = this.passOn(this.reference.problem, PARAMETERS.map((parameter) => "d" + parameter));
    return new Map(PARAMETERS.map((parameter) => [parameter, pass["d" + parameter]]));
  }

  /** The file's tensors, except for some, on other parameters. */
  passOn(problem, others) {
    const pass = new Pass(problem);
    for (const name of COMPUTED) {
      if (!others.includes(name) && this.found(name)) pass[name] = this.found(name);
    }
    return pass;
  }

  /** Parameters moved back along their gradients to where the line is right, if it comes much nearer. */
  parametersBefore(gradients, name, found, line, limit) {
    const { problem } = this.reference;
    const moved = (rate) => ({ ...problem, ...Object.fromEntries([...gradients].map(([parameter, gradient]) =>
      [parameter, problem[parameter].plus(gradient.times(rate))])) });
    const value = (rate) => this.passOn(moved(rate), [name])[name];
    const sum = (matrix) => matrix.elements.reduce((total, x) => total + x, 0);
    const squares = (matrix) => sum(matrix.times(matrix));
    const bounds = boundOf(line, this.precision).elements;
    const excess = (matrix) => matrix.elements.reduce((most, x, i) =>
      Math.max(most, Math.abs(found.elements[i] - x) / Math.min(bounds[i], limit)), 0);
    let [rate, current] = [0, value(0)];
    const distance = excess(current);
    const step = 1e-3;
    for (let round = 0; round < 4; round += 1) {
      const slope = value(rate + step).minus(current).times(1 / step);
      rate += sum(slope.times(found.minus(current))) / squares(slope);
      if (!(Math.abs(rate) < 1000)) return undefined;
      current = value(rate);
      if (compareWithLine(found, { ...line, value: current }, this.precision, limit) === "holds") {
        if (!(2 * excess(current) < distance)) return undefined;
        const before = moved(rate);
        return new Map([...gradients.keys()].map((parameter) => [parameter, before[parameter]]));
      }
    }
    return undefined;
  }

  // MARK: Files whose parameters or minibatch are not those of the pass

  /** The verdicts in order, and what they have in common. */
  result() {
    const lines = COMPUTED.map((name) => this.verdicts.get(name));
    const isOfAnotherMinibatch = this.isOfAnotherMinibatch();
    const isUpdated = lines.some(isMisfit);
    const isExplained = isUpdated && !lines.some(isFault);
    const cause = isOfAnotherMinibatch ? "minibatch"
      : isExplained ? null : ["parameters", "minibatch"].find((cause) => this.explains(cause, lines)) ?? null;
    if (!cause) {
      const others = isUpdated ? this.withOtherUpdates(lines) : this.withOneParameter(lines);
      return { lines: others, cause: others.some(isMisfit) ? "parameters" : null };
    }
    const as = (line, kind) => ({ name: line.name, kind, from: [], hint: null });
    const explained = lines.map((line) => {
      if (line.kind === "here" || isMisfit(line)) return as(line, "follows");
      if (line.kind === "follows") return as(line, "right");
      return line.kind === "not comparable" && isOfAnotherMinibatch && this.isLeftOut(line.name)
        ? as(line, "follows") : line;
    });
    return { lines: explained, cause };
  }

  /** If more than one parameter has been updated, lines that read others and show no kind of mistake do not fit. */
  withOtherUpdates(lines) {
    if (changedParameters(lines.filter(isMisfit)).length < 2) return lines;
    return withoutOriginsThatFit(lines.map((line) => {
      const read = UPDATED.filter((parameter) => TENSORS.get(line.name).inputs.includes(parameter));
      if (!this.unclassified.has(line.name) || read.length === 0) return line;
      return { name: line.name, kind: "follows", from: read, hint: null };
    }));
  }

  /** If just the lines that read one parameter fail, and show no kind of mistake, it is not the pass's parameter. */
  withOneParameter(lines) {
    const faults = lines.filter(isFault).map((line) => line.name);
    const parameter = PARAMETERS.find((parameter) => {
      const readers = COMPUTED.filter((name) => TENSORS.get(name).inputs.includes(parameter));
      return readers.length > 1 && readers.join() === faults.join();
    });
    if (!parameter || !faults.every((name) => this.unclassified.has(name))) return lines;
    return withoutOriginsThatFit(lines.map((line) =>
      (isFault(line) ? { name: line.name, kind: "follows", from: [parameter], hint: null } : line)));
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
    if (!lines.filter((line) => isFault(line) || isMisfit(line)).every((line) => readers.has(line.name))) return false;
    // What is zero but for rounding is so whatever the parameters are.
    const judged = lines.filter((line) =>
      readers.has(line.name) && this.found(line.name) && !TENSORS.get(line.name).cancels);
    const forward = judged.filter((line) => !isGradient(line.name));
    const expected = cause === "parameters" && forward.length > 1 ? forward : judged;
    // Other parameters do not make every line a multiple of itself; a factor in a missing line does.
    return expected.length > 1 && expected.every((line) => line.kind === "here" || isMisfit(line))
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
    // What an earlier exercise has left is never a parameter's gradient.
    const gradients = judged.filter((name) => PARAMETERS.includes(TENSORS.get(name).owner));
    const considered = gradients.length ? gradients : judged;
    const holding = considered.filter((name) => {
      const inputs = new Map(TENSORS.get(name).inputs.map((input) => [input, lineInput(other.tensors.get(input))]));
      const line = evaluator.evaluate(name, inputs);
      return compareWithLine(tensors.get(name), line, precision) === "holds";
    });
    return considered.length === 0 || 2 * holding.length > considered.length;
  }
}

/** What followed from lines that do not fit, and are not wrong, is right. */
function withoutOriginsThatFit(lines) {
  const misfits = new Set(lines.filter(isMisfit).map((line) => line.name));
  return lines.map((line) => {
    if (line.kind !== "follows" || isMisfit(line)) return line;
    const from = line.from.filter((name) => !misfits.has(name));
    return from.length ? { ...line, from } : { name: line.name, kind: "right", from, hint: null };
  });
}

/** The sum of each row, with compensated rounding (Neumaier). */
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
  const ofOtherType = COMPUTED.filter((name) => reference.otherTypes.has(name))
    .map((name) => `${name} in ${pythonType(reference.otherTypes.get(name))}`)[0];
  const names = firstIgnored(reference.ignored) || ofOtherType || words.noOthers;
  return [filled(words.nothing, { names }), words.expected + advice];
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

  /** The kind of mistake, if the numbers show one. */
  kind() {
    const tried = [
      "otherDimension", "rounding", "fewerDigits", "lostWrites", "lostTerm", "scaledParameter", "ratio", "lostFactor",
      "otherEpsilon", "equalTensor", "scaledTerm", "otherInput", "otherForm", "otherPower", "transposed", "otherOrder",
      "constantDifference", "usesOfMaxes",
    ];
    const kinds = [
      "emptiness", "wrongSign", "notZero", ...(this.isVague ? ["equalTensor"] : tried),
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
    const { cancels } = TENSORS.get(this.name);
    if (!cancels || !this.isFound(this.line)) return null;
    const factor = this.judge.rounding(this.name, this.found, cancels)?.clearFactor;
    if (factor === undefined) return TABLE.hints.oppositeRounding;
    // The factor is known to within a fifth.
    const times = factor > 1 ? factor : 1 / factor;
    let unit = 1;
    while (times >= 10 * unit) unit *= 10;
    const text = factorText(Math.round(times / unit) * unit);
    return filled(factor > 1 ? TABLE.hints.largeRounding : TABLE.hints.smallRounding, { factor: text });
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

  /** dC from a loop that assigns, leaves out a position of the contexts, or takes another. */
  lostWrites() {
    if (this.name !== "dC" || this.isFound(this.line)) return null;
    const demb = this.judge.versions.get("demb")?.[0]?.input.value;
    if (!demb) return null;
    const { hints } = TABLE;
    const { found } = this;
    const { Xb } = this.judge.reference.problem;
    const { block } = this.judge.reference.sizes;
    const rows = Array.from(Xb.keys());
    const isLast = (order) => {
      const value = Matrix.zeros(found.rows, found.columns);
      for (const row of order) {
        for (let j = 0; j < value.columns; j += 1) value.elements[Xb[row] * value.columns + j] = demb.at(row, j);
      }
      return this.isFound({ value, size: value.magnitude(), terms: 1 });
    };
    const same = (row) => row;
    const isSum = (order, id = same, gradient = same) => {
      const [value, size] = [0, 0].map(() => Matrix.zeros(found.rows, found.columns));
      for (const row of order) {
        for (let j = 0; j < value.columns; j += 1) {
          const element = demb.at(gradient(row), j);
          value.elements[Xb[id(row)] * value.columns + j] += element;
          size.elements[Xb[id(row)] * value.columns + j] += Math.abs(element);
        }
      }
      return this.isFound({ value, size, terms: order.length });
    };
    const positions = Array.from({ length: block }, (_, position) => position);
    const byPosition = positions.flatMap((position) => rows.filter((row) => row % block === position));
    if (isLast(rows) || isLast(byPosition)) return hints.lastWrite;
    if (isLast(rows.slice().reverse()) || isLast(byPosition.slice().reverse())) return hints.firstWrite;
    if (block === 1) return null;
    for (const position of positions) {
      if (isSum(rows.filter((row) => row % block === position))) return hints.onePosition;
      if (isSum(rows.filter((row) => row % block !== position))) return hints.lostPosition;
    }
    const others = positions.map((position) => (row) => row - (row % block) + position);
    others.push((row) => row - (row % block) + (block - 1 - (row % block)));
    const isElsewhere = others.some((other) => isSum(rows, other) || isSum(rows, same, other));
    return isElsewhere ? hints.otherPosition : null;
  }

  lostTerm() {
    const { owner } = TENSORS.get(this.name);
    for (const input of this.inputs) {
      const rest = this.variant(input, (matrix) => matrix.times(0));
      if (!this.isClearlyFound(rest)) continue;
      return owner && readersOf(owner).length > 1 ? filled(TABLE.hints.oneTerm, { owner }) : TABLE.hints.lostTerm;
    }
    return null;
  }

  /** The line with a multiple of a parameter, where that is so of all lines that read it. */
  scaledParameter() {
    for (const parameter of this.inputs.filter((input) => PARAMETERS.includes(input))) {
      const readers = COMPUTED.filter((name) =>
        name !== this.name && TENSORS.get(name).inputs.includes(parameter) && this.judge.found(name));
      const factor = readers.length ? this.multipleOf(parameter) : undefined;
      if (factor === undefined || !readers.every((reader) => this.holds(reader, parameter, factor))) continue;
      return filled(TABLE.hints.scaledParameter, { factor: factorText(factor), name: parameter });
    }
    return null;
  }

  /** The number that makes the line right when a parameter is multiplied by it. */
  multipleOf(parameter) {
    const rest = this.variant(parameter, (matrix) => matrix.times(0)).value;
    const [given, wanted] = [this.line.value.minus(rest).elements, this.found.minus(rest).elements];
    const factor = bestFactor(given, wanted);
    if (factor === undefined) return undefined;
    return this.isFound(this.variant(parameter, (matrix) => matrix.times(factor))) ? factor : undefined;
  }

  /** Whether another line of the file is right with a multiple of a parameter, and only so. */
  holds(reader, parameter, factor) {
    const isRight = (times) => {
      const line = this.judge.lineOf(reader, parameter, times);
      return line !== undefined && compareWithLine(this.judge.found(reader), line, this.precision) === "holds";
    };
    return isRight(factor) && !isRight(1);
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
    const isLost = this.inputs.some((input) =>
      this.isClearlyFound(this.variant(input, (matrix) => Matrix.filled(matrix.rows, matrix.columns, 1))));
    return isLost ? TABLE.hints.lostFactor : null;
  }

  otherEpsilon() {
    if (this.name !== "bnvar_inv" && this.name !== "dbnvar") return null;
    const others = ["0", "1e-12", "1e-8", "1e-7", "1e-6", "1e-4", "1e-3", "1e-2", "0.1", "1"];
    const epsilon = others.find((text) =>
      this.isFound(this.variant("bnvar", (matrix) => matrix.plus(Number(text) - 1e-5))));
    if (epsilon === undefined) return null;
    return epsilon === "0" ? TABLE.hints.noEpsilon : filled(TABLE.hints.otherEpsilon, { epsilon });
  }

  equalTensor() {
    const others = COMPUTED.filter((name) => name !== this.name && !this.inputs.includes(name));
    const equal = [...others, ...this.inputs].find((name) =>
      this.judge.reference.tensors.get(name)?.hasEqualElements(this.found) && !this.isMadeOfThis(name));
    return equal ? filled(TABLE.hints.equalTensor, { tensor: equal }) : null;
  }

  /** Whether a tensor is to the last bit what its line makes of this one: then being equal says nothing. */
  isMadeOfThis(other) {
    const line = TENSORS.get(other).inputs.includes(this.name) ? this.judge.lineOf(other) : undefined;
    return line !== undefined && (this.judge.value(other)?.equals(rounded(line.value, this.precision)) ?? false);
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

  /** The line with another tensor of the file in place of one of its inputs. */
  otherInput() {
    if (this.isFound(this.line)) return null;
    for (const input of this.inputs) {
      const expected = this.input(input);
      for (const other of NAMES) {
        if (other === input || other === this.name) continue;
        const value = this.judge.value(other);
        if (!value || value.rows !== expected.rows || value.columns !== expected.columns) continue;
        const rest = this.variant(input, () => value);
        if (this.isClearlyFound(rest)) return filled(TABLE.hints.otherInput, { tensor: other });
      }
    }
    return null;
  }

  /** A formula that is often mistaken for the line. */
  otherForm() {
    if (this.isFound(this.line)) return null;
    const form = this.wrongForms().find(([, value]) => this.isFoundLike(value()));
    return form ? TABLE.hints[form[0]] : null;
  }

  /** The line's sum along the other dimension, which has as many elements. */
  otherDimension() {
    const { found, line } = this;
    const axis = TENSORS.get(this.name).reducedAxis;
    const summands = axis === null || this.isFound(line) ? null : this.summands();
    if (!summands) return null;
    const sum = (matrix) => (axis === 0 ? matrix.sumOfColumns() : matrix.sumOfRows());
    const value = sum(summands);
    if (value.count !== found.count) return null;
    const shaped = (matrix) => matrix.reshaped(found.rows, found.columns);
    const other = {
      value: shaped(value), size: shaped(sum(summands.magnitude())),
      terms: Math.max(line.terms, summands.rows, summands.columns),
    };
    return this.isFound(other) ? TABLE.hints.otherSum : null;
  }

  /** What the line adds up. */
  summands() {
    const { n } = this;
    const given = (name) => this.input(name);
    switch (this.name) {
      case "bnmeani": return given("hprebn").times(1 / n);
      case "bnvar": return given("bndiff2").times(1 / (n - 1));
      case "counts_sum": return given("counts");
      case "dcounts_sum_inv": return given("counts").times(given("dprobs"));
      case "dbngain": return given("bnraw").times(given("dhpreact"));
      case "dbnbias": return given("dhpreact");
      case "dbnvar_inv": return given("bndiff").times(given("dbnraw"));
      case "dbnmeani": return given("dbndiff").negated();
      case "db2": return given("dlogits");
      default: return null;
    }
  }

  /** The line with another power of one of its inputs; the variance's includes ε. */
  otherPower() {
    if (this.isFound(this.line)) return null;
    for (const input of this.inputs) {
      if (!this.input(input).elements.every((x) => x > 0)) continue;
      for (const power of [-1, 2, 0.5, -2, -0.5, 1 / 3, 2 / 3, 4 / 3]) {
        const rest = this.variant(input, (x) =>
          (input === "bnvar" ? x.plus(1e-5).pow(power).plus(-1e-5) : x.pow(power)));
        if (this.isClearlyFound(rest)) return TABLE.hints.otherPower;
      }
    }
    return null;
  }

  transposed() {
    const { found, line } = this;
    const isSquare = (x) => x.rows === x.columns && x.rows > 1;
    const transpose = () => ({ value: line.value.transposed(), size: line.size.transposed(), terms: line.terms });
    if (isSquare(found) && this.isFound(transpose())) return TABLE.hints.transpose;
    const isFactor = this.inputs.some((input) => isSquare(this.input(input))
      && this.isClearlyFound(this.variant(input, (x) => x.transposed())));
    return isFactor ? TABLE.hints.transposedFactor : null;
  }

  /** The line's numbers in other places. */
  otherOrder() {
    const { found, line } = this;
    if (found.count < 2 || found.count > 2 ** 20) return null;
    const tolerance = Math.min(boundOf(line, this.precision).largest(), this.limit);
    const expected = line.value.elements.slice().sort();
    const isSame = found.elements.slice().sort().every((x, i) => Math.abs(x - expected[i]) <= tolerance);
    const isClear = found.elements.some((x, i) => Math.abs(x - line.value.elements[i]) > 32 * tolerance);
    return isSame && isClear ? TABLE.hints.otherOrder : null;
  }

  /** Common mistakes: the hint for each, and what it computes. */
  wrongForms() {
    const { n, line } = this;
    const given = (name) => this.input(name);
    switch (this.name) {
      case "dlogprobs": return [["everywhere", () => line.value.times(0).plus(-1 / n)]];
      case "dlogits": return [["lostTerm", () => given("probs").times(1 / n)]];
      case "dhpreact": {
        const [h, dh] = [given("h"), given("dh")];
        const others = [
          () => h.from(1), () => h, () => h.pow(2), () => h.pow(2).plus(1), () => h.tanh().pow(2).from(1),
        ];
        const forms = [
          ["sigmoidDerivative", () => h.times(h.from(1)).times(dh)],
          ["reluDerivative", () => h.map((x) => (x > 0 ? 1 : 0)).times(dh)],
          ...others.map((other) => ["otherDerivative", () => other().times(dh)]),
        ];
        const hpreact = this.judge.value("hpreact");
        if (!hpreact) return forms;
        return [...forms, ...[hpreact, h].map((x) => {
          const sigmoid = x.negated().exp().plus(1).pow(-1);
          return ["sigmoidDerivative", () => sigmoid.times(sigmoid.from(1)).times(dh)];
        })];
      }
      case "dhprebn": {
        const [dy, x] = [given("dhpreact"), given("bnraw")];
        const scale = given("bngain").times(given("bnvar_inv")).times(1 / n);
        const [mean, variance] = [dy.sumOfRows(), x.times(dy.times(x).sumOfRows())];
        const full = dy.times(n).minus(mean);
        return [
          ["besselInOneGo", () => scale.times(full.minus(variance))],
          ["lostTerm", () => scale.times(full)],
          ["lostTerm", () => scale.times(dy.times(n).minus(variance.times(n / (n - 1))))],
          ["lostTerm", () => scale.times(dy.times(n).minus(variance))],
        ];
      }
      default: return [];
    }
  }

  /** What the line reads: the file's, or what its line makes. */
  input(name) { return this.judge.versions.get(name)[0].input.value; }

  /** Whether these are the file's numbers, about as closely as the line could be them. */
  isFoundLike(value) {
    const { found, line } = this;
    if (value.rows !== found.rows || value.columns !== found.columns) return false;
    const like = { value, size: line.size.plus(value.magnitude()), terms: line.terms };
    return this.isClearlyFound(like);
  }

  constantDifference() {
    const difference = this.found.minus(this.line.value);
    const tolerance = 4 * Math.min(boundOf(this.line, this.precision).largest(), this.limit);
    if (!difference.elements.some((x) => Math.abs(x) > 8 * tolerance)) return null;
    const isConstant = (matrix) => matrix.columns > 1 && matrix.elements.every((x, i) =>
      i % matrix.columns === 0 || Math.abs(x - matrix.elements[i - (i % matrix.columns)]) <= tolerance);
    if (isConstant(difference)) return TABLE.hints.constantInRows;
    if (!isConstant(difference.transposed())) return null;
    const bias = this.inputs.find((input) => ["b1", "b2", "bnbias"].includes(input));
    return bias ? filled(TABLE.hints.otherBias, { name: bias, tensor: this.name }) : TABLE.hints.constantInColumns;
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
    const leftOut = unknown.filter((input) =>
      this.judge.isLeftOut(input) || this.judge.reference.otherTypes.has(input)).length;
    const sentence = leftOut === 0 ? hints.missingInputs
      : leftOut === unknown.length ? hints.leftOutInputs : hints.unknownInputs;
    return filled(sentence, { names: unknown.join(", "), are: unknown.length === 1 ? "is" : "are" });
  }

  /** The line with one input changed. */
  variant(changed, change) {
    const inputs = new Map(this.inputs.map((input) => {
      const given = this.judge.versions.get(input)[0].input;
      return [input, input === changed ? lineInput(change(given.value)) : given];
    }));
    return this.judge.evaluator.evaluate(this.name, inputs);
  }

  isFound(line) { return compareWithLine(this.found, line, this.precision, this.limit) === "holds"; }

  /** Whether a line that is more than rounding is the file's. */
  isClearlyFound(line) { return !this.isRounding(line) && this.isFound(line); }

  /** Whether nothing but rounding is in a line. */
  isRounding(line) {
    return compareWithLine(line.value.times(0), line, this.precision, this.limit) === "holds";
  }

  /** What a ratio usually means. */
  kindOf(factor) {
    const { n, vocabulary } = this;
    const ratios = {
      bessel: n / (n - 1), mean: n, meanWithoutOne: n - 1, meanOfRow: vocabulary, square: 2, exponent: 2,
    };
    const kinds = [[1, "sign"], ...TENSORS.get(this.name).factors.flatMap((kind) =>
      [[ratios[kind], kind], [1 / ratios[kind], kind]])];
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
  const factor = bestFactor(line.value.elements, found.elements);
  if (factor === undefined) return undefined;
  const multiple = {
    value: line.value.times(factor), size: line.size.times(2 * Math.abs(factor)), terms: line.terms,
  };
  const scaledLimit = Math.max(1, Math.abs(factor)) * limit;
  return compareWithLine(found, multiple, precision, scaledLimit) === "holds" ? factor : undefined;
}

/** The number that comes nearest to making some numbers others; undefined if that is 1, or nothing does. */
function bestFactor(given, wanted) {
  let [products, squares] = [0, 0];
  given.forEach((x, i) => {
    products += wanted[i] * x;
    squares += x * x;
  });
  const factor = products / squares;
  return Number.isFinite(factor) && factor !== 0 && Math.abs(factor - 1) > 1e-5 ? factor : undefined;
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
    const whole = this.whole();
    // If there are as many windows as units, only the sum's dimension tells them apart.
    if (whole && this.axis !== null && !sameShape(found, expected) && isIn(LineShapes.reduced(whole, 1 - this.axis))) {
      return "otherDimension";
    }
    if (found.length === 2 && sameShape(found, [...expected].reverse())) return "transposedShape";
    if (this.name === "dC" && found[found.length - 1] === expected[1]) {
      return count(found) < count(expected) ? "summed" : "notSummed";
    }
    const lost = new Map([...given].filter(([input]) => this.inputs.includes(input)));
    const repeated = this.whole(lost);
    if (this.isElementwise && lost.size > 0 && repeated && sameShape(found, repeated)) return "keepdim";
    if (found.length === 2 && found[0] === found[1] && expected.length === 2 && expected.includes(1)
      && expected.includes(found[0])) return "keepdimOrSum";
    if (whole && this.axis !== null && sameShape(found, whole)) return "notSummed";
    if (found.length === expected.length && found.every((size, i) => size === expected[i] || size === 1)) {
      return whole && sameShape(found, whole) ? "notRepeated" : "summed";
    }
    if (count(found) === count(expected)) return "otherForm";
    return this.sizes.others(new Map([[this.name, found]]), 1) ? "shapeOfAnother" : "otherShape";
  }
}

/** What to note about a line that is right: a lost dimension, or what its numbers cannot show. */
function noteOn(name, found, judge) {
  const { reference } = judge;
  const shape = reference.sizes.shape(name);
  const given = reference.shapes.get(name);
  if (given && shape.includes(1)) {
    return filled(TABLE.hints.lostDimension, { found: shapeText(given), expected: shapeText(shape) });
  }
  const { cancels } = TENSORS.get(name);
  if (!cancels) return null;
  const isSignSeen = judge.cancellingTerms(name, cancels) && !found.elements.every((x) => x === 0);
  return isSignSeen ? TABLE.hints.unseenFactor : TABLE.hints.unseenSign;
}

/** What to look at where the numbers show no kind of mistake; never the line itself. */
function question(name) {
  const { hints } = TABLE;
  const { owner, inputs } = TENSORS.get(name);
  if (owner === null) return inputs.length ? filled(hints.reads, { names: inputs.join(", ") }) : "";
  const lines = readersOf(owner).map((reader) => `${reader} = ${TENSORS.get(reader).notebookLine}`);
  return filled(lines.length === 1 ? hints.forwardLine : hints.forwardLines, { lines: lines.join("; ") });
}
