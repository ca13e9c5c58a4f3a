// SHA-256 (FIPS 180-4), piece by piece: WebCrypto digests only what lies in memory as a whole.

const ROUND = new Int32Array(64);
const START = new Int32Array(8);
{
  // The first 32 bits behind the point of the cube roots and square roots of the first primes (FIPS 180-4, 4.2.2 and 5.3.3).
  const root = (value, power) => {
    let found = BigInt(Math.floor(Number(value) ** (1 / Number(power))));
    while (found ** power > value) found -= 1n;
    while ((found + 1n) ** power <= value) found += 1n;
    return Number(found & 0xffffffffn);
  };
  for (let number = 2, count = 0; count < 64; number += 1) {
    let divisor = 2;
    while (number % divisor) divisor += 1;
    if (divisor < number) continue;
    ROUND[count] = root(BigInt(number) << 96n, 3n);
    if (count < 8) START[count] = root(BigInt(number) << 64n, 2n);
    count += 1;
  }
}
const SCHEDULE = new Int32Array(64);

function compress(state, data, from) {
  const w = SCHEDULE;
  for (let i = 0, at = from; i < 16; i += 1, at += 4) {
    w[i] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
  }
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0;
    d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

class Sha256 {
  constructor() {
    this.state = Int32Array.from(START);
    this.block = new Uint8Array(64);
    this.used = 0;
    this.bytes = 0;
  }

  update(data) {
    let at = 0;
    this.bytes += data.length;
    if (this.used) {
      at = Math.min(64 - this.used, data.length);
      this.block.set(data.subarray(0, at), this.used);
      this.used += at;
      if (this.used < 64) return this;
      compress(this.state, this.block, 0);
    }
    for (; at + 64 <= data.length; at += 64) compress(this.state, data, at);
    this.block.set(data.subarray(at));
    this.used = data.length - at;
    return this;
  }

  hex() {
    const end = new Uint8Array(this.used < 56 ? 64 : 128);
    end.set(this.block.subarray(0, this.used));
    end[this.used] = 0x80;
    new DataView(end.buffer).setBigUint64(end.length - 8, BigInt(this.bytes) * 8n);
    for (let at = 0; at < end.length; at += 64) compress(this.state, end, at);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

const sha256 = (data) => new Sha256().update(data).hex();
