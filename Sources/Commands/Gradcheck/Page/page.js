// What the page shows and does: a dropped file, the chosen tensor, the list, and the tabs.

const byId = (id) => document.getElementById(id);

/** The state of the tabs: verdicts by name, shapes, and whatever else they show. */
const app = { mode: "file", chosen: null, file: null, practice: null };

const current = () => (app.mode === "file" ? app.file : app.practice?.result ?? null);

function verdictOf(name) {
  return current()?.lines?.find((line) => line.name === name) ?? null;
}

function states() {
  const lines = current()?.lines ?? [];
  return new Map(lines.map((line) => [line.name, line.kind]));
}

function shapes() {
  const result = current();
  const sizes = result?.sizes;
  return new Map(NAMES.map((name) => {
    if (!sizes) return [name, symbolicShape(name)];
    const given = result.shapes.get(name);
    return [name, shapeText(given ?? sizes.shape(name))];
  }));
}

function choose(name, focus = false) {
  app.chosen = name;
  render();
  if (!focus) return;
  const target = byId("detail").querySelector("textarea") ?? byId("detail");
  target.focus();
}

/** A button that chooses a tensor. */
function tensorButton(name) {
  return element("button", { type: "button", class: "tensor-link", onclick: () => choose(name, true) }, name);
}

function tensorButtons(names) {
  return names.flatMap((name, i) => [i ? ", " : "", TENSORS.has(name) ? tensorButton(name) : name]);
}

function badge(kind) {
  const { sign, word } = SIGNS[kind];
  return element("span", { class: `badge ${kind.replace(" ", "-")}` },
    element("span", { "aria-hidden": "true" }, sign ? sign + " " : ""), word);
}

function render() {
  graph.show(states(), shapes(), app.chosen);
  renderDetail();
  renderList();
}

// MARK: The chosen tensor

function renderDetail() {
  const detail = byId("detail");
  const name = app.chosen;
  if (!name) {
    detail.replaceChildren(element("p", { class: "note" },
      "Choose a tensor in the picture: its forward lines, what it reads, and what is known of yours."));
    return;
  }
  const row = TENSORS.get(name);
  const isParameter = PARAMETERS.includes(name);
  const isPractised = app.mode === "practice" && !isParameter;
  const wasOpen = detail.querySelector("details.answer")?.open && detail.dataset.name === name;
  detail.dataset.name = name;
  const answer = isParameter ? null : answerOf(name, row);
  detail.replaceChildren(element("div", { class: "detail-head", id: "detail-head" }),
    ...(isPractised ? editorOf(name) : []),
    element("div", { id: "detail-result" }), ...linesOf(name, row),
    ...(isPractised ? [numbersAround(name)] : []), ...(answer ? [answer] : []));
  if (wasOpen) answer.open = true;
  renderHead();
}

/** The state of the chosen tensor: what changes while its lines are typed. */
function renderHead() {
  const name = app.chosen;
  const verdict = verdictOf(name);
  const isParameter = PARAMETERS.includes(name);
  const kind = verdict?.kind ?? (isParameter ? "given" : "none");
  byId("detail-head").replaceChildren(
    element("h2", {}, element("code", {}, name)), element("span", { class: "shape" }, shapes().get(name)),
    badge(kind));
  byId("detail-result").replaceChildren(...(verdict ? explanation(verdict) : []),
    ...(app.mode === "practice" && !isParameter ? cellResult(name) : []));
}

/** Everything but the cell that is being typed in. */
function renderResult() {
  graph.show(states(), shapes(), app.chosen);
  renderHead();
  renderList();
}

/** What is known of a line: hints in the command's words. */
function explanation(verdict) {
  const { name, kind, from, hint } = verdict;
  const parts = [];
  if (isFault(verdict)) parts.push(element("p", { class: "hint here" }, hint ?? question(name)));
  else if (hint) parts.push(element("p", { class: "hint" }, hint));
  if (kind === "follows") {
    const misfits = from.length ? from.join(", ") : current().cause;
    parts.push(element("p", {}, ...(isMisfit(verdict) ? [`Does not fit the file's ${misfits}.`]
      : ["Right given your inputs; the mistake is in ", ...tensorButtons(from), "."])));
  }
  return parts;
}

