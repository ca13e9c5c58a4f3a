// OpenSSH signatures (PROTOCOL.sshsig, PROTOCOL.u2f) and time stamps (RFC 3161, DER).

const MAX_LINE = 8192;
const PLAIN_KEY = "ssh-ed25519";
const TOKEN_KEY = "sk-ssh-ed25519@openssh.com";
const BEGIN = "-----BEGIN SSH SIGNATURE-----";
const END = "-----END SSH SIGNATURE-----";
const ALGORITHMS = { sha256: "SHA-256", sha512: "SHA-512" };
const NO_BYTES = new Uint8Array(0);

const digestOf = async (algorithm, data) => new Uint8Array(await crypto.subtle.digest(algorithm, data));
const hexOf = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
const latin = (data) => Array.from(data, (byte) => String.fromCharCode(byte)).join("");
const bytesOfLatin = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const toBase64 = (data) => btoa(latin(data));

function joined(...parts) {
  const found = new Uint8Array(parts.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of parts) {
    found.set(each, at);
    at += each.length;
  }
  return found;
}

/** A signature or a time stamp does not hold; says why, in both languages. */
class Bad extends Error {
  constructor(en) {
    super(en);
    this.said = say(en);
  }
}

/** Return the bytes of base64 that is written the one right way. */
function fromBase64(text) {
  let found;
  try {
    found = bytesOfLatin(atob(text));
  } catch {
    return null;
  }
  return toBase64(found) === text ? found : null;
}

/** Cut data into exactly so many strings, each behind its length in four bytes. */
function sshStrings(data, count) {
  const found = [];
  let at = 0;
  for (let number = 0; number < count; number += 1) {
    if (at + 4 > data.length) throw new Bad("truncated");
    const length = new DataView(data.buffer, data.byteOffset + at, 4).getUint32(0);
    if (at + 4 + length > data.length) throw new Bad("truncated");
    found.push(data.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  if (at !== data.length) throw new Bad("extra bytes at the end");
  return found;
}

const sshString = (data) => {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, data.length);
  return joined(length, data);
};

/**
 * Return the public key, `ALGORITHM BASE64`, that signed something for a purpose.
 * A signature must be written as ssh-keygen writes it, so that there are no two texts of the same one.
 * @param hasher gives the digest of what was signed, by WebCrypto's name of the algorithm.
 */
async function signerOf(signature, namespace, hasher) {
  const lines = signature.replaceAll("\r\n", "\n").replace(/^\n+|\n+$/g, "").split("\n");
  if (signature.length > MAX_LINE || lines.length < 3 || lines[0] !== BEGIN || lines.at(-1) !== END) {
    throw new Bad("not an OpenSSH signature");
  }
  const text = lines.slice(1, -1).join("");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4) throw new Bad("not an OpenSSH signature");
  const blob = bytesOfLatin(atob(text)); // which passes over bits that stand for nothing, as verify.py does
  if (lines.slice(1, -1).join("\n") !== toBase64(blob).match(/.{1,70}/g)?.join("\n")) {
    throw new Bad("not in the format of ssh-keygen");
  }
  if (latin(blob.subarray(0, 10)) !== "SSHSIG\0\0\0\x01") throw new Bad("not an OpenSSH signature of version 1");
  const [key, purpose, reserved, algorithm, inner] = sshStrings(blob.subarray(10), 5);
  if (latin(purpose) !== namespace || reserved.length) throw new Bad("it was made for another purpose");
  const hash = ALGORITHMS[latin(algorithm)];
  if (!hash) throw new Bad("unknown hash algorithm");
  const strings = [purpose, NO_BYTES, algorithm, await hasher(hash)].map(sshString);
  let data = joined(bytesOfLatin("SSHSIG"), ...strings);
  const kindLength = key.length < 4 ? 0 : new DataView(key.buffer, key.byteOffset, 4).getUint32(0);
  const kind = latin(key.subarray(4, 4 + kindLength));
  let point, name, proof;
  if (kind === PLAIN_KEY) {
    [, point] = sshStrings(key, 2);
    [name, proof] = sshStrings(inner, 2);
  } else if (kind === TOKEN_KEY) {
    // A FIDO2 token signs what it was used for, whether it was touched, and a counter.
    let application;
    [, point, application] = sshStrings(key, 3);
    [name, proof] = sshStrings(inner.subarray(0, Math.max(inner.length - 5, 0)), 2);
    const touched = inner.subarray(inner.length - 5);
    if (!(touched[0] & 1)) throw new Bad("the security key was not touched");
    data = joined(await digestOf("SHA-256", application), touched, await digestOf("SHA-256", data));
  } else throw new Bad("not an Ed25519 signature");
  if (latin(name) !== kind || !(await ed25519Holds(point, data, proof))) throw new Bad("it does not match the signed data");
  return `${kind} ${toBase64(key)}`;
}

