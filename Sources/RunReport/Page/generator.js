// What the run has learned, in the page: the Swift model's distributions, in JavaScript's 64-bit numbers.
//
//   emb = C[context]; hprebn = emb @ W1 + b1; batch norm with the stored statistics; tanh; @ W2 + b2; softmax;
//   where the run mixes its network with counts, λ times that plus 1 − λ times an interpolated Kneser-Ney model.
//
// It makes words, and checks itself: the page has probabilities that Swift computed, and if the script's differ
// from them by more than 1e-5, a red line says so.
'use strict';
(() => {
  const element = id => document.getElementById(id);
  const network = JSON.parse(element('network').textContent);
  const { symbols, blockSize, embedding, hidden, contextLength } = network;
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

  const ids = new Map(symbols.map((symbol, index) => [symbol, index + 1]));
  const encode = text => [...text].map(character => ids.get(character) ?? 0);

  // MARK: The network

  // What a character adds to hprebn at a place of the context: C[id] @ W1[place], computed once.
  const inputs = new Map();
  const input = (place, id) => {
    const key = place * size + id;
    let sum = inputs.get(key);
    if (!sum) {
      sum = new Float64Array(hidden);
      for (let e = 0; e < embedding; e++) {
        const value = C[id * embedding + e];
        const row = (place * embedding + e) * hidden;
        for (let j = 0; j < hidden; j++) sum[j] += value * W1[row + j];
      }
      inputs.set(key, sum);
    }
    return sum;
  };

  const logits = context => {
    const hprebn = Float64Array.from(b1);
    context.forEach((id, place) => {
      const added = input(place, id);
      for (let j = 0; j < hidden; j++) hprebn[j] += added[j];
    });
    const result = Float64Array.from(b2);
    for (let j = 0; j < hidden; j++) {
      const hpreact = bngain[j] * (hprebn[j] - bnmean[j]) * inverseDeviation[j] + bnbias[j];
      const h = Math.tanh(hpreact);
      for (let k = 0; k < size; k++) result[k] += h * W2[j * size + k];
    }
    return result;
  };

  const normalized = counts => {
    const sum = counts.reduce((a, b) => a + b, 0);
    return counts.map(count => count / sum);
  };

  const softmax = logits => {
    const largest = logits.reduce((a, b) => Math.max(a, b));
    return normalized(logits.map(logit => Math.exp(logit - largest)));
  };

  // MARK: Counts

  const words = network.words
    && { train: network.words.train.split('\n'), others: network.words.others.split('\n') };
  const known = new Set(words ? [...words.train, ...words.others] : []);

  // Interpolated Kneser-Ney. A node is a context; it knows where its windows are in the text, and the nodes of
  // the contexts one character longer. It is counted when it is first asked for.
  const countingModel = ({ order, discounts }) => {
    const text = [];
    const root = { windows: [] };
    for (const word of words.train) {
      for (let place = 1; place < order; place++) text.push(terminator);
      for (const id of [...encode(word), terminator]) {
        root.windows.push(text.length);
        text.push(id);
      }
    }

    // Windows after a full context are counted as they are; after shorter ones, each character once for each
    // one that precedes the context.
    const count = (node, depth) => {
      const counts = new Map();
      const add = target => counts.set(target, (counts.get(target) ?? 0) + 1);
      node.longer = new Map();
      if (depth === order - 1) {
        for (const window of node.windows) add(text[window]);
      } else {
        for (const window of node.windows) {
          const before = text[window - depth - 1];
          const longer = node.longer.get(before);
          if (longer) longer.windows.push(window);
          else node.longer.set(before, { windows: [window] });
        }
        for (const { windows } of node.longer.values()) {
          new Set(windows.map(window => text[window])).forEach(add);
        }
      }
      const discount = count => discounts[depth][Math.min(count, 3) - 1];
      let [total, discounted] = [0, 0];
      for (const count of counts.values()) {
        total += count;
        discounted += discount(count);
      }
      node.backoff = discounted / total;
      node.shares = [...counts].map(([id, count]) => [id, (count - discount(count)) / total]);
      node.windows = null;
    };

    return context => {
      const distribution = new Float64Array(size).fill(1 / size);
      let node = root;
      for (let depth = 0; node && depth < order; depth++) {
        if (!node.shares) count(node, depth);
        for (let id = 0; id < size; id++) distribution[id] *= node.backoff;
        for (const [id, share] of node.shares) distribution[id] += share;
        node = node.longer.get(context[context.length - 1 - depth]);
      }
      return distribution;
    };
  };

  const counted = network.counting && countingModel(network.counting);

  // MARK: Both

  const mixed = context => {
    const share = softmax(logits(context.slice(-blockSize)));
    if (!counted) return share;
    const { weight } = network.counting;
    const counts = counted(context);
    return share.map((probability, id) => weight * probability + (1 - weight) * counts[id]);
  };

  // p to the power of 1 / temperature, normalized. Distributions are cached as long as there is room.
  const room = 20000;
  const kept = new Map();
  let keptTemperature = 1;
  const probabilities = (context, temperature = 1) => {
    if (temperature !== keptTemperature || kept.size > room) kept.clear();
    keptTemperature = temperature;
    const key = context.join();
    let distribution = kept.get(key);
    if (!distribution) {
      distribution = mixed(context);
      if (temperature !== 1) {
        const largest = distribution.reduce((a, b) => Math.max(a, b));
        distribution =
          normalized(distribution.map(share => Math.pow(share / largest, 1 / temperature)));
      }
      kept.set(key, distribution);
    }
    return distribution;
  };

  const contextAfter = ids =>
    [...Array(contextLength).fill(terminator), ...ids].slice(-contextLength);

  const draw = distribution => {
    let threshold = Math.random();
    const id = distribution.findIndex(share => (threshold -= share) < 0);
    return id < 0 ? distribution.length - 1 : id;
  };

  const longest = 100;
  const drawWord = ({ start, temperature, most }) => {
    const ids = [...start];
    for (;;) {
      const id = draw(probabilities(contextAfter(ids), temperature));
      if (id === terminator || ids.length >= Math.min(longest, most)) {
        const text = ids.map(id => symbols[id - 1]).join('');
        return { text, ids, isCut: id !== terminator };
      }
      ids.push(id);
    }
  };

  // Words begin as the list's do, and end as they do or with what needs nothing behind it, unless another
  // beginning or ending is asked for.
  const neverFirst = new Set(network.neverFirst);
  const neverLast = new Set(network.neverLast);
  const isWanted = ({ text, ids, isCut }, wanted) =>
    ids.length >= wanted.least && (!isCut || wanted.most > longest)
    && (wanted.start.length > 0 || !neverFirst.has(ids[0]))
    && (wanted.ending || isCut || !neverLast.has(ids[ids.length - 1]))
    && text.endsWith(wanted.ending) && !(isCut && wanted.ending)
    && !(wanted.isNew && known.has(text));

  // MARK: The self-check

  const check = () => {
    const contexts = numbers(network.checks.contexts, 'getInt32', 4);
    const expected = floats(network.checks.probabilities);
    let largest = 0;
    for (let row = 0; row < contexts.length / contextLength; row++) {
      const context = [...contexts.slice(row * contextLength, (row + 1) * contextLength)];
      probabilities(context).forEach((found, k) => {
        const difference = Math.abs(found - expected[row * size + k]);
        // Written so that NaN fails.
        if (!(difference <= largest)) largest = difference;
      });
    }
    const passed = contexts.length > 0 && largest <= tolerance;
    const line = element('self-check');
    line.className = passed ? 'check passed' : 'check failed';
    line.textContent = passed
      ? `Self-check: for ${contexts.length / contextLength} contexts these probabilities are those of the Swift model${counted ? ', network and counts together' : ''}, to ${largest.toExponential(1)}.`
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
  const shownWords = 16;

  // What the user asks for, without characters that are not in the alphabet.
  const wanted = () => {
    const [beginning, ending] = ['prefix', 'suffix'].map(id => [...element(id).value]);
    const inAlphabet = characters => characters.filter(character => ids.has(character));
    return {
      start: encode(inAlphabet(beginning)),
      ending: inAlphabet(ending).join(''),
      unknown: [...beginning, ...ending].filter(character => !ids.has(character)),
      least: Number(element('shortest').value) || 1,
      most: Number(element('longest').value) || Infinity,
      isNew: element('only-new').checked,
      temperature: Number(element('temperature').value),
    };
  };

  const showBars = ({ start, unknown, temperature }) => {
    element('temperature-value').textContent = temperature.toFixed(2);
    element('unknown').hidden = unknown.length === 0;
    element('unknown').textContent =
      `Not in the alphabet, and left out: ${unknown.join(' ')}`;
    const shares = [...probabilities(contextAfter(start), temperature)]
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

  const itemOf = ({ text, isCut }) => {
    const item = make('li');
    item.append(make('bdi', '', text));
    if (isCut) item.append(make('span', 'note', ` … cut at ${longest} characters`));
    if (known.has(text)) item.append(make('span', 'note', ' in the list'));
    return item;
  };

  // Words are drawn until enough are as asked, in slices of time, so that the page stays responsive.
  const patience = 10000;
  let search = 0;
  const showWords = () => {
    const asked = wanted();
    const [list, line] = [element('words'), element('search')];
    const number = ++search;
    const start = performance.now();
    let [found, tries] = [0, 0];
    const tell = (isOver, text) => {
      list.dataset.state = isOver ? 'done' : 'searching';
      line.hidden = !text;
      line.textContent = text;
    };
    list.replaceChildren();
    const go = () => {
      if (number !== search) return;
      const slice = performance.now();
      while (found < shownWords && performance.now() - slice < 40) {
        const word = drawWord(asked);
        tries += 1;
        if (!isWanted(word, asked)) continue;
        list.append(itemOf(word));
        found += 1;
      }
      if (found === shownWords) return tell(true, '');
      if (performance.now() - start > patience) {
        return tell(true, `${found} of ${tries} words drawn match; sample finds rarer ones.`);
      }
      tell(false, `${found} of ${tries} words drawn match …`);
      setTimeout(go, 0);
    };
    go();
  };

  const refresh = () => { showBars(wanted()); showWords(); };
  element('generator-body').hidden = false;
  element('new-words').hidden = !words;
  for (const id of ['prefix', 'suffix', 'shortest', 'longest', 'only-new', 'temperature']) {
    element(id).addEventListener('input', refresh);
  }
  element('more').addEventListener('click', showWords);
  check();
  refresh();
})();
