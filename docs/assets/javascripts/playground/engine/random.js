// NumPy's random numbers, bit for bit: numpy.random.default_rng(seed). The Python program that the
// page writes then draws the same data, starting weights and order of rows with one line each.
//
// A seed is mixed by SeedSequence (M. O'Neill's seed_seq_fe), the numbers come from PCG64 (XSL-RR).
// Sources: numpy/random/bit_generator.pyx and numpy/random/src/pcg64/pcg64.h.

const MASK_128 = (1n << 128n) - 1n;
const MASK_64 = (1n << 64n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** Mixes 32-bit words: each call takes up a word and moves on to the next constant. */
function hasher(constant, multiplier) {
  return (word) => {
    word ^= constant;
    constant = Math.imul(constant, multiplier);
    word = Math.imul(word, constant);
    return word ^ (word >>> 16);
  };
}

function mix(x, y) {
  const word = Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y);
  return word ^ (word >>> 16);
}

/** SeedSequence(seed, spawn_key=key).generate_state(4, np.uint64), as BigInts. */
function seedWords(seed, key = []) {
  const entropy = [seed, 0, 0, 0, ...key];
  const hash = hasher(0x43b0d7e5, 0x931e8875);
  const pool = entropy.slice(0, 4).map(hash);
  for (let from = 0; from < entropy.length; from++) {
    for (let to = 0; to < 4; to++) {
      if (from !== to) pool[to] = mix(pool[to], hash(from < 4 ? pool[from] : entropy[from]));
    }
  }
  const spread = hasher(0x8b51f9dd, 0x58f38ded);
  const words = Array.from({ length: 8 }, (_, i) => BigInt(spread(pool[i % 4]) >>> 0));
  return [0, 2, 4, 6].map((i) => words[i] | (words[i + 1] << 32n));
}

/** numpy.random.default_rng(SeedSequence(seed, spawn_key=key)). */
export class Generator {
  constructor(seed, key = []) {
    const [stateHigh, stateLow, streamHigh, streamLow] = seedWords(seed, key);
    this.increment = ((((streamHigh << 64n) | streamLow) << 1n) | 1n) & MASK_128;
    this.state = this.increment; // the first step, from 0
    this.state = (this.state + ((stateHigh << 64n) | stateLow)) & MASK_128;
    this.advance();
    this.spare = null; // the upper half of a word of which the lower one has been used
  }

  advance() {
    this.state = (this.state * MULTIPLIER + this.increment) & MASK_128;
  }

  next64() {
    this.advance();
    const word = (this.state >> 64n) ^ (this.state & MASK_64);
    const turn = this.state >> 122n;
    return ((word >> turn) | (word << (64n - turn))) & MASK_64;
  }

  next32() {
    if (this.spare !== null) {
      const word = this.spare;
      this.spare = null;
      return word;
    }
    const word = this.next64();
    this.spare = Number(word >> 32n);
    return Number(word & 0xffffffffn);
  }

  /** rng.random(n): n numbers, uniform in [0, 1). */
  random(n) {
    return Float64Array.from({ length: n }, () => Number(this.next64() >> 11n) / 2 ** 53);
  }

  /** rng.uniform(low, high, n). */
  uniform(low, high, n) {
    return this.random(n).map((u) => low + (high - low) * u);
  }

  /** A whole number in 0..last: as many bits as it may have, drawn until they are no more. */
  below(last) {
    const mask = 2 ** (32 - Math.clz32(last)) - 1;
    let number;
    do number = (this.next32() & mask) >>> 0;
    while (number > last);
    return number;
  }

  /** rng.permutation(n): 0..n-1 in random order. */
  permutation(n) {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
