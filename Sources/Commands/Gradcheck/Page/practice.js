// Practice without a file: a tiny minibatch, a cell of lines for each tensor, and what they make of it. The cells
// run in the derivation's order; the results are judged as a notebook's file is, beside central differences.

const EXAMPLE_SIZES = new Sizes({ n: 4, block: 3, embedding: 2, hidden: 5, vocabulary: 3 });
const EXAMPLE_NAMES = {
  n: 4, batch_size: 4, block_size: 3, n_embd: 2, n_hidden: 5, vocab_size: 3,
};
// The windows of "abba": . is 0, a is 1, b is 2.
const EXAMPLE = {
  Xb: [0, 0, 0, 0, 0, 1, 0, 1, 2, 1, 2, 2],
  Yb: [1, 2, 2, 1],
  C: [0.6, -0.4, -0.9, 0.5, 0.3, 1.1],
  W1: [
    0.7, -0.2, 0.4, 0.9, -0.5, -0.3, 0.8, 0.1, -0.6, 0.2, 0.5, 0.3, -0.7, 0.2, 0.6,
    -0.8, 0.4, 0.9, -0.1, -0.4, 0.1, -0.9, 0.3, 0.5, 0.7, 0.6, 0.2, -0.5, 0.8, -0.3,
  ],
  b1: [0.1, -0.2, 0.05, 0.15, -0.1],
  W2: [0.4, -0.7, 0.2, -0.3, 0.5, 0.6, 0.8, 0.1, -0.5, -0.2, 0.9, -0.4, 0.3, -0.6, 0.7],
  b2: [0.1, -0.1, 0.2],
  bngain: [1.1, 0.9, 1.2, 0.8, 1.05],
  bnbias: [0.1, -0.05, 0.2, -0.15, 0],
};
const GIVEN = new Set([
  ...PARAMETERS, "Xb", "Yb", "torch", "F", "range", "len", "enumerate", ...Object.keys(EXAMPLE_NAMES),
]);
const STORAGE_KEY = "charmlp-gradcheck-practice";
/** How much a cell may do, all cells, and all runs of central differences: well below a second of each. */
const CELL_WORK = 100_000;
const RUN_WORK = 400_000;
const SLOPES_WORK = 600_000;

const exampleMatrix = (name, elements) => new Matrix(...EXAMPLE_SIZES.matrixShape(name), elements);

/** A value as the matrix of a tensor whose shape it has; undefined if it is none. */
const matrixOf = (value, name) => (value instanceof NotebookTensor && EXAMPLE_SIZES.accepts(value.shape, name)
  ? exampleMatrix(name, value.data) : undefined);

const exampleProblem = {
  Xb: EXAMPLE.Xb, Yb: EXAMPLE.Yb,
  ...Object.fromEntries(PARAMETERS.map((name) =>
    [name, exampleMatrix(name, Float64Array.from(EXAMPLE[name]))])),
};

class Practice {
  constructor() {
    this.parsed = new Map();
    this.numeric = new Map();
    this.cells = new Map(COMPUTED.map((name) => [name, this.initial(name)]));
    this.load();
    this.run();
  }

  initial(name) { return isGradient(name) ? "" : NOTEBOOK_LINES.get(name); }

  // MARK: Kept in the page's own storage

