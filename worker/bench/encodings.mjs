// A batch as a BLOB, and as base64 in TEXT: what it takes to write one and to have its bytes again.

const FORMS = {
  blob: { encode: (bytes) => bytes.buffer, decode: (value) => Uint8Array.from(value) },
  text: { encode: (bytes) => bytes.toBase64(), decode: (value) => Uint8Array.fromBase64(value) },
};

// bytes of compressed data have no pattern
function noise(size, seed) {
  const words = new Uint32Array(size / 4);
  let state = seed + 1;
  for (let n = 0; n < words.length; n += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[n] = state;
  }
  return new Uint8Array(words.buffer);
}

const isEqual = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

export default {
  async fetch(request, { DB }) {
    const url = new URL(request.url);
    const [, op, form] = url.pathname.split('/');
    const [size, id] = ['size', 'id'].map((name) => Number(url.searchParams.get(name)));
    switch (op) {
      case 'create':
        await DB.prepare(`CREATE TABLE ${form} (id INTEGER PRIMARY KEY, rows ${form.toUpperCase()} NOT NULL) STRICT`).run();
        break;
      case 'floor':
        noise(size, id);
        await DB.prepare('SELECT 1').all();
        break;
      case 'write':
        await DB.prepare(`INSERT INTO ${form} VALUES (?1, ?2)`).bind(id, FORMS[form].encode(noise(size, id))).run();
        break;
      case 'read':
      case 'check': {
        const { results } = await DB.prepare(`SELECT rows FROM ${form} WHERE id = ?1`).bind(id).all();
        const bytes = FORMS[form].decode(results[0].rows);
        if (op === 'check' && !isEqual(bytes, noise(size, id))) return new Response('other bytes', { status: 500 });
        break;
      }
    }
    return new Response('{}');
  },
};
