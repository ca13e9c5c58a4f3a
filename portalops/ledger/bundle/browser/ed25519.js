// Ed25519 (RFC 8032, verifying only). WebCrypto does it where the browser can. Where it cannot, this does: the libraries that are
// common take 8 (S B - R - k A) = 0 for good, which lets through signatures that OpenSSH, OpenSSL and verify.py refuse.

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
const SMALL = [0n, 1n, P - 1n, EIGHTH, P - EIGHTH]; // the y of the eight points that times 8 give nothing

const mod = (value) => ((value % P) + P) % P;
const littleEndian = (data) => data.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

function power(base, exponent) {
  let found = 1n;
  for (let square = base, left = exponent; left; square = mod(square * square), left >>= 1n) {
    if (left & 1n) found = mod(found * square);
  }
  return found;
}

const D = mod(-121665n * power(121666n, P - 2n));
const ROOT = power(2n, (P - 1n) / 4n); // a square root of -1

/** Say whether a key is one of those for which anybody can make signatures, or is not written canonically. */
function isWeak(key) {
  const y = littleEndian(key) & ((1n << 255n) - 1n);
  return y >= P || SMALL.includes(y);
}

/** Return the point X, Y, Z, T of 32 bytes (RFC 8032, 5.1.3), or null if they are none. */
function decodedPoint(number) {
  const sign = number >> 255n;
  const y = number & ((1n << 255n) - 1n);
  const square = mod((y * y - 1n) * power(mod(D * y * y + 1n), P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square)) x = mod(x * ROOT);
  if (mod(x * x - square) || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

function addPoints(p, q) {
  const [a, b] = [mod((p[1] - p[0]) * (q[1] - q[0])), mod((p[1] + p[0]) * (q[1] + q[0]))];
  const [c, d] = [mod(2n * p[3] * q[3] * D), mod(2n * p[2] * q[2])];
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

async function holdsByHand(key, message, signature) {
  const point = decodedPoint(littleEndian(key));
  if (!point) return false;
  const base = decodedPoint(mod(4n * power(5n, P - 2n)));
  const minus = [P - point[0], point[1], point[2], P - point[3]];
  const both = addPoints(base, minus);
  const s = littleEndian(signature.subarray(32));
  const hashed = await digestOf("SHA-512", joined(signature.subarray(0, 32), key, message));
  const k = littleEndian(hashed) % ORDER;
  let total = [0n, 1n, 1n, 0n];
  for (let bit = 252n; bit >= 0n; bit -= 1n) {
    total = addPoints(total, total);
    const [takesBase, takesKey] = [(s >> bit) & 1n, (k >> bit) & 1n];
    if (takesBase || takesKey) total = addPoints(total, takesBase && takesKey ? both : takesBase ? base : minus);
  }
  const inverse = power(total[2], P - 2n);
  const [x, y] = [mod(total[0] * inverse), mod(total[1] * inverse)];
  return (y | ((x & 1n) << 255n)) === littleEndian(signature.subarray(0, 32));
}

/** Say whether a signature is good: S B = R + k A, where S is below the group's order and A is written canonically. */
async function ed25519Holds(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64 || isWeak(key)) return false;
  if (littleEndian(signature.subarray(32)) >= ORDER) return false;
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return holdsByHand(key, message, signature); // no such algorithm here; or no such point, which is then found out
  }
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
}