function linesOf(name, row) {
  const list = element("dl", { class: "lines" });
  const add = (term, ...content) => list.append(element("dt", {}, term), element("dd", {}, ...content));
  const code = (text) => element("pre", {}, element("code", {}, text));
  const [owner, inputs] = [row.owner, row.inputs];
  if (owner) {
    const readers = readersOf(owner);
    add(readers.length === 1 ? "Forward line to go back through"
      : `Forward lines to go back through (${owner} has ${readers.length} uses)`,
    ...readers.map((reader) => code(NOTEBOOK_LINES.get(reader))));
    const gradients = GRADIENTS.filter((gradient) => TENSORS.get(gradient).inputs.includes(name));
    if (gradients.length) add("Read by", ...tensorButtons(gradients));
    add("Gradient of", tensorButton(owner));
  } else {
    if (row.line) add("Line", code(NOTEBOOK_LINES.get(name)));
    if (inputs.length || row.ids) add("Reads", ...tensorButtons([...inputs, ...(row.ids ? [row.ids] : [])]));
    const readers = readersOf(name);
    const term = readers.length > 1 ? `Used ${readers.length} times, by` : "Used by";
    if (readers.length) add(term, ...tensorButtons(readers));
    if (gradientOf(name)) add("Its gradient", tensorButton(gradientOf(name)));
  }
  return [list];
}

/** The answer, on request: the line and its derivation. */
function answerOf(name, row) {
  const blocks = DERIVATION.get(row.section) ?? [];
  const isAnswer = isGradient(name);
  const content = element("div", {});
  const title = row.section.replaceAll("`", "");
  const summaryText = isAnswer ? "Show the answer and its derivation" : `The derivation around it: ${title}`;
  const details = element("details", { class: "answer" }, element("summary", {}, summaryText), content);
  details.addEventListener("toggle", () => {
    if (!details.open || content.childNodes.length) return;
    if (isAnswer) {
      content.append(element("p", {}, "The line of ", element("code", {}, name), ":"),
        element("pre", { class: "solution" }, element("code", {}, NOTEBOOK_LINES.get(name))),
        element("p", { class: "note" }, "In Swift: ", element("code", {}, `${name} = ${row.line}`)),
        element("h3", {}, title));
      const answers = blocks.filter((block) => block.isAnswer);
      content.append(...renderBlocks(answers));
    } else {
      content.append(...renderBlocks(blocks.filter((block) => !block.isAnswer)));
    }
  });
  return details;
}

// MARK: The list

function renderList() {
  const all = shapes();
  byId("list-section").hidden = current() === null;
  const body = COMPUTED.map((name) => {
    const verdict = verdictOf(name);
    const kind = verdict?.kind ?? "none";
    let notes = [];
    if (verdict) {
      if (isFault(verdict)) notes = [verdict.hint ?? question(name)];
      else if (kind === "follows") {
        notes = isMisfit(verdict) ? [verdict.from.join(", ") || (current().cause ?? "")]
          : ["from ", ...tensorButtons(verdict.from)];
      }
      if (!isFault(verdict) && verdict.hint) notes.push(notes.length ? "; " : "", verdict.hint);
    }
    return element("tr", { class: kind.replace(" ", "-") },
      element("th", { scope: "row" }, tensorButton(name)), element("td", { class: "shape" }, all.get(name)),
      element("td", {}, badge(kind)), element("td", {}, notes));
  });
  byId("list").tBodies[0].replaceChildren(...body);
}

function renderLegend() {
  const kinds = ["right", "here", "follows", "missing", "shape", "not comparable"];
  const badgeOf = (kind) => element(
    "span", { class: `badge ${kind.replace(" ", "-")}`, "aria-hidden": "true" }, SIGNS[kind].sign);
  const text = (kind) => (kind === "follows" ? "follows from a mistake before it" : SIGNS[kind].word);
  byId("legend").append(...kinds.map((kind) => element("li", {}, badgeOf(kind), " " + text(kind))),
    element("li", {}, element("span", { class: "stroke forward" }), " forward"),
    element("li", {}, element("span", { class: "stroke back" }), " the way back"),
    element("li", {}, element("span", { class: "stroke wrong" }), " a mistake on its way"),
    element("li", {}, element("span", { class: "frame" }), " two uses: the gradient has two terms"));
}

