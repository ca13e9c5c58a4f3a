// Records, heads, and the calendar that they are in.

const MAX_TEXT = 500;
const GENESIS = "0".repeat(64);
const AT = String.raw`\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z`;
const STRING = String.raw`"([^"\\\x00-\x1f\x7f]*(?:\\["\\][^"\\\x00-\x1f\x7f]*)*)"`;
const RECORD = new RegExp(
  String.raw`^\{"at":"(${AT})","body":"([0-9a-f]{64})","duty":${STRING},"kind":"([a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*)"` +
    String.raw`,"prev":"([0-9a-f]{64})","run":${STRING},"seq":([1-9]\d{0,17}),"subject":${STRING},"v":1\}$`,
);
const HEAD = new RegExp(
  String.raw`^portalops-head 1\nledger ([0-9a-f]{32})\nsize ([1-9]\d{0,17})\ndigest ([0-9a-f]{64})\nat (${AT})\nprevious ([0-9a-f]{64})\n$`,
);

const CLAIM = /^portalops-claim 1\nledger ([0-9a-f]{32})\n((?:range [1-9][0-9]{0,17} [1-9][0-9]{0,17} [0-9a-f]{64}\n)+)$/;
const WRITER =
  /^portalops-writer 1\nledger ([0-9a-f]{32})\nstate (added|ended)\nkey ([a-z0-9@.-]+ [A-Za-z0-9+/=]+)\nname ([A-Za-z0-9][A-Za-z0-9._@-]{0,99})\nauthority (all|records)\n$/;
const WORDS = String.raw`([^\u{0}-\u{1f}\u{7f}\u{d800}-\u{dfff}]{1,200})`;
const QUARANTINE = new RegExp(
  String.raw`^portalops-(?:quarantine|clock) 1\nledger ([0-9a-f]{32})\nrange ([1-9][0-9]{0,17}) ([1-9][0-9]{0,17}) ([0-9a-f]{64})\n` +
    String.raw`(?:since (${AT})\n)?by ${WORDS}\nsecond ${WORDS}\nkey ([a-z0-9@.\-]+ [A-Za-z0-9+\/=]+)\nreason ${WORDS}\n$`,
  "u",
);
const MAX_RANGES = 1000; // of one claim
const MAX_ASIDE = 1000n; // records of one quarantine

const EARLIEST = momentOf("0001-01-01T00:00:00.000Z");
const LATEST = momentOf("9999-12-31T23:59:59.999Z");

/** Return a moment in milliseconds since 1970, or NaN if the calendar has none such. */
function momentOf(at) {
  const moment = Date.parse(at);
  return !Number.isNaN(moment) && new Date(moment).toISOString() === at && at >= "0001" ? moment : NaN;
}

function isInCalendar(moment) {
  return moment >= EARLIEST && moment <= LATEST;
}

/** Write a moment as records do; an error behind the ends of the calendar. */
function atText(moment) {
  if (!isInCalendar(moment)) throw new OutsideCalendar();
  return new Date(Math.floor(moment)).toISOString();
}

class OutsideCalendar extends Error {}

/** Say whether a record's time is in the calendar, wherever it is shown: zones move it by up to a day. */
const isMoment = (at) => at > "0002" && at < "9999" && !Number.isNaN(momentOf(at));
const plainText = (text) => (text.includes("\\") ? text.replace(/\\(.)/gs, "$1") : text);

/** Return what a line says, or null if it is not written the one way that the page describes. */
function parseRecord(line) {
  if (line.length > MAX_LINE) return null;
  let text;
  try {
    text = fromUtf8(line);
  } catch {
    return null;
  }
  const found = RECORD.exec(text);
  if (!found) return null;
  const [, at, body, duty, kind, prev, run, seq, subject] = found;
  if (line.length > MAX_TEXT || text.length < line.length) {
    for (const each of [plainText(duty), plainText(run), plainText(subject), kind]) {
      if (Array.from(each).length > MAX_TEXT) return null;
    }
  }
  return isMoment(at) ? { seq: Number(seq), written: seq, at, kind, run: plainText(run), body, prev } : null;
}

/** Return the head that a text is, or null. Its size is kept as it is written too: it may be beyond what Number holds. */
function parseHead(text) {
  const found = HEAD.exec(text);
  if (!found || !isMoment(found[4])) return null;
  const [, ledger, written, digest, at, previous] = found;
  return { ledger, size: Number(written), written, digest, at, previous, name: written.padStart(10, "0") };
}

/** Return the ledger and the ranges that a claim names, or null. */
function parseClaim(text) {
  const found = CLAIM.exec(text);
  if (!found) return null;
  const ranges = found[2].trimEnd().split("\n").map((each) => each.split(" "));
  let before = 0n;
  for (const [, first, last] of ranges) {
    if (BigInt(first) <= before || BigInt(last) < BigInt(first)) return null;
    before = BigInt(last);
  }
  if (ranges.length > MAX_RANGES) return null;
  return { ledger: found[1], ranges: ranges.map(([, first, last, digest]) => ({ first: Number(first), last: Number(last), digest })) };
}

/** Return what the text of a quarantine, or of a mended clock, says, or null. */
function parseQuarantine(text, mends) {
  const found = QUARANTINE.exec(text);
  if (!found || !isKey(found[8])) return null;
  const [, ledger, first, last, digest, since, by, second, key, reason] = found;
  if (BigInt(last) < BigInt(first) || (!mends && BigInt(last) >= BigInt(first) + MAX_ASIDE)) return null;
  if (!text.startsWith(mends ? "portalops-clock " : "portalops-quarantine ") || (since !== undefined) !== mends || (mends && !isMoment(since))) return null;
  return { ledger, first: Number(first), last: Number(last), digest, since, by, second, key, reason };
}

/** Return what a writer record's text says, or null. */
function parseWriter(text) {
  const found = WRITER.exec(text);
  if (!found || !isKey(found[3])) return null;
  const [, ledger, state, key, name, authority] = found;
  return { ledger, state, key, name, authority };
}

const codeOf = (head) => [head.written, ...head.digest.slice(0, 20).match(/.{4}/g)].join("-");

/** Write a moment as allowed_signers has it, in whole seconds. */
const stamp = (at) => `${at.slice(0, 19).replace(/[-:T]/g, "")}Z`;

/** Return from when on a bundle's allowed_signers lists a key: ssh-keygen takes no time before the first second of 1970. */
const listedFrom = (begin) => [begin, "1970-01-01T00:00:01.000Z"].sort()[1];

/** Return until when it does: ssh-keygen takes no end that is not behind the beginning. */
const listedTo = (begin, end) => [end, atText(momentOf(listedFrom(begin)) + 1000)].sort()[1];

/** Return a day as the moment at which it begins in UTC; null if the calendar has none such. */
function dayOf(value) {
  if (!isText(value) || !/^\d{4}-\d\d-\d\d$/.test(value)) return null;
  const moment = momentOf(`${value}T00:00:00.000Z`);
  return Number.isNaN(moment) ? null : moment;
}