  load() {
    try {
      const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}");
      for (const [name, text] of Object.entries(kept)) {
        if (this.cells.has(name) && typeof text === "string") this.cells.set(name, text);
      }
    } catch { /* There may be no storage; then nothing is kept. */ }
  }

  save() {
    const changed = [...this.cells].filter(([name, text]) => text !== this.initial(name));
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(Object.fromEntries(changed)));
    } catch { /* As above. */ }
  }

  write(name, text) {
    this.cells.set(name, text);
    this.save();
    this.run();
  }

  reset() {
    for (const name of COMPUTED) this.cells.set(name, this.initial(name));
    this.save();
    this.run();
  }

  // MARK: Running

  /** The statements of a cell, or the error in it. */
  statements(name) {
    const text = this.cells.get(name);
    const kept = this.parsed.get(name);
    if (kept?.text === text) return kept;
    const result = { text };
    try {
      result.statements = NotebookParser.parse(text);
    } catch (error) {
      result.error = NotebookError.from(error);
    }
    this.parsed.set(name, result);
    return result;
  }

  newScope() {
    const scope = new Map(Object.entries(EXAMPLE_NAMES));
    for (const name of PARAMETERS) {
      const given = new NotebookTensor(EXAMPLE_SIZES.shape(name), Float64Array.from(EXAMPLE[name]));
      scope.set(name, given);
    }
    scope.set("Xb", new NotebookTensor([4, 3], Float64Array.from(EXAMPLE.Xb), true));
    scope.set("Yb", new NotebookTensor([4], Float64Array.from(EXAMPLE.Yb), true));
    return scope;
  }

  runCell(name, scope, errors, fallback) {
    const { statements, error } = this.statements(name);
    try {
      if (error) throw error;
      new NotebookRunner(scope, GIVEN, fallback).run(statements);
    } catch (caught) {
      errors.set(name, NotebookError.from(caught));
    }
  }

  /** Runs all cells and judges what they made. If that fails, nothing is right: no older result stays. */
  run() {
    this.forwardText = FORWARD.map((name) => this.cells.get(name)).join("\n");
    try {
      this.result = this.runAndJudge();
    } catch (caught) {
      const error = NotebookError.from(caught);
      this.result = {
        lines: COMPUTED.map((name) => ({ name, kind: "missing", from: [], hint: null })), cause: null,
        reference: { tensors: new Map() }, shapes: new Map(), scope: new Map(),
        errors: new Map(COMPUTED.map((name) => [name, error])), borrowed: new Map(), sizes: EXAMPLE_SIZES,
      };
    }
  }

  runAndJudge() {
    const made = { scope: this.newScope(), errors: new Map(), borrowed: new Map() };
    const ours = allowing(RUN_WORK, () => this.runCells(made));
    return { ...this.judge(made, ours), ...made, sizes: EXAMPLE_SIZES };
  }

  /** Runs all cells in one scope, and gives our gradients for their forward pass. */
  runCells({ scope, errors, borrowed }) {
    const runCell = (...cell) => allowing(CELL_WORK, () => this.runCell(...cell));
    for (const name of FORWARD) runCell(name, scope, errors);
    // Gradients that are not written yet are ours, computed for their forward pass.
    const ours = new Pass(exampleProblem);
    for (const name of FORWARD) {
      const value = matrixOf(scope.get(name), name);
      if (value) ours[name] = value.map((x) => x);
    }
    for (const cell of GRADIENTS) {
      runCell(cell, scope, errors, (name) => {
        if (!GRADIENTS.includes(name) || name === cell || this.cells.get(name).trim() !== "") return undefined;
        borrowed.set(cell, (borrowed.get(cell) ?? new Set()).add(name));
        return new NotebookTensor(EXAMPLE_SIZES.shape(name), ours[name].elements.slice());
      });
    }
    return ours;
  }

  /** Gradients that are not written are ours while the others are judged; lines with an error are not right. */
  judge({ scope, errors }, ours) {
    const reference = {
      precision: PRECISIONS.F64, problem: exampleProblem, sizes: EXAMPLE_SIZES, tensors: new Map(),
      shapes: new Map(), misshapen: new Map(), stale: new Map(), otherTypes: new Map(), ignored: [],
    };
    for (const name of COMPUTED) {
      if (!scope.has(name)) {
        if (isGradient(name)) reference.tensors.set(name, ours[name]);
        continue;
      }
      const { shape, data } = asTensor(scope.get(name));
      if (!EXAMPLE_SIZES.accepts(shape, name)) {
        reference.misshapen.set(name, shape);
        continue;
      }
      reference.tensors.set(name, exampleMatrix(name, data.slice()));
      if (!sameShape(shape, EXAMPLE_SIZES.shape(name))) reference.shapes.set(name, shape);
    }
    const { lines, cause } = judgeReference(reference);
    const isWritten = ({ name, kind }) => scope.has(name) && !(kind === "right" && errors.has(name));
    const written = lines.map((line) =>
      (isWritten(line) ? line : { ...line, kind: "missing", from: [], hint: null }));
    return { lines: written, cause, reference, shapes: new Map([...reference.shapes, ...reference.misshapen]) };
  }

  // MARK: Central differences of the loss that the forward cells compute

  /** The loss with one element moved; NaN if the forward lines do not compute one. */
  lossWith(owner, index, step) {
    const errors = new Map();
    const move = (tensor) => {
      const moved = tensor.clone();
      moved.data[index] += step;
      return moved;
    };
    const scope = this.newScope();
    if (PARAMETERS.includes(owner)) scope.set(owner, move(scope.get(owner)));
    for (const name of FORWARD) {
      this.runCell(name, scope, errors);
      if (errors.size) return NaN;
      if (name === owner && scope.get(name) instanceof NotebookTensor) scope.set(name, move(scope.get(name)));
    }
    const loss = scope.get("loss");
    return loss === undefined ? NaN : asTensor(loss).data[0];
  }

  /** The slope of the loss in each element of a gradient's tensor; null if there is no loss, or none in time. */
  slopes(gradient) {
    const key = gradient + "\n" + this.forwardText;
    if (!this.numeric.has(key)) {
      if (this.numeric.size > 100) this.numeric.clear();
      this.numeric.set(key, this.slopesInTime(TENSORS.get(gradient).owner));
    }
    return this.numeric.get(key);
  }

  slopesInTime(owner) {
    try {
      return allowing(SLOPES_WORK, () => this.computeSlopes(owner));
    } catch {
      return null;
    }
  }

  computeSlopes(owner) {
    const value = PARAMETERS.includes(owner) ? this.newScope().get(owner) : this.result.scope.get(owner);
    if (!matrixOf(value, owner)) return null;
    const slopes = value.data.map((x, i) => {
      const step = 1e-5 * Math.max(Math.abs(x), 0.1);
      return (this.lossWith(owner, i, step) - this.lossWith(owner, i, -step)) / (2 * step);
    });
    return slopes.some((x) => Number.isNaN(x)) ? null : exampleMatrix(owner, slopes);
  }

  // MARK: Progress

  kind(name) { return this.result.lines.find((line) => line.name === name).kind; }

  get done() { return GRADIENTS.filter((name) => this.kind(name) === "right").length; }

  get next() { return GRADIENTS.find((name) => this.kind(name) !== "right"); }
}