// MARK: A file

/** The most bytes of a file, and multiplications in a product of its pass, that are tried in a browser. */
const FILE_LIMIT = 512e6;
const WORK_LIMIT = 4e7;
/** How many files were opened: of several, the last one is shown, however long each takes to read. */
let filesOpened = 0;

async function openFile(file) {
  filesOpened += 1;
  const number = filesOpened;
  byId("file-name").textContent = `${file.name}: reading …`;
  let outcome;
  try {
    if (file.size > FILE_LIMIT) {
      refuse(`${file.size} bytes are more than this page reads; gradcheck --reference does`);
    }
    const content = await file.arrayBuffer();
    if (number !== filesOpened) return;
    outcome = judgeBytes(new Uint8Array(content));
  } catch (error) {
    if (error instanceof RangeError) error.message = "too large for this browser; gradcheck --reference reads it";
    else if (!(error instanceof FileError || error instanceof DOMException)) throw error;
    outcome = { error: error.message };
  }
  if (number !== filesOpened) return;
  app.file = outcome.error === undefined ? outcome : null;
  showOutcome(file.name, outcome);
}

/** Judges a file; a FileError is part of the outcome. */
function judgeBytes(bytes) {
  const started = performance.now();
  let reference;
  try {
    reference = readReference(bytes);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { error: error.message, advice: "The lines above, at the end of your notebook, write the file." };
  }
  const { sizes } = reference;
  if (sizes.n * sizes.hidden * (sizes.context + sizes.vocabulary) > WORK_LIMIT) {
    return { error: "these sizes take too long in a browser", advice: "gradcheck --reference judges them." };
  }
  const verdicts = judgeReference(reference);
  if (isNothingJudged(verdicts)) {
    const [error, advice] = nothingToJudge(reference);
    return { error, advice: `${advice} The lines above, at the end of your notebook, write the file.` };
  }
  return {
    ...verdicts, reference, sizes,
    shapes: new Map([...reference.shapes, ...reference.misshapen, ...reference.stale]),
    milliseconds: performance.now() - started,
  };
}

function showOutcome(name, outcome) {
  const place = byId("outcome");
  if (outcome.error !== undefined) {
    byId("file-name").textContent = "";
    place.replaceChildren(element("div", { class: "card refused" },
      element("p", { class: "message" }, `${name}: ${outcome.error}`),
      outcome.advice ? element("p", { class: "note" }, outcome.advice) : null));
    app.chosen = null;
    render();
    return;
  }
  const { reference, sizes } = outcome;
  byId("snippet-details").open = false;
  byId("file-name").textContent = `${name}: ${sizes.n} windows of ${sizes.block}, embedding ${sizes.embedding}, `
    + `hidden ${sizes.hidden}, vocabulary ${sizes.vocabulary}, ${reference.precision.name}`;
  place.replaceChildren(summary(outcome));
  app.chosen = outcome.lines.find(isFault)?.name ?? null;
  render();
}

/** How many lines have each verdict, in the command's words. */
function countsText(lines) {
  const { words } = TABLE;
  const kinds = [
    ["right", words.right], ["here", words.here], ["shape", words.shape],
    ["follows", words.follow], ["follows", words.misfit], ["not comparable", words.notComparable],
    ["missing", words.missing],
  ];
  const counts = kinds.map(([kind, word]) =>
    [lines.filter((line) => line.kind === kind && isMisfit(line) === (word === words.misfit)).length, word]);
  if (counts[0][0] === lines.length) return filled(words.allRight, { count: lines.length });
  return counts.filter(([count, word]) => count > 0 || word === words.right)
    .map(([count, word]) => `${count} ${word}`).join(", ");
}

/** Lines grouped by key, in the order in which the keys first occur. */
function grouped(lines, key) {
  const groups = new Map();
  for (const line of lines) groups.set(key(line), [...(groups.get(key(line)) ?? []), line]);
  return [...groups.values()];
}

/** What is wrong with a file as a whole. */
function causeText({ lines, cause }) {
  const { words } = TABLE;
  if (cause === "minibatch") return words.minibatch;
  const changed = changedParameters(lines);
  if (changed.length === 0) return words.parameters;
  if (changed.length > 1) return filled(words.someParameters, { names: changed.join(", ") });
  return filled(words.oneParameter, { name: changed[0], line: lines.find(isMisfit).name });
}

