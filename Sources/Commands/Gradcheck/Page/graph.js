// The pass as a picture: a node for each forward tensor and its gradient, arrows forward, dashed arrows back. There
// are two layouts, for wide and for narrow screens. The picture shows states, and is told what they are.

const SIGNS = {
  right: { sign: "✓", word: "right" },
  here: { sign: "✗", word: "WRONG HERE" },
  shape: { sign: "▲", word: "WRONG SHAPE" },
  follows: { sign: "↳", word: "follows" },
  missing: { sign: "○", word: "missing" },
  "not comparable": { sign: "≈", word: "not comparable" },
  given: { sign: "", word: "given" },
  none: { sign: "", word: "not judged yet" },
};

// Centres of nodes, [x, y].
const WIDE = {
  size: [1240, 640],
  C: [62, 46], W1: [258, 46], b1: [376, 46], bngain: [1052, 46], bnbias: [1172, 46],
  emb: [62, 160], embcat: [190, 160], hprebn: [326, 160], bnmeani: [410, 272], bndiff: [500, 160],
  bndiff2: [584, 272], bnvar: [712, 272], bnvar_inv: [854, 272], bnraw: [966, 160], hpreact: [1112, 160],
  W2: [142, 376], b2: [242, 376],
  h: [62, 480], logits: [190, 480], logit_maxes: [290, 592], norm_logits: [398, 480], counts: [556, 480],
  counts_sum: [650, 592], counts_sum_inv: [824, 592], probs: [926, 480], logprobs: [1056, 480], loss: [1184, 480],
};
const NARROW = {
  size: [380, 1862],
  C: [190, 40], emb: [190, 128], embcat: [196, 216], W1: [64, 216], b1: [314, 216],
  hprebn: [190, 304], bnmeani: [308, 392], bndiff: [150, 480], bndiff2: [308, 568], bnvar: [308, 656],
  bnvar_inv: [308, 744], bnraw: [150, 832], bngain: [308, 832], bnbias: [308, 920], hpreact: [150, 920],
  h: [150, 1008], W2: [308, 1008], b2: [308, 1096], logits: [150, 1096], logit_maxes: [300, 1184],
  norm_logits: [150, 1272], counts: [100, 1360], counts_sum: [270, 1448], counts_sum_inv: [270, 1536],
  probs: [100, 1624], logprobs: [100, 1712], loss: [100, 1800],
};
const NODE_HEIGHT = 62;
const NODES = [...PARAMETERS, ...FORWARD];
/** Sizes without a minibatch. */
const SYMBOLS = { one: "1", context: "block·emb", embedding: "emb", vocabulary: "vocab" };
const symbolicShape = (name) => shapeText(TENSORS.get(name).dimensions.map((size) => SYMBOLS[size] ?? size));
const nodeWidth = (name) => Math.max(78, (name.length + 1) * 7.3 + 34, symbolicShape(name).length * 5.8 + 8);
const gradientOf = (name) => (TENSORS.has("d" + name) ? "d" + name : null);

const svgElement = (tag, attributes, ...children) =>
  elementIn("http://www.w3.org/2000/svg", tag, attributes, ...children);

/** Where a straight line from a node's centre towards a point leaves the node. */
function border(name, from, to, margin) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const [w, h] = [nodeWidth(name) / 2 + margin, NODE_HEIGHT / 2 + margin];
  const scale = Math.min(dx === 0 ? Infinity : w / Math.abs(dx), dy === 0 ? Infinity : h / Math.abs(dy));
  return [from[0] + dx * scale, from[1] + dy * scale];
}

/** Draws the pass once; states and the choice are set afterwards. */
class Graph {
  /** `choose` is called with the name of a tensor. */
  constructor(place, choose) {
    this.place = place;
    this.choose = choose;
    this.media = matchMedia("(max-width: 760px)");
    this.media.addEventListener("change", () => this.draw());
    this.states = new Map();
    this.shapes = new Map();
    this.cursor = FORWARD[0];
    this.draw();
  }

