// The icon as PNG, drawn from the rectangles of src/static/icon.svg: what installers want that take no SVG.
import { deflateSync } from "node:zlib";

/** The rounded rectangles of an SVG in the order of painting; `rx` and `fill` may be missing. */
function shapes(svg) {
  const attribute = (text, name) => new RegExp(`\\s${name}="([^"]*)"`).exec(text)?.[1];
  const group = attribute(/<g[^>]*>/.exec(svg)?.[0] ?? "", "fill");
  return [...svg.matchAll(/<rect[^>]*>/g)].map(([text]) => {
    const number = (name) => Number(attribute(text, name) ?? 0);
    const fill = attribute(text, "fill") ?? group;
    const digits = fill.length === 4 ? [...fill.slice(1)].map((digit) => digit + digit).join("") : fill.slice(1);
    const colour = [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16));
    return { x: number("x"), y: number("y"), width: number("width"), height: number("height"), radius: number("rx"), colour };
  });
}

function covers({ x, y, width, height, radius }, px, py) {
  const dx = Math.max(x + radius - px, px - (x + width - radius), 0);
  const dy = Math.max(y + radius - py, py - (y + height - radius), 0);
  return px >= x && px <= x + width && py >= y && py <= y + height && dx * dx + dy * dy <= radius * radius;
}

function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc(body), body.length + 4);
  return out;
}

/** `svg` (its view box 64 by 64) as a PNG of `size` pixels a side, smoothed by 4 by 4 samples. */
export function png(svg, size) {
  const painted = shapes(svg).reverse();
  const rows = Buffer.alloc(size * (size * 4 + 1));
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const sum = [0, 0, 0, 0];
      for (let sample = 0; sample < 16; sample += 1) {
        const px = ((column + ((sample % 4) + 0.5) / 4) * 64) / size;
        const py = ((row + (Math.floor(sample / 4) + 0.5) / 4) * 64) / size;
        const top = painted.find((shape) => covers(shape, px, py));
        if (top) [...top.colour, 255].forEach((value, place) => (sum[place] += value));
      }
      const at = row * (size * 4 + 1) + 1 + column * 4;
      const opaque = sum[3] / 255;
      for (let place = 0; place < 3; place += 1) rows[at + place] = opaque ? Math.round(sum[place] / opaque) : 0;
      rows[at + 3] = Math.round(sum[3] / 16);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