/** What `gradcheck --reference` prints, as elements. */
function summary(outcome) {
  const { lines, cause, reference } = outcome;
  const { words } = TABLE;
  const names = (some) => tensorButtons(some.map((line) => line.name));
  const forward = lines.filter((line) => !isGradient(line.name));
  const gradients = lines.filter((line) => isGradient(line.name));
  const rows = [];
  if (cause) {
    rows.push(element("p", { class: "hint here" }, causeText(outcome)),
      element("p", {}, `${words.misfit}: `, names(lines.filter(isMisfit))));
  }
  for (const line of lines.filter(isFault)) {
    rows.push(element("p", { class: "fault" }, tensorButton(line.name), " ", badge(line.kind), " ",
      element("span", {}, line.hint ?? question(line.name))));
  }
  const followers = lines.filter((line) => line.kind === "follows" && !isMisfit(line));
  for (const group of grouped(followers, (line) => line.from.join())) {
    const causes = tensorButtons(group[0].from);
    rows.push(element("p", { class: "followers" }, "follow from ", causes, ": ", names(group)));
  }
  for (const line of lines.filter((line) => line.kind === "right" && line.hint)) {
    rows.push(element("p", { class: "note" }, "note: ", tensorButton(line.name), " " + line.hint));
  }
  for (const group of grouped(lines.filter((line) => line.kind === "not comparable"), (line) => line.hint)) {
    const shown = group.flatMap((line, i) => [i ? ", " : "", tensorButton(line.name),
      reference.stale.has(line.name) ? " " + shapeText(reference.stale.get(line.name)) : ""]);
    rows.push(element("p", { class: "note" }, `${words.notComparable}: `, shown, ` (${group[0].hint})`));
  }
  const missing = lines.filter((line) => line.kind === "missing");
  rows.push(element("p", { class: "note" }, `${words.missing}: `, missing.length ? names(missing) : "none"));
  if (reference.ignored.length) {
    const isMissing = (name) => missing.some((line) => line.name === name);
    const ignored = reference.ignored.map((name) => {
      const near = nearestTensor(name);
      return near && isMissing(near) ? `${shownName(name)} (${near}?)` : shownName(name);
    });
    rows.push(element("p", { class: "note" }, `not compared: ${ignored.join(", ")}`));
  }
  const passed = hasPassed(outcome);
  return element("div", { class: `card ${passed ? "passed" : "failed"}` },
    element("p", { class: "counts" }, element("span", {}, "forward: " + countsText(forward)), " ",
      element("span", {}, "gradients: " + countsText(gradients))), rows);
}

// MARK: Tabs

function showTab(mode) {
  app.mode = mode;
  for (const name of ["file", "practice"]) {
    const tab = byId(`tab-${name}`);
    tab.setAttribute("aria-selected", name === mode);
    tab.tabIndex = name === mode ? 0 : -1;
    byId(`panel-${name}`).hidden = name !== mode;
  }
  if (mode === "practice") startPractice();
  else app.chosen = app.file?.lines.find(isFault)?.name ?? null;
  render();
}

function listen() {
  for (const name of ["file", "practice"]) {
    const tab = byId(`tab-${name}`);
    tab.addEventListener("click", () => showTab(name));
    tab.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      const other = name === "file" ? "practice" : "file";
      showTab(other);
      byId(`tab-${other}`).focus();
    });
  }
  byId("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) openFile(file);
    event.target.value = "";
  });
  const drop = byId("drop");
  let depth = 0;
  const mark = (change) => {
    depth = Math.max(0, depth + change);
    drop.classList.toggle("over", depth > 0);
  };
  // A file that misses the box must not replace the page.
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("dragenter", () => mark(1));
  addEventListener("dragleave", () => mark(-1));
  addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-depth);
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    if (app.mode !== "file") showTab("file");
    openFile(file);
  });
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(TABLE.snippet);
      byId("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byId("snippet"));
      byId("copy").textContent = "Selected";
    }
  });
}

byId("snippet").textContent = TABLE.snippet;
const graph = new Graph(byId("graph"), choose);
renderLegend();
listen();
listenToPractice();
render();
