// The bundle's files: of a folder, or of one ZIP file. Nothing is read whole that may be large.

const PIECE = 4 << 20;
const MAX_BODY = 16 << 20; // a larger body is not read as JSON, so that memory stays bounded
const MAX_SMALL = 1 << 20; // figures.json, heads, tokens
const MAX_LIST = 256 << 20; // of the files: SHA256SUMS, which WebCrypto digests as a whole, or the one in a ZIP file
const ANCHOR = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}";
const FOLDERS = ["blobs", "heads", "tsa"];
const FILES = new RegExp(
  "^(?:bundle\\.json|ledger\\.jsonl|figures\\.json|allowed_signers|verify\\.(?:py|html)|HOW-TO-VERIFY\\.(?:vi|en)\\.md|SHA256SUMS(?:\\.sig)?" +
    `|report\\.[a-z]{2}\\.html|blobs/[0-9a-f]{64}|heads/[0-9]{10,18}\\.(?:txt|sig|${ANCHOR}\\.tsr)|tsa/${ANCHOR}\\.pem)$`,
);

/** The folder, or something brought by the auditor, is not what it should be: 2. */
class NotABundle extends Error {
  constructor(said) {
    super(said.en);
    this.said = said;
  }
}

class Unreadable extends Error {}

/** What lies in a bundle's folder: a file by its name, or null where something else has the name. */
class Source {
  constructor(name) {
    this.name = name;
    this.entries = new Map();
  }

  /** Add what has a path; what lies deeper than a bundle's folders counts as the folder that it lies in. */
  add(path, file) {
    const parts = path.split("/");
    const depth = parts.length > 1 && FOLDERS.includes(parts[0]) ? 2 : 1;
    this.entries.set(parts.slice(0, depth).join("/"), parts.length > depth ? null : file);
  }

  has(path) {
    return Boolean(this.entries.get(path));
  }

  size(path) {
    return this.entries.get(path)?.size ?? 0;
  }

  async *pieces(path) {
    const file = this.entries.get(path);
    if (!file) throw new Unreadable();
    yield* file.pieces();
  }

  /** Return a file's bytes, or null if it is not there, is no plain file, or is larger than the limit. */
  async read(path, limit = MAX_SMALL) {
    if (!this.has(path) || this.size(path) > limit) return null;
    try {
      const pieces = [];
      for await (const piece of this.pieces(path)) pieces.push(piece);
      return pieces.length === 1 ? pieces[0] : joined(...pieces);
    } catch (error) {
      if (error instanceof Unreadable) return null;
      throw error;
    }
  }

  /** Call with each line without its line feed, and whether it had one; of a longer line, with limit + 1 bytes. False ends it. */
  async eachLine(path, limit, take) {
    let rest = NO_BYTES;
    const cut = (data) => data.subarray(0, limit + 1);
    for await (const piece of this.pieces(path)) {
      let from = 0;
      for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, from)) {
        const line = piece.subarray(from, end);
        if (take(cut(rest.length ? joined(rest, cut(line)) : line), true) === false) return;
        rest = NO_BYTES;
        from = end + 1;
      }
      rest = cut(joined(rest, cut(piece.subarray(from))));
    }
    if (rest.length) take(rest, false);
  }
}

/** A file on the disk. */
class PlainFile {
  constructor(file) {
    this.file = file;
    this.size = file.size;
  }

  async *pieces() {
    for (let at = 0; at < this.size || at === 0; at += PIECE) {
      let piece;
      try {
        piece = await (this.size <= PIECE ? this.file : this.file.slice(at, at + PIECE)).arrayBuffer();
      } catch {
        throw new Unreadable(); // it went meanwhile, or may not be read
      }
      yield new Uint8Array(piece);
    }
  }
}

/** Return the bundle in the files of one chosen folder. */
function sourceOfFiles(files) {
  const source = new Source(files[0]?.webkitRelativePath.split("/")[0] ?? "");
  for (const file of files) source.add(file.webkitRelativePath.split("/").slice(1).join("/"), new PlainFile(file));
  return source;
}

/** Return the bundle in what was dropped: a folder, or what lies in one. */
async function sourceOfEntries(entries) {
  const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));
  const source = new Source(entries.length === 1 ? entries[0].name : "");
  const walk = async (children, above) => {
    for (const child of children) {
      const path = above + child.name;
      if (child.isFile) source.add(path, await fileOf(child).then((file) => new PlainFile(file), () => null));
      else if (!above && FOLDERS.includes(child.name)) await walk(await childrenOf(child), `${path}/`);
      else source.add(path, null);
    }
  };
  await walk(entries.length === 1 ? await childrenOf(entries[0]) : entries, "");
  return source;
}

async function childrenOf(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    // A hundred at a time. A page that was opened from a disk gets none in Chromium.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)).catch(() => {
      throw new NotABundle(say("this browser does not let the page read a dragged folder: choose it with the button"));
    });
    if (!some.length) return found;
    found.push(...some);
  }
}

// ---- ZIP (docs/bundle-format.md, "One file")

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
  let found = number;
  for (let bit = 0; bit < 8; bit += 1) found = found & 1 ? (found >>> 1) ^ 0xedb88320 : found >>> 1;
  return found;
});
const STORED = 0;
const DEFLATED = 8;

/** A file within a ZIP file; it is read only as far as its length, and its CRC-32 must come out. */
class ZippedFile {
  constructor(zip, entry) {
    Object.assign(this, entry);
    this.zip = zip;
  }

