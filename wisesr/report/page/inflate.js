// Packed values come back at once: DecompressionStream answers later, and printing waits for no promise. RFC 1950 and RFC 1951.
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LENGTH_BITS = [...Array(28).keys()].map((code) => (code < 8 ? 0 : (code >> 2) - 1)).concat(0);
const DISTANCE_BITS = [...Array(30).keys()].map((code) => (code < 4 ? 0 : (code >> 1) - 1));
const starts = (first, bits) => bits.map(((next) => (extra) => { const start = next; next += 2 ** extra; return start; })(first));
const LENGTHS = starts(3, LENGTH_BITS);
LENGTHS[28] = 258; // has a code of its own
const DISTANCES = starts(1, DISTANCE_BITS);

// A prefix code: how many words there are of each length, and their symbols, shortest first.
function prefixCode(lengths) {
  const counts = new Uint16Array(16);
  for (const length of lengths) if (length) counts[length] += 1;
  const symbols = [...lengths.keys()].filter((symbol) => lengths[symbol]).sort((one, other) => lengths[one] - lengths[other] || one - other);
  return { counts, symbols };
}

function inflate(bytes) {
  let [at, held, count, size] = [2, 0, 0, 0]; // two bytes are zlib's head
  let out = new Uint8Array(4 * bytes.length + 512);

  function bits(wanted) {
    while (count < wanted) {
      if (at >= bytes.length) throw new Error("the packed text ends too early");
      held |= bytes[at++] << count;
      count += 8;
    }
    const value = held & ((1 << wanted) - 1);
    held >>>= wanted;
    count -= wanted;
    return value;
  }
  function symbol({ counts, symbols }) {
    let [word, first, index] = [0, 0, 0];
    for (let length = 1; length < 16; length++) {
      word |= bits(1);
      if (word - first < counts[length]) return symbols[index + word - first];
      index += counts[length];
      first = (first + counts[length]) << 1;
      word <<= 1;
    }
    throw new Error("the packed text is damaged");
  }
  function room(more) {
    if (size + more <= out.length) return;
    const larger = new Uint8Array(2 * (size + more));
    larger.set(out);
    out = larger;
  }
  function stored() {
    [held, count] = [0, 0]; // what is left of the byte
    const length = bytes[at] | (bytes[at + 1] << 8);
    room(length);
    out.set(bytes.subarray(at + 4, at + 4 + length), size);
    at += 4 + length;
    size += length;
  }
  function dynamicCodes() {
    const [literals, distances, codes] = [bits(5) + 257, bits(5) + 1, bits(4) + 4];
    const own = Array(19).fill(0);
    for (const place of CODE_ORDER.slice(0, codes)) own[place] = bits(3);
    const code = prefixCode(own);
    const lengths = [];
    while (lengths.length < literals + distances) {
      const next = symbol(code);
      if (next < 16) lengths.push(next);
      else if (next === 16) lengths.push(...Array(3 + bits(2)).fill(lengths.at(-1)));
      else lengths.push(...Array(next === 17 ? 3 + bits(3) : 11 + bits(7)).fill(0));
    }
    return [prefixCode(lengths.slice(0, literals)), prefixCode(lengths.slice(literals))];
  }
  function block([literals, distances]) {
    for (let next = symbol(literals); next !== 256; next = symbol(literals)) {
      if (next < 256) {
        room(1);
        out[size++] = next;
        continue;
      }
      const length = LENGTHS[next - 257] + bits(LENGTH_BITS[next - 257]);
      const code = symbol(distances);
      const back = DISTANCES[code] + bits(DISTANCE_BITS[code]);
      room(length);
      for (let step = 0; step < length; step++, size++) out[size] = out[size - back];
    }
  }

  let last = 0;
  while (!last) {
    last = bits(1);
    const kind = bits(2);
    if (kind === 0) stored();
    else block(kind === 2 ? dynamicCodes() : FIXED_CODES);
  }
  return out.subarray(0, size);
}
const FIXED_CODES = [
  prefixCode([...Array(144).fill(8), ...Array(112).fill(9), ...Array(24).fill(7), ...Array(8).fill(8)]),
  prefixCode(Array(30).fill(5)),
];

function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(inflate(bytes)));
}
