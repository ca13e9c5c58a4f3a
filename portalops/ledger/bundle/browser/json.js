// JSON that any two readers understand alike (docs/bundle-format.md, "How 1 to 3, 6, 7 and 10 are meant"), and text as bytes.
// JSON.parse takes the last of two equal names, and makes numbers of other numbers.

const MAX_DEPTH = 100;
const MAX_DIGITS = 4300;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const fromUtf8 = (data) => utf8.decode(data);

/** Write text as UTF-8; half a surrogate pair, which UTF-8 cannot hold, as three bytes all the same, so that it differs from others. */
function toUtf8(text) {
  if (text.isWellFormed ? text.isWellFormed() : !/\p{Surrogate}/u.test(text)) return new TextEncoder().encode(text);
  const found = [];
  for (const letter of text) {
    const code = letter.codePointAt(0);
    if (code >= 0xd800 && code <= 0xdfff) found.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else found.push(...new TextEncoder().encode(letter));
  }
  return Uint8Array.from(found);
}

const sameBytes = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

class NotJson extends Error {}

const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Return what JSON text in UTF-8 says; numbers as Number or, beyond 2^53, as BigInt. */
function readJson(data) {
  let text;
  try {
    text = fromUtf8(data);
  } catch {
    throw new NotJson();
  }
  return readUsualJson(text) ?? readAnyJson(text);
}

/**
 * Return what text says that is written as it is read back, as most is: so no name stands twice in it. Null for any other.
 * It is ten times as fast as to go over each letter.
 */
function readUsualJson(text) {
  const isPlain = (value, depth) => {
    if (typeof value === "number") return Number.isSafeInteger(value);
    if (value === null || typeof value !== "object") return true;
    return depth < MAX_DEPTH && Object.values(value).every((each) => isPlain(each, depth + 1));
  };
  try {
    const found = JSON.parse(text);
    return isPlain(found, 0) && `${JSON.stringify(found)}\n` === text ? found : null;
  } catch {
    return null;
  }
}

function readAnyJson(text) {
  const plain = /[^"\\\u0000-\u001f]*/y;
  const space = /[ \t\n\r]*/y;
  const integer = /-?(?:0|[1-9][0-9]*)(?![.eE0-9])/y;
  let at = 0;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) throw new NotJson();
    at = pattern.lastIndex;
    return found[0];
  };
  const expect = (word) => {
    if (!text.startsWith(word, at)) throw new NotJson();
    at += word.length;
  };
  const string = () => {
    expect('"');
    let found = take(plain);
    for (;;) {
      const letter = text[at];
      at += 1;
      if (letter === '"') return found;
      if (letter !== "\\") throw new NotJson();
      const escape = text[at];
      at += 1;
      if (escape === "u") found += String.fromCharCode(parseInt(take(/[0-9a-fA-F]{4}/y), 16));
      else if (escape !== undefined && ESCAPES[escape] !== undefined) found += ESCAPES[escape];
      else throw new NotJson();
      found += take(plain);
    }
  };
  const members = (end, member) => {
    take(space);
    if (text[at] === end) {
      at += 1;
      return;
    }
    for (;;) {
      member();
      take(space);
      if (text[at] === end) break;
      expect(",");
    }
    at += 1;
  };
  const value = (depth) => {
    take(space);
    const letter = text[at];
    if (letter === '"') return string();
    if (letter === "{" || letter === "[") {
      if (depth === MAX_DEPTH) throw new NotJson();
      at += 1;
      const found = letter === "{" ? Object.create(null) : [];
      if (letter === "[") members("]", () => found.push(value(depth + 1)));
      else {
        members("}", () => {
          take(space);
          const name = string();
          if (name in found) throw new NotJson();
          take(space);
          expect(":");
          found[name] = value(depth + 1);
        });
      }
      return found;
    }
    if (letter === "t") return expect("true"), true;
    if (letter === "f") return expect("false"), false;
    if (letter === "n") return expect("null"), null;
    const digits = take(integer);
    if (digits.replace("-", "").length > MAX_DIGITS) throw new NotJson();
    const number = Number(digits);
    return Number.isSafeInteger(number) ? number + 0 : BigInt(digits);
  };
  const found = value(0);
  take(space);
  if (at !== text.length) throw new NotJson();
  return found;
}

/** Order text as its code points, and so as its bytes in UTF-8: JavaScript compares halves of surrogate pairs. */
function inOrder(one, other) {
  const [a, b] = [Array.from(one), Array.from(other)];
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a[at] !== b[at]) return a[at].codePointAt(0) - b[at].codePointAt(0);
  }
  return a.length - b.length;
}

/** Write JSON as portalops does, without the line feed: names sorted, no white space. */
function written(value) {
  if (typeof value === "string") {
    return `"${value.replace(/["\\\u0000-\u001f]/g, (letter) => JSON.stringify(letter).slice(1, -1))}"`;
  }
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const names = Object.keys(value).sort(inOrder);
    return `{${names.map((name) => `${written(name)}:${written(value[name])}`).join(",")}}`;
  }
  return String(value);
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isInteger = (value) => typeof value === "number" || typeof value === "bigint";
const isText = (value) => typeof value === "string";
const part = (body, name) => (isObject(body) && isObject(body[name]) ? body[name] : Object.create(null));
const objects = (value) => (Array.isArray(value) ? value.filter(isObject) : []);
const hasNames = (value, names) => Object.keys(value).sort().join() === names.join();
const isWellFormed = (text) => isText(text) && !/\p{Surrogate}/u.test(text);
const DIGEST = /^[0-9a-f]{64}$/;

/** Return the digests under a name `evidence`, at any depth, in order. */
function evidenceIn(body) {
  const found = new Set();
  const waiting = [body];
  while (waiting.length) {
    const each = waiting.pop();
    if (isObject(each)) {
      for (const value of [each.evidence].flat()) if (isText(value) && DIGEST.test(value)) found.add(value);
      for (const inner of Object.values(each)) waiting.push(inner);
    } else if (Array.isArray(each)) for (const inner of each) waiting.push(inner);
  }
  return [...found].sort();
}