  async *pieces() {
    const head = await viewOf(this.zip, this.offset, 30 + this.rawName.length);
    if (!head || head.getUint32(0, true) !== 0x04034b50 || head.getUint16(8, true) !== this.method) throw new Unreadable();
    if (head.getUint16(26, true) !== this.rawName.length) throw new Unreadable();
    if (!sameBytes(new Uint8Array(head.buffer, 30), this.rawName)) throw new Unreadable();
    const begins = head.byteLength + this.offset + head.getUint16(28, true);
    if (begins + this.packed > this.zip.size) throw new Unreadable();
    let stream = this.zip.slice(begins, begins + this.packed).stream();
    if (this.method === DEFLATED) stream = stream.pipeThrough(new DecompressionStream("deflate-raw"));
    const reader = stream.getReader();
    let [bytes, crc] = [0, 0xffffffff];
    for (;;) {
      let done, value;
      try {
        ({ done, value } = await reader.read());
      } catch {
        throw new Unreadable();
      }
      if (done) break;
      bytes += value.length;
      if (bytes > this.size) {
        await reader.cancel().catch(() => undefined);
        throw new Unreadable();
      }
      for (const byte of value) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 255];
      yield value;
    }
    if (bytes !== this.size || (crc ^ 0xffffffff) >>> 0 !== this.crc) throw new Unreadable();
  }
}

async function viewOf(file, at, length) {
  if (at < 0 || at + length > file.size) return null;
  return new DataView(await file.slice(at, at + length).arrayBuffer());
}

/** Return where the list of a ZIP file lies, how long it is, and how many entries it has; null if the file is none. */
async function zipEnd(file) {
  const end = await viewOf(file, file.size - 22, 22);
  if (!end || end.getUint32(0, true) !== 0x06054b50 || end.getUint16(20, true)) return null;
  const short = { count: end.getUint16(10, true), length: end.getUint32(12, true), at: end.getUint32(16, true) };
  if (short.count !== 0xffff && short.length !== 0xffffffff && short.at !== 0xffffffff) {
    return short.at + short.length === file.size - 22 ? short : null;
  }
  const locator = await viewOf(file, file.size - 42, 20);
  if (!locator || locator.getUint32(0, true) !== 0x07064b50) return null;
  const place = Number(locator.getBigUint64(8, true));
  const long = await viewOf(file, place, 56);
  if (!long || long.getUint32(0, true) !== 0x06064b50 || place + 56 !== file.size - 42) return null;
  const [count, length, at] = [32, 40, 48].map((offset) => Number(long.getBigUint64(offset, true)));
  return at + length === place ? { count, length, at } : null;
}

/** Return what a ZIP file holds, read from its list alone. */
async function sourceOfZip(file) {
  const wrong = new NotABundle(say("{path} is neither the folder of a bundle nor a ZIP file of one", { path: file.name }));
  const end = await zipEnd(file);
  if (!end || end.length > MAX_LIST) throw wrong;
  const list = await viewOf(file, end.at, end.length);
  const found = new Map();
  let at = 0;
  for (let number = 0; number < end.count; number += 1) {
    const entry = at + 46 <= list.byteLength && list.getUint32(at, true) === 0x02014b50 ? zipEntry(list, at) : null;
    if (!entry || found.has(entry.name)) throw wrong;
    found.set(entry.name, entry);
    at = entry.next;
  }
  if (at !== list.byteLength) throw wrong;
  const source = new Source(file.name);
  const top = found.has("bundle.json") ? "" : `${found.keys().next().value?.split("/")[0]}/`;
  for (const [name, entry] of found) {
    if (!name.startsWith(top)) throw wrong;
    const path = name.slice(top.length);
    if (path === "" || (path.endsWith("/") && FOLDERS.includes(path.slice(0, -1)))) continue;
    source.add(decodedName(path), entry.isPlain ? new ZippedFile(file, entry) : null);
  }
  return source;
}

/** Return a name of which the bytes were read as Latin-1 as a person reads it; no file of a bundle has any but ASCII. */
function decodedName(name) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(name, (each) => each.charCodeAt(0)));
  } catch {
    return name;
  }
}

/** Return one entry of the list of a ZIP file; null if it is cut off. Names are bytes, here as Latin-1. */
function zipEntry(list, at) {
  const [flags, method] = [list.getUint16(at + 8, true), list.getUint16(at + 10, true)];
  const entry = { method, crc: list.getUint32(at + 16, true) };
  const [nameLength, extra, comment] = [28, 30, 32].map((offset) => list.getUint16(at + offset, true));
  entry.next = at + 46 + nameLength + extra + comment;
  if (entry.next > list.byteLength) return null;
  entry.rawName = new Uint8Array(list.buffer, at + 46, nameLength);
  entry.name = latin(entry.rawName);
  const wide = { size: at + 24, packed: at + 20, offset: at + 42 };
  for (const [name, place] of Object.entries(wide)) entry[name] = list.getUint32(place, true);
  let field = at + 46 + nameLength;
  for (const last = field + extra; field + 4 <= last; ) {
    const [id, length] = [list.getUint16(field, true), list.getUint16(field + 2, true)];
    let place = field + 4;
    field = place + length;
    if (field > last) return null;
    if (id !== 1) continue;
    for (const name of Object.keys(wide)) {
      if (entry[name] !== 0xffffffff) continue;
      if (place + 8 > field) return null;
      entry[name] = Number(list.getBigUint64(place, true));
      place += 8;
    }
  }
  // Made on Unix, the upper half of the attributes is the file's mode: a link, or whatever is no regular file, is none.
  const mode = list.getUint8(at + 5) === 3 ? list.getUint16(at + 40, true) & 0xf000 : 0;
  const known = method === STORED ? entry.size === entry.packed : method === DEFLATED;
  entry.isPlain = known && !(flags & 1) && !entry.name.endsWith("/") && (mode === 0 || mode === 0x8000);
  return entry;
}