// MARK: What the page shows of it

function startPractice() {
  app.practice ??= new Practice();
  app.chosen = app.practice.next ?? GRADIENTS[0];
  showProgress();
  const place = byId("example-numbers");
  if (place.childNodes.length) return;
  const scope = app.practice.newScope();
  const ids = (name, rows, columns) =>
    numberTable(name, new Matrix(rows, columns, scope.get(name).data), { digits: 0 });
  place.append(ids("Xb", 4, 3), ids("Yb", 1, 4),
    ...PARAMETERS.map((name) => numberTable(name, exampleProblem[name], { digits: 2 })));
}

function showProgress() {
  const { done } = app.practice;
  byId("progress").value = done;
  byId("progress-text").textContent =
    done === GRADIENTS.length ? "All 26 gradients are right." : `${done} of 26 right`;
}

function numberText(x, digits) {
  if (!Number.isFinite(x)) return String(x);
  const text = x === 0 || Math.abs(x) >= 0.5 * 10 ** -digits ? x.toFixed(digits) : x.toExponential(0);
  return text.replaceAll("-", "−");
}

/** A matrix as a table with a caption; elements for which `isOff` says so are marked. */
function numberTable(caption, matrix, { digits = 4, isOff = () => false, note = "" } = {}) {
  const cells = Array.from(matrix.elements, (x, i) => {
    const mark = isOff(i) ? element("span", { class: "visually-hidden" }, "differs: ") : null;
    return element("td", { class: mark ? "off" : null }, mark, numberText(x, digits));
  });
  const rows = Array.from({ length: matrix.rows }, (_, i) =>
    element("tr", {}, cells.slice(i * matrix.columns, (i + 1) * matrix.columns)));
  return element("figure", { class: "matrix" },
    element("figcaption", {}, element("code", {}, caption), note ? ` ${note}` : ""),
    element("div", { class: "scroll" }, element("table", {}, element("tbody", {}, rows))));
}

/** The height of a cell, that grows with its lines up to a screen. */
const rowsFor = (text) => Math.min(60, Math.max(2, text.split("\n").length + 1));

