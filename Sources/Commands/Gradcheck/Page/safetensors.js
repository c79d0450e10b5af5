// The strict reader of safetensors files. It follows Sources/Safetensors rule by rule and word by word: a file
// that Swift refuses is refused here, with the same message. Integers of the header are BigInt.

class FileError extends Error {}

const LARGEST_INT = 2n ** 63n - 1n;
const HEADER_LIMIT = 100_000_000;
const KEY_LIMIT = 1024;
const RANK_LIMIT = 64;
const BIT_WIDTHS = {
  BOOL: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8,
  F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8, I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32,
  C64: 64, F64: 64, I64: 64, U64: 64,
};

const refuse = (message) => { throw new FileError(message); };

/** A string from a file as an error shows it: quoted, cut, and without what could break a line. */
function quoted(text) {
  const scalars = Array.from(text);
  const shown = scalars.slice(0, 64).map((scalar) => {
    if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u.test(scalar)) {
      return `\\u{${scalar.codePointAt(0).toString(16)}}`;
    }
    return scalar === '"' || scalar === "\\" ? "\\" + scalar : scalar;
  });
  return `"${shown.join("")}"${scalars.length > 64 ? "…" : ""}`;
}

/** Names are compared as Swift compares strings: by canonical equivalence. */
const canonical = (text) => text.normalize("NFC");

/** The first byte of the first sequence that is no UTF-8; -1 if there is none. */
function invalidUTF8(bytes, start, end) {
  let i = start;
  while (i < end) {
    const byte = bytes[i];
    if (byte < 0x80) { i += 1; continue; }
    const length = byte >= 0xc2 && byte <= 0xdf ? 2 : (byte & 0xf0) === 0xe0 ? 3
      : byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
    if (length === 0 || i + length > end) return i;
    const low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    const high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    if (bytes[i + 1] < low || bytes[i + 1] > high) return i;
    for (let k = 2; k < length; k += 1) if ((bytes[i + k] & 0xc0) !== 0x80) return i;
    i += length;
  }
  return -1;
}

/** A cursor over the header's characters. */
class HeaderScanner {
  constructor(bytes, start, end) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  get current() { return this.position < this.end ? this.bytes[this.position] : undefined; }

