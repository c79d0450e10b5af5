// docs/derivation.md, which is embedded in this page: its sections, the PyTorch lines in them, and its formulas as
// MathML. Only what that document uses of Markdown and LaTeX is understood; no text becomes HTML.

/** An element with attributes, listeners and children. */
const element = (tag, attributes, ...children) =>
  elementIn("http://www.w3.org/1999/xhtml", tag, attributes, ...children);

function elementIn(namespace, tag, attributes = {}, ...children) {
  const node = document.createElementNS(namespace, tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

// MARK: Sections

/** The blocks under each heading: `{kind, text | lines}`, those of the answer marked. */
function parseDerivation(markdown) {
  const sections = new Map();
  let blocks = [];
  let isAnswer = false;
  const lines = markdown.split("\n");
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i];
    const heading = line.match(/^#{2,3} (.*)$/);
    const fence = line.match(/^```(\w+)$/);
    if (heading) {
      blocks = [];
      isAnswer = false;
      sections.set(heading[1], blocks);
    } else if (line.startsWith("<details>")) {
      isAnswer = true;
    } else if (line.startsWith("</details>")) {
      isAnswer = false;
    } else if (fence) {
      const content = [];
      while (lines[i + 1] !== "```") { i += 1; content.push(lines[i]); }
      i += 1;
      blocks.push({ kind: fence[1], text: content.join("\n"), isAnswer });
    } else if (line.startsWith("|")) {
      const rows = [line];
      while (lines[i + 1]?.startsWith("|")) { i += 1; rows.push(lines[i]); }
      blocks.push({ kind: "table", text: rows.join("\n"), isAnswer });
    } else if (line.trim() !== "") {
      const paragraph = [line];
      while (lines[i + 1]?.trim() && !/^(```|<|\||#)/.test(lines[i + 1])) { i += 1; paragraph.push(lines[i]); }
      blocks.push({ kind: "paragraph", text: paragraph.join("\n"), isAnswer });
    }
  }
  return sections;
}

const DERIVATION = parseDerivation(parsed("derivation"));

/** A tensor's lines in PyTorch: those of its section that assign to it or change it. */
function pythonLines(name) {
  const { section } = TENSORS.get(name);
  const target = new RegExp(`^${name}(\\[[^=]*\\])?(\\.\\w+\\(.*| *[-+*/]?=.*)$`);
  const blocks = (DERIVATION.get(section) ?? []).filter((block) =>
    block.kind === "python" && block.isAnswer === isGradient(name));
  return blocks.flatMap((block) => block.text.split("\n")).filter((line) => target.test(line)).join("\n");
}

const NOTEBOOK_LINES = new Map(COMPUTED.map((name) => [name, pythonLines(name)]));

/** The blocks of a section as elements. */
function renderBlocks(blocks) {
  return blocks.map((block) => {
    if (block.kind === "math") return renderMath(block.text, true);
    if (block.kind === "paragraph") return element("p", {}, renderInline(block.text.replaceAll("\n", " ")));
    if (block.kind === "table") return renderTable(block.text);
    const language = block.kind === "swift" ? "Swift" : "PyTorch";
    return element("figure", { class: "code" }, element("figcaption", {}, language),
      element("pre", {}, element("code", {}, block.text)));
  });
}

function renderTable(text) {
  const rows = text.split("\n").map((row) => row.slice(1, -1).split("|").map((cell) => cell.trim()));
  const row = (cells, tag) => element("tr", {}, cells.map((cell) => element(tag, {}, renderInline(cell))));
  const body = rows.slice(2).map((cells) => row(cells, "td"));
  return element("div", { class: "scroll" },
    element("table", {}, element("thead", {}, row(rows[0], "th")), element("tbody", {}, body)));
}

/** Code, formulas, emphasis and links of a paragraph. */
function renderInline(text) {
  const pieces = [];
  const pattern = /`([^`]+)`|\$([^$]+)\$|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)]+)\)/g;
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    pieces.push(text.slice(end, match.index));
    const [all, code, math, strong, emphasis, label] = match;
    if (code !== undefined) pieces.push(element("code", {}, code));
    else if (math !== undefined) pieces.push(renderMath(math, false));
    else if (strong !== undefined) pieces.push(element("strong", {}, renderInline(strong)));
    else if (emphasis !== undefined) pieces.push(element("em", {}, renderInline(emphasis)));
    else pieces.push(...renderInline(label));
    end = match.index + all.length;
  }
  pieces.push(text.slice(end));
  return pieces;
}

// MARK: Formulas

const MATH_SYMBOLS = {
  partial: "∂", rho: "ρ", gamma: "γ", delta: "δ", varepsilon: "ε", mu: "μ", beta: "β", theta: "θ",
  kappa: "κ", pi: "π", infty: "∞", top: "⊤",
};
const MATH_OPERATORS = { sum: "∑", cdot: "·", neq: "≠", approx: "≈" };
const MATH_FUNCTIONS = ["log", "max", "arg"];

const mathElement = (tag, attributes, ...children) =>
  elementIn("http://www.w3.org/1998/Math/MathML", tag, attributes, ...children);

/** A formula as MathML; its source is the label for programs that do not read MathML. */
function renderMath(source, isBlock) {
  const tokens = source.match(/\\[a-zA-Z]+|\\.|[0-9.]+|[^\s]/g) ?? [];
  const reader = { tokens, position: 0 };
  const row = mathRow(reader, () => reader.position >= tokens.length, isBlock);
  return mathElement("math", isBlock ? { display: "block" } : {}, mathElement("mrow", {}, row));
}

function mathRow(reader, isEnd, isBlock) {
  const row = [];
  while (reader.position < reader.tokens.length && !isEnd()) {
    const base = mathAtom(reader, isBlock);
    if (base) row.push(mathScripts(reader, base, isBlock));
  }
  return row;
}

function mathScripts(reader, base, isBlock) {
  let [below, above] = [null, null];
  for (;;) {
    const token = reader.tokens[reader.position];
    if (token === "_") { reader.position += 1; below = mathArgument(reader, isBlock); }
    else if (token === "^") { reader.position += 1; above = mathArgument(reader, isBlock); }
    else if (token === "'") { reader.position += 1; above = mathElement("mo", {}, "′"); }
    else break;
  }
  const isLarge = base.textContent === "∑" || base.textContent === "max";
  const [under, over, both] = isLarge && isBlock ? ["munder", "mover", "munderover"] : ["msub", "msup", "msubsup"];
  if (below && above) return mathElement(both, {}, base, below, above);
  if (below) return mathElement(under, {}, base, below);
  return above ? mathElement(over, {}, base, above) : base;
}

/** What stands in braces, or a single token. */
function mathArgument(reader, isBlock) {
  if (reader.tokens[reader.position] !== "{") return mathAtom(reader, isBlock);
  reader.position += 1;
  const row = mathRow(reader, () => reader.tokens[reader.position] === "}", isBlock);
  reader.position += 1;
  return row.length === 1 ? row[0] : mathElement("mrow", {}, row);
}

function mathAtom(reader, isBlock) {
  const token = reader.tokens[reader.position];
  if (token === "{") return mathArgument(reader, isBlock);
  reader.position += 1;
  const name = token.startsWith("\\") ? token.slice(1) : null;
  if (name === null) {
    if (/^[0-9.]+$/.test(token)) return mathElement("mn", {}, token);
    if (/^\p{L}$/u.test(token)) return mathElement("mi", {}, token);
    return mathElement("mo", "()[]|".includes(token) ? { stretchy: "false" } : {}, token === "-" ? "−" : token);
  }
  if (MATH_SYMBOLS[name]) return mathElement("mi", {}, MATH_SYMBOLS[name]);
  if (MATH_OPERATORS[name]) return mathElement("mo", {}, MATH_OPERATORS[name]);
  if (MATH_FUNCTIONS.includes(name)) return mathElement("mi", {}, name);
  switch (name) {
    case "frac": return mathElement("mfrac", {}, mathArgument(reader, isBlock), mathArgument(reader, isBlock));
    case "sqrt": return mathElement("msqrt", {}, mathArgument(reader, isBlock));
    case "hat": {
      const hat = mathElement("mo", {}, "^");
      return mathElement("mover", { accent: "true" }, mathArgument(reader, isBlock), hat);
    }
    case "mathbf": case "mathit": case "mathrm": case "text": {
      const text = mathArgument(reader, isBlock).textContent;
      return mathElement(name === "text" ? "mtext" : "mi", { class: name }, text);
    }
    case "qquad": case "quad": return mathElement("mspace", { width: name === "quad" ? "1em" : "2em" });
    case ",": return mathElement("mspace", { width: "0.17em" });
    case "Bigl": case "Bigr": case "bigl": case "bigr": {
      const size = name.startsWith("B") ? "1.8em" : "1.3em";
      const sign = reader.tokens[reader.position];
      reader.position += 1;
      return mathElement("mo", { stretchy: "true", symmetric: "true", minsize: size, maxsize: size }, sign);
    }
    default: return null;
  }
}