  draw() {
    const layout = this.media.matches ? NARROW : WIDE;
    const [width, height] = layout.size;
    this.svg = svgElement("svg", {
      viewBox: `0 0 ${width} ${height}`, role: "group",
      "aria-label": "The computation from C to the loss, and the way back",
    });
    for (const kind of ["forward", "back", "wrong"]) {
      const marker = svgElement("marker", {
        id: `arrow-${kind}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto",
        markerUnits: "userSpaceOnUse",
      }, svgElement("path", { d: "M0 0.5L8 4L0 7.5z", class: `head ${kind}` }));
      this.svg.append(svgElement("defs", {}, marker));
    }
    this.edges = [];
    for (const name of FORWARD) {
      for (const input of TENSORS.get(name).inputs) this.drawEdge(layout, input, name);
    }
    this.halves = new Map();
    for (const name of NODES) this.drawNode(layout, name);
    this.svg.addEventListener("keydown", (event) => this.walk(event));
    this.place.replaceChildren(this.svg);
    this.show(this.states, this.shapes, this.chosen);
  }

  drawEdge(layout, from, to) {
    const isWrapped = from === "hpreact" && to === "h" && layout === WIDE;
    const [a, b] = [layout[from], layout[to]];
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
    const [nx, ny] = [-(b[1] - a[1]) / length, (b[0] - a[0]) / length];
    const shifted = (point, by) => [point[0] + nx * by, point[1] + ny * by];
    const place = (point) => point.map((x) => x.toFixed(1)).join(" ");
    const line = (start, end) => `M${place(start)}L${place(end)}`;
    const offset = 5;
    let [forward, back] = [
      line(shifted(border(from, a, b, 1), -offset), shifted(border(to, b, a, 3), -offset)),
      line(shifted(border(to, b, a, 1), offset), shifted(border(from, a, b, 3), offset)),
    ];
    if (isWrapped) {
      const [x1, y1, x2, y2] = [a[0], a[1] + NODE_HEIGHT / 2, b[0], b[1] - NODE_HEIGHT / 2];
      const turn = (by) => 314 + by;
      forward = `M${x1 + 5} ${y1 + 1}V${turn(5)}H${x2 - 5}V${y2 - 3}`;
      back = `M${x2 + 5} ${y2 - 1}V${turn(15)}H${x1 + 15}V${y1 + 3}`;
    }
    this.svg.append(svgElement("path", { d: forward, class: "edge forward", "marker-end": "url(#arrow-forward)" }));
    if (gradientOf(from) === null || from === to) return;
    const path = svgElement("path", { d: back, class: "edge back", "marker-end": "url(#arrow-back)" });
    this.svg.append(path);
    this.edges.push({ path, from: gradientOf(to), to: gradientOf(from) });
  }

  drawNode(layout, name) {
    const [x, y] = layout[name];
    const width = nodeWidth(name);
    const [left, top] = [x - width / 2, y - NODE_HEIGHT / 2];
    const shape = svgElement("text", { class: "shape", x, y: top + NODE_HEIGHT - 5 });
    const uses = readersOf(name).length > 1 ? " used-twice" : "";
    const group = svgElement("g", { class: `node${PARAMETERS.includes(name) ? " parameter" : ""}${uses}` },
      svgElement("rect", { class: "card", x: left, y: top, width, height: NODE_HEIGHT, rx: 8 }), shape);
    const gradient = gradientOf(name);
    const half = (tensor, offset) => {
      const sign = svgElement("text", { class: "sign", x: left + 14, y: top + offset + 15 });
      const rect = svgElement("rect", {
        class: "half", x: left + 2, y: top + offset, width: width - 4, height: 22, rx: 6,
      });
      const label = svgElement("text", { class: "name", x: left + 26, y: top + offset + 15 }, tensor);
      const part = svgElement(
        "g", { class: "tensor", role: "button", tabindex: -1, "data-name": tensor }, rect, sign, label);
      part.addEventListener("click", () => this.choose(tensor));
      group.append(part);
      this.halves.set(tensor, { part, sign, shape });
    };
    half(name, 2);
    if (gradient) half(gradient, 25);
    this.svg.append(group);
  }

  /** Shows a state and a shape for each tensor, and which one is chosen. */
  show(states, shapes, chosen) {
    Object.assign(this, { states, shapes, chosen });
    if (chosen) this.cursor = chosen;
    for (const [name, { part, sign, shape }] of this.halves) {
      const state = states.get(name) ?? (PARAMETERS.includes(name) ? "given" : "none");
      part.setAttribute("class", `tensor ${state.replace(" ", "-")}${name === chosen ? " chosen" : ""}`);
      part.setAttribute("tabindex", name === this.cursor ? 0 : -1);
      part.setAttribute("aria-pressed", name === chosen);
      part.setAttribute("aria-label", `${name}, ${shapes.get(name) ?? ""}: ${SIGNS[state].word}`);
      sign.textContent = SIGNS[state].sign;
      if (!name.startsWith("d") || PARAMETERS.includes(name)) shape.textContent = shapes.get(name) ?? "";
    }
    for (const { path, from, to } of this.edges) {
      const isWrong = (name) => ["here", "shape", "follows"].includes(states.get(name));
      const spreads = states.get(to) === "follows" && (from === null || isWrong(from));
      path.setAttribute("class", `edge back${spreads ? " wrong" : ""}`);
      path.setAttribute("marker-end", `url(#arrow-${spreads ? "wrong" : "back"})`);
    }
  }

  /** The arrow keys go through the tensors in the derivation's order. */
  walk(event) {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const index = NAMES.indexOf(this.cursor);
    let next = index;
    if (event.key in steps) next = index + steps[event.key];
    else if (event.key === "Home") next = 0;
    else if (event.key === "End") next = NAMES.length - 1;
    else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(this.cursor, true);
      return;
    } else return;
    event.preventDefault();
    next = Math.max(0, Math.min(NAMES.length - 1, next));
    this.halves.get(this.cursor).part.setAttribute("tabindex", -1);
    this.cursor = NAMES[next];
    const { part } = this.halves.get(this.cursor);
    part.setAttribute("tabindex", 0);
    part.focus();
  }
}