const overBytes = (data) => (algorithm) => digestOf(algorithm, data);

/** Say whether this is the public key `ALGORITHM BASE64` and nothing else. */
function isKey(text) {
  const place = text.indexOf(" ");
  const kind = text.slice(0, place);
  const held = place < 0 ? null : fromBase64(text.slice(place + 1));
  if (!held || (kind !== PLAIN_KEY && kind !== TOKEN_KEY)) return false;
  try {
    const [name, point] = sshStrings(held, kind === TOKEN_KEY ? 3 : 2);
    return latin(name) === kind && point.length === 32 && !isWeak(point);
  } catch {
    return false;
  }
}

const fingerprint = (key) => {
  const digest = sha256(fromBase64(key.split(" ")[1]));
  return `SHA256:${toBase64(Uint8Array.from(digest.match(/../g), (byte) => parseInt(byte, 16))).replace(/=+$/, "")}`;
};

/** Takes one element of DER data after the other. */
class Der {
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  cut(count) {
    if (this.at + count > this.data.length) throw new Bad("truncated");
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  take(tag) {
    const [held, short] = this.cut(2);
    if (held !== tag) throw new Bad("not a time-stamp response");
    let length = short;
    if (short >= 0x80) {
      if (short < 0x81 || short > 0x84) throw new Bad("not DER");
      length = this.cut(short & 0x7f).reduce((sum, byte) => sum * 256 + byte, 0);
    }
    return this.cut(length);
  }

  into(tag) {
    return new Der(this.take(tag));
  }

  only(tag) {
    const found = this.take(tag);
    if (this.at !== this.data.length) throw new Bad("extra bytes at the end");
    return found;
  }
}

const SIGNED_DATA = "2a864886f70d010702";
const TST_INFO = "2a864886f70d0109100104";
const SHA256_ID = "608648016503040201";
const CLOCKS_APART = 5 * 60 * 1000;

/** Return the SHA-256 that a time-stamp response is about and its time in milliseconds; the token's signature is for openssl. */
function timeStamp(data) {
  const response = new Der(new Der(data).only(0x30));
  if (!["00", "01"].includes(hexOf(response.into(0x30).take(0x02)))) throw new Bad("it was not granted");
  const token = response.into(0x30);
  if (hexOf(token.take(0x06)) !== SIGNED_DATA) throw new Bad("it holds no signed data");
  const signed = new Der(token.into(0xa0).only(0x30));
  signed.take(0x02);
  signed.take(0x31);
  const held = signed.into(0x30);
  if (hexOf(held.take(0x06)) !== TST_INFO) throw new Bad("it holds no time stamp");
  const info = new Der(new Der(held.into(0xa0).only(0x04)).only(0x30));
  if (hexOf(info.take(0x02)) !== "01") throw new Bad("it holds no time stamp");
  info.take(0x06);
  const imprint = info.into(0x30);
  const algorithm = imprint.into(0x30).take(0x06);
  const digest = imprint.take(0x04);
  if (hexOf(algorithm) !== SHA256_ID || digest.length !== 32) throw new Bad("it is not over a SHA-256");
  info.take(0x02);
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,18}))?Z$/.exec(latin(info.take(0x18)));
  const whole = found ? momentOf(`${found[1]}-${found[2]}-${found[3]}T${found[4]}:${found[5]}:${found[6]}.000Z`) : NaN;
  const moment = whole + Number(((found && found[7]) || "").padEnd(6, "0").slice(0, 6)) / 1000;
  if (!isInCalendar(moment - CLOCKS_APART) || !isInCalendar(moment + CLOCKS_APART)) throw new Bad("its time cannot be read");
  return { imprint: hexOf(digest), moment };
}