  fail(expected) {
    const byte = this.current;
    const found = byte === undefined ? "the end of the header"
      : byte >= 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte 0x${byte.toString(16)}`;
    refuse(`byte ${this.position}: expected ${expected}, found ${found}`);
  }

  skip(character) {
    if (this.current !== character.charCodeAt(0)) return false;
    this.position += 1;
    return true;
  }

  require(character, expected) { if (!this.skip(character)) this.fail(expected); }

  skipWhiteSpace() {
    while ([0x20, 0x0a, 0x0d, 0x09].includes(this.current)) this.position += 1;
  }

  object(expected, member) {
    this.skipWhiteSpace();
    this.require("{", expected);
    this.skipWhiteSpace();
    if (this.skip("}")) return;
    do {
      const key = this.key("'\"' opening a key");
      this.skipWhiteSpace();
      this.require(":", "':' after a key");
      member(key);
      this.skipWhiteSpace();
    } while (this.skip(","));
    this.require("}", "',' or '}' in an object");
  }

  array(expected, element) {
    this.skipWhiteSpace();
    this.require("[", expected);
    this.skipWhiteSpace();
    if (this.skip("]")) return;
    do {
      element();
      this.skipWhiteSpace();
    } while (this.skip(","));
    this.require("]", "',' or ']' after an integer");
  }

  integer(expected) {
    this.skipWhiteSpace();
    const start = this.position;
    const isDigit = () => this.current >= 0x30 && this.current <= 0x39;
    if (!isDigit()) this.fail(expected);
    if (this.skip("0")) return 0n;
    while (isDigit()) {
      this.position += 1;
      // Longer ones are too large, and would take time in the square of their length.
      if (this.position - start > 19) break;
    }
    const digits = String.fromCharCode(...this.bytes.subarray(start, this.position));
    const value = BigInt(digits);
    if (value > LARGEST_INT) {
      refuse(`byte ${start}: expected an integer of at most ${LARGEST_INT}, found a larger one`);
    }
    return value;
  }

  key(expected) { return this.string(expected, KEY_LIMIT); }

  string(expected, limit = Infinity) {
    this.skipWhiteSpace();
    const start = this.position;
    this.require('"', expected);
    const pieces = [];
    let length = 0;
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    while (!this.skip('"')) {
      const from = this.position;
      if (this.current === 0x5c) {
        const text = this.escape();
        length += new TextEncoder().encode(text).length;
        pieces.push(text);
      } else {
        while (this.current !== undefined && this.current !== 0x22 && this.current !== 0x5c
          && this.current >= 0x20) this.position += 1;
        if (this.current !== 0x22 && this.current !== 0x5c) {
          this.fail("a character of a string, or '\"' ending it");
        }
        length += this.position - from;
        pieces.push(decoder.decode(this.bytes.subarray(from, this.position)));
      }
      if (length > limit) {
        refuse(`byte ${start}: expected a string of at most ${limit} bytes, found a longer one`);
      }
    }
    return { text: pieces.join(""), offset: start };
  }

  escape() {
    const start = this.position;
    this.position += 1;
    const simple = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
    const character = this.current === undefined ? "" : String.fromCharCode(this.current);
    if (Object.hasOwn(simple, character)) {
      this.position += 1;
      return simple[character];
    }
    if (character !== "u") this.fail("one of \"\\/bfnrtu after a backslash");
    const lone = () => refuse(`byte ${start}: expected a Unicode scalar, found half a surrogate pair`);
    const first = this.codeUnit();
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    const isNext = this.position + 1 < this.end && this.bytes[this.position] === 0x5c
      && this.bytes[this.position + 1] === 0x75;
    if (first > 0xdbff || !isNext) lone();
    this.position += 1;
    const second = this.codeUnit();
    if (second < 0xdc00 || second > 0xdfff) lone();
    return String.fromCharCode(first, second);
  }

  /** The four digits after the u at the cursor. */
  codeUnit() {
    this.position += 1;
    let unit = 0;
    for (let k = 0; k < 4; k += 1) {
      const digit = this.current === undefined ? NaN : parseInt(String.fromCharCode(this.current), 16);
      if (Number.isNaN(digit)) this.fail("four hexadecimal digits after \\u");
      unit = unit * 16 + digit;
      this.position += 1;
    }
    return unit;
  }
}

const duplicate = (key) => refuse(`byte ${key.offset}: expected every key once, found ${quoted(key.text)} again`);

/** What the header says about one tensor. */
function tensorRecord(scanner, name) {
  const tensor = `tensor ${quoted(name.text)}`;
  const fields = {};
  const readers = {
    dtype() {
      const found = scanner.key("a string, the dtype");
      if (!Object.hasOwn(BIT_WIDTHS, found.text)) {
        refuse(`byte ${found.offset}: ${tensor}: expected a dtype of the format, found ${quoted(found.text)}`);
      }
      return found.text;
    },
    shape() {
      const shape = [];
      scanner.array("'[' opening the shape", () => {
        if (shape.length >= RANK_LIMIT) refuse(`${tensor}: expected at most ${RANK_LIMIT} dimensions, found more`);
        shape.push(scanner.integer("a dimension, an integer of at least 0"));
      });
      return shape;
    },
    data_offsets() {
      const offsets = [];
      const wrong = () => refuse(`${tensor}: expected two data offsets, found more or fewer`);
      scanner.array("'[' opening the data offsets", () => {
        if (offsets.length >= 2) wrong();
        offsets.push(scanner.integer("an offset, an integer of at least 0"));
      });
      if (offsets.length !== 2) wrong();
      return offsets;
    },
  };
  scanner.object("'{' opening a tensor's entry", (field) => {
    if (!Object.hasOwn(readers, field.text)) {
      refuse(`byte ${field.offset}: ${tensor}: expected dtype, shape or data_offsets, `
        + `found a field ${quoted(field.text)}`);
    }
    if (Object.hasOwn(fields, field.text)) duplicate(field);
    fields[field.text] = readers[field.text]();
  });
  for (const field of Object.keys(readers)) {
    if (!Object.hasOwn(fields, field)) refuse(`${tensor}: expected a field ${field}, found none`);
  }
  const [start, end] = fields.data_offsets;
  return { name, dtype: fields.dtype, shape: fields.shape, start, end };
}

function scanHeader(scanner) {
  const records = [];
  let hasMetadata = false;
  if (scanner.current !== 0x7b) scanner.fail("'{' as the first byte");
  scanner.object("'{' opening the header", (name) => {
    if (name.text !== "__metadata__") {
      records.push(tensorRecord(scanner, name));
      return;
    }
    if (hasMetadata) duplicate(name);
    hasMetadata = true;
    const keys = [];
    scanner.object("'{' opening the metadata", (key) => {
      keys.push(key);
      scanner.string("a string, a metadata value");
    });
    requireUnique(keys);
  });
  while (scanner.skip(" "));
  if (scanner.position !== scanner.end) scanner.fail("only spaces after the header's last brace");
  return records;
}

function requireUnique(keys) {
  const seen = new Set();
  for (const key of keys) {
    const text = canonical(key.text);
    if (seen.has(text)) duplicate(key);
    seen.add(text);
  }
}

/** The bytes that a type and a shape take. */
function byteCount(record, tensor) {
  const described = `${record.dtype} [${record.shape.join(", ")}]`;
  let bits = BigInt(BIT_WIDTHS[record.dtype]);
  for (const dimension of record.shape) {
    if (dimension === 0n) continue;
    bits *= dimension;
    if (bits > LARGEST_INT) refuse(`${tensor}: expected a size that fits in an Int, found ${described}`);
  }
  if (record.shape.includes(0n)) return 0n;
  if (bits % 8n !== 0n) refuse(`${tensor}: expected whole bytes, found ${described}`);
  return bits / 8n;
}

/** Each entry is as long as its type and shape require, and together they cover the data exactly once. */
function checkEntries(records, dataLength) {
  for (const record of records) {
    const tensor = `tensor ${quoted(record.name.text)}`;
    const { start, end } = record;
    if (start > end) refuse(`${tensor}: expected an end at or after its start at ${start}, found ${end}`);
    if (end > dataLength) refuse(`${tensor}: expected ${end} bytes of data, found ${dataLength}`);
    const expected = byteCount(record, tensor);
    if (end - start !== expected) {
      refuse(`${tensor}: expected ${expected} bytes for its dtype and shape, `
        + `found offsets that span ${end - start}`);
    }
  }
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const order = records.map((record, index) => ({ record, index })).sort((a, b) =>
    compare(a.record.start, b.record.start) || compare(a.record.end, b.record.end) || a.index - b.index);
  let covered = 0n;
  for (const { record } of order) {
    const tensor = `tensor ${quoted(record.name.text)}`;
    const place = `expected to start at ${covered}, where the one before it ends`;
    if (record.start < covered) refuse(`${tensor}: ${place}, found an overlap from ${record.start}`);
    if (record.start > covered) refuse(`${tensor}: ${place}, found a hole up to ${record.start}`);
    covered = record.end;
  }
  if (covered !== BigInt(dataLength)) {
    refuse(`expected ${covered} bytes of data, as many as the tensors take, found ${dataLength}`);
  }
}

/**
 * The tensors of a file by their names: `{dtype, shape, bytes}`.
 *
 * Throws a FileError whose message is the Swift reader's.
 */
function readSafetensors(bytes) {
  if (bytes.length < 8) refuse(`expected 8 bytes of header length, found a file of ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > HEADER_LIMIT) {
    refuse(`expected a header of at most ${HEADER_LIMIT} bytes, found a length of ${length}`);
  }
  const available = bytes.length - 8;
  if (length > available) {
    refuse(`expected ${length} bytes of header, found a file that ends after ${available}`);
  }
  const headerEnd = 8 + Number(length);
  const invalid = invalidUTF8(bytes, 8, headerEnd);
  if (invalid >= 0) refuse(`byte ${invalid}: expected a header in UTF-8, found an invalid sequence`);
  const records = scanHeader(new HeaderScanner(bytes, 8, headerEnd));
  requireUnique(records.map((record) => record.name));
  checkEntries(records, bytes.length - headerEnd);
  const number = (value) => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : value);
  return new Map(records.map(({ name, dtype, shape, start, end }) => [canonical(name.text), {
    name: name.text, dtype, shape: shape.map(number),
    bytes: bytes.subarray(headerEnd + Number(start), headerEnd + Number(end)),
  }]));
}

/** The elements of a tensor whose type is F32, F64, I64 or I32. */
function tensorElements(tensor) {
  // A copy, because the data need not be aligned; typed arrays are little-endian wherever browsers run.
  const buffer = tensor.bytes.slice().buffer;
  switch (tensor.dtype) {
    case "F32": return Float64Array.from(new Float32Array(buffer));
    case "F64": return new Float64Array(buffer);
    case "I64": return new BigInt64Array(buffer);
    case "I32": return new Int32Array(buffer);
    default: return undefined;
  }
}
