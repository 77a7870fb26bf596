/** Sets of rows in few letters: gaps between them, or a bit for each row, whichever is shorter. */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Letters of base64url; the first says how: "g" gaps, "b" bits. */
export function encodeRows(rows: ArrayLike<number>): string {
  const gaps = encodeGaps(rows);
  const last = rows.length ? rows[rows.length - 1] : 0;
  return gaps.length <= last / 6 ? `g${gaps}` : shorter(`g${gaps}`, `b${encodeBits(rows, last)}`);
}

/** The rows, ascending; null where the letters are no code. */
export function decodeRows(code: string): Uint32Array | null {
  const digits = Array.from(code.slice(1), (letter) => LETTERS.indexOf(letter));
  if (digits.includes(-1)) return null;
  if (code[0] === "g") return decodeGaps(digits);
  return code[0] === "b" ? decodeBits(digits) : null;
}

function shorter(a: string, b: string): string {
  return a.length <= b.length ? a : b;
}

/** Each gap in digits of five bits, the low ones first; a sixth bit says that more follow. */
function encodeGaps(rows: ArrayLike<number>): string {
  let code = "";
  let before = -1;
  for (let place = 0; place < rows.length; place++) {
    let gap = rows[place] - before - 1;
    before = rows[place];
    for (; gap >= 32; gap >>>= 5) code += LETTERS[32 + (gap & 31)];
    code += LETTERS[gap];
  }
  return code;
}

function decodeGaps(digits: number[]): Uint32Array | null {
  const rows: number[] = [];
  let before = -1;
  let gap = 0;
  let weight = 1;
  for (const digit of digits) {
    gap += (digit & 31) * weight;
    weight *= 32;
    if (digit >= 32) continue;
    before += gap + 1;
    rows.push(before);
    [gap, weight] = [0, 1];
  }
  return weight === 1 && before < 2 ** 32 ? Uint32Array.from(rows) : null;
}

function encodeBits(rows: ArrayLike<number>, last: number): string {
  const digits = new Uint8Array(Math.floor(last / 6) + 1);
  for (let place = 0; place < rows.length; place++) digits[Math.floor(rows[place] / 6)] |= 1 << (rows[place] % 6);
  return Array.from(digits, (digit) => LETTERS[digit]).join("");
}

function decodeBits(digits: number[]): Uint32Array {
  return Uint32Array.from(
    digits.flatMap((digit, place) =>
      [0, 1, 2, 3, 4, 5].filter((bit) => digit & (1 << bit)).map((bit) => 6 * place + bit),
    ),
  );
}
