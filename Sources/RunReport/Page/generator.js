// The network in the page: the same forward pass as the Swift model's, in JavaScript's 64-bit numbers.
//
//   emb = C[context]; hprebn = emb @ W1 + b1; batch norm with the stored statistics; tanh; @ W2 + b2.
//
// It makes words, and checks itself: probabilities that Swift computed are in the page, and where these
// differ from them by more than 1e-5, a red line says so.
'use strict';
(() => {
  const element = id => document.getElementById(id);
  const network = JSON.parse(element('network').textContent);
  const { symbols, blockSize, embedding, hidden } = network;
  const size = symbols.length + 1;
  const terminator = 0;
  const tolerance = 1e-5;

  // Little-endian 32-bit numbers in base64.
  const numbers = (text, read, width) => {
    const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Float64Array.from({ length: bytes.length / width }, (_, i) => view[read](width * i, true));
  };
  const floats = text => numbers(text, 'getFloat32', 4);
  const tensors = Object.fromEntries(
    Object.entries(network.tensors).map(([name, text]) => [name, floats(text)]));
  const { C, W1, b1, W2, b2, bngain, bnbias, bnmean, bnvar } = tensors;
  const inverseDeviation = bnvar.map(variance => 1 / Math.sqrt(variance + 1e-5));

  const logits = context => {
    const hprebn = Float64Array.from(b1);
    context.forEach((id, place) => {
      for (let e = 0; e < embedding; e++) {
        const value = C[id * embedding + e];
        const row = (place * embedding + e) * hidden;
        for (let j = 0; j < hidden; j++) hprebn[j] += value * W1[row + j];
      }
    });
    const result = Float64Array.from(b2);
    for (let j = 0; j < hidden; j++) {
      const hpreact = bngain[j] * (hprebn[j] - bnmean[j]) * inverseDeviation[j] + bnbias[j];
      const h = Math.tanh(hpreact);
      for (let k = 0; k < size; k++) result[k] += h * W2[j * size + k];
    }
    return result;
  };

  const probabilities = (context, temperature = 1) => {
    const scaled = logits(context).map(logit => logit / temperature);
    const largest = scaled.reduce((a, b) => Math.max(a, b));
    const counts = scaled.map(logit => Math.exp(logit - largest));
    const sum = counts.reduce((a, b) => a + b, 0);
    return counts.map(count => count / sum);
  };

  const contextAfter = ids =>
    [...Array(blockSize).fill(terminator), ...ids].slice(-blockSize);

  const draw = distribution => {
    let threshold = Math.random();
    const id = distribution.findIndex(share => (threshold -= share) < 0);
    return id < 0 ? distribution.length - 1 : id;
  };

  const longest = 100;
  const drawWord = (start, temperature) => {
    const ids = [...start];
    for (;;) {
      const id = draw(probabilities(contextAfter(ids), temperature));
      const text = ids.map(id => symbols[id - 1]).join('');
      if (id === terminator) return { text, isCut: false };
      if (ids.length >= longest) return { text, isCut: true };
      ids.push(id);
    }
  };

  // Words neither begin nor end with a blank: such ones are drawn again.
  const makeWord = (start, temperature) => {
    let word = drawWord(start, temperature);
    for (let tries = 0; tries < 50 && word.text !== word.text.trim(); tries++) {
      word = drawWord(start, temperature);
    }
    return word;
  };

  // MARK: The self-check

  const check = () => {
    const contexts = numbers(network.checks.contexts, 'getInt32', 4);
    const expected = floats(network.checks.probabilities);
    let largest = 0;
    for (let row = 0; row < contexts.length / blockSize; row++) {
      const context = [...contexts.slice(row * blockSize, (row + 1) * blockSize)];
      probabilities(context).forEach((found, k) => {
        const difference = Math.abs(found - expected[row * size + k]);
        // Written so that what is no number fails.
        if (!(difference <= largest)) largest = difference;
      });
    }
    const passed = contexts.length > 0 && largest <= tolerance;
    const line = element('self-check');
    line.className = passed ? 'check passed' : 'check failed';
    line.textContent = passed
      ? `Self-check: for ${contexts.length / blockSize} contexts these probabilities are those of the Swift model, to ${largest.toExponential(1)}.`
      : `Self-check FAILED: these probabilities differ from the Swift model’s by ${largest.toExponential(1)}. Do not trust the words above.`;
    line.dataset.difference = largest;
  };

  // MARK: What is shown

  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  const shownBars = 12;
  const state = () => {
    const characters = [...element('prefix').value];
    const ids = characters.map(character => symbols.indexOf(character) + 1);
    return {
      ids: ids.filter(id => id > 0),
      unknown: characters.filter((_, i) => ids[i] === 0),
      temperature: Number(element('temperature').value),
    };
  };

  const showBars = () => {
    const { ids, unknown, temperature } = state();
    element('temperature-value').textContent = temperature.toFixed(2);
    element('unknown').hidden = unknown.length === 0;
    element('unknown').textContent =
      `Not in the alphabet, and left out: ${unknown.join(' ')}`;
    const shares = [...probabilities(contextAfter(ids), temperature)]
      .map((share, id) => ({ share, id }))
      .sort((a, b) => b.share - a.share || a.id - b.id).slice(0, shownBars);
    element('bars').replaceChildren(...shares.map(({ share, id }) => {
      const item = make('li', id === terminator ? 'end' : '');
      const bar = make('span', 'bar');
      bar.style.width = `${100 * share / shares[0].share}%`;
      item.append(
        make('bdi', 'symbol', id === terminator ? 'end' : network.shown[id - 1]), bar,
        make('span', 'share', `${(100 * share).toFixed(1)} %`));
      return item;
    }));
  };

  const showWords = () => {
    const { ids, temperature } = state();
    element('words').replaceChildren(...Array.from({ length: 16 }, () => {
      const item = make('li');
      const { text, isCut } = makeWord(ids, temperature);
      item.append(make('bdi', '', text));
      if (isCut) item.append(make('span', 'note', `… cut at ${longest} characters`));
      return item;
    }));
  };

  const refresh = () => { showBars(); showWords(); };
  element('generator-body').hidden = false;
  element('prefix').addEventListener('input', refresh);
  element('temperature').addEventListener('input', refresh);
  element('more').addEventListener('click', showWords);
  check();
  refresh();
})();