/** The cell of a tensor: where its lines are written. */
function editorOf(name) {
  const { cells } = app.practice;
  const isForward = !isGradient(name);
  const field = element("textarea", {
    id: "cell", rows: rowsFor(cells.get(name)), spellcheck: "false",
    autocomplete: "off", autocapitalize: "off", "aria-describedby": "cell-message", placeholder: `${name} = `,
  });
  field.value = cells.get(name);
  let timer;
  field.addEventListener("input", () => {
    field.rows = rowsFor(field.value);
    clearTimeout(timer);
    timer = setTimeout(() => {
      app.practice.write(name, field.value);
      showProgress();
      renderResult();
    }, 120);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const before = field.value.slice(0, field.selectionStart).split("\n").at(-1);
    const indent = before.match(/^ */)[0] + (before.trimEnd().endsWith(":") ? "    " : "");
    if (!indent) return;
    event.preventDefault();
    field.setRangeText("\n" + indent, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input"));
  });
  const label = isForward ? `The forward line of ${name}; change it and see` : `Your line, or lines, for ${name}`;
  return [element("label", { for: "cell" }, label), field];
}

/** What the cell made: an error, or the numbers beside central differences. */
function cellResult(name) {
  const { result } = app.practice;
  const parts = [];
  const message = element("p", { id: "cell-message", class: "message", role: "status" });
  const error = result.errors.get(name);
  if (error) {
    message.classList.add("error");
    const isLong = app.practice.cells.get(name).includes("\n");
    message.textContent = (isLong && error.line ? `line ${error.line}: ` : "") + error.message;
  } else if (result.borrowed.has(name)) {
    const names = [...result.borrowed.get(name)];
    message.append("Not written yet, so ours: ", ...tensorButtons(names), ".");
  }
  parts.push(message);
  const value = matrixOf(result.scope.get(name), name);
  if (!isGradient(name)) {
    if (value) parts.push(element("div", { class: "numbers" }, numberTable(name, value)));
    return parts;
  }
  const slopes = app.practice.slopes(name);
  if (!slopes) {
    parts.push(element("p", { class: "note" },
      "The forward lines compute no loss, or take too long, so there are no central differences."));
    return parts;
  }
  const tolerance = 1e-6 * Math.max(1e-2, ...slopes.elements.map(Math.abs));
  const isOff = (i) => !(Math.abs(value.elements[i] - slopes.elements[i]) <= tolerance);
  const tables = element("div", { class: "numbers" });
  if (value) {
    const count = slopes.elements.filter((_, i) => isOff(i)).length;
    tables.append(numberTable(name, value, {
      isOff, note: count === 0 ? "yours: agrees everywhere" : `yours: ${count} of ${slopes.count} differ`,
    }));
  }
  tables.append(numberTable("central differences", slopes, { digits: 4 }));
  parts.push(tables);
  return parts;
}

/** The numbers of the forward lines that a gradient goes back through, and of the gradients that reach them. */
function numbersAround(name) {
  const { owner } = TENSORS.get(name);
  const readers = owner ? readersOf(owner) : [name];
  const names = new Set(readers.flatMap((reader) => [...TENSORS.get(reader).inputs, reader]));
  if (owner) for (const reader of readers) if (gradientOf(reader)) names.add(gradientOf(reader));
  const tables = [...names].flatMap((other) => {
    const { scope, reference } = app.practice.result;
    const value = PARAMETERS.includes(other) ? exampleProblem[other] : reference.tensors.get(other);
    if (!value) return [];
    return [numberTable(other, value, { digits: 3, note: scope.has(other) ? "" : "(ours)" })];
  });
  return element("details", { open: true }, element("summary", {}, "The numbers in these lines"),
    element("div", { class: "numbers" }, tables));
}

function listenToPractice() {
  byId("next").addEventListener("click", () => choose(app.practice.next ?? GRADIENTS[0], true));
  const reset = byId("reset");
  reset.addEventListener("click", () => {
    if (reset.dataset.sure !== "yes") {
      reset.dataset.sure = "yes";
      reset.textContent = "Delete all your lines?";
      return;
    }
    app.practice.reset();
    forget();
    startPractice();
    render();
  });
  const forget = () => {
    delete reset.dataset.sure;
    reset.textContent = "Start over";
  };
  reset.addEventListener("blur", forget);
}
