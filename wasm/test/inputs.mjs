// The same records in every format that is read, and every way in which files are compressed.

import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { createRequire } from 'node:module';

const zstd = createRequire(import.meta.url)('@bokuweb/zstd-wasm');
await zstd.init();

const BEGIN = Date.UTC(2026, 5, 23, 12);
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
const STATUSES = [200, 201, 304, 404, 500];

/** What every format can say of a record: no less, and nothing that another one cannot. */
export function records(count) {
  return Array.from({ length: count }, (_, at) => ({
    time: new Date(BEGIN + at * 1000).toISOString(),
    method: METHODS[at % 4],
    path: `/v1/items/${at}`,
    query: at % 3 === 0 ? `page=${at % 7}&q=caf%C3%A9` : undefined,
    status: STATUSES[at % 5],
  }));
}

const url = ({ path, query }) => (query === undefined ? path : `${path}?${query}`);

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function apache(time) {
  const [, year, month, day, clock] = /^(\d+)-(\d+)-(\d+)T(\d+:\d+:\d+)/.exec(time);
  return `${day}/${MONTHS[month - 1]}/${year}:${clock} +0000`;
}

const line = (record) => JSON.stringify({ ...record, request: { headers: [['x-number', record.path]] } });

const FORMATS = {
  ndjson: (rows) => rows.map((row) => `${line(row)}\n`).join(''),
  json: (rows) => `[\n  ${rows.map(line).join(',\n  ')}\n]\n`,
  har: (rows) => JSON.stringify({
    log: {
      version: '1.2',
      creator: { name: 'inputs.mjs', version: '1' },
      entries: rows.map((row) => ({
        startedDateTime: row.time,
        time: -1,
        request: {
          method: row.method, url: `https://shop.example${url(row)}`, httpVersion: 'HTTP/1.1', cookies: [], queryString: [],
          headers: [{ name: 'x-number', value: row.path }], headersSize: -1, bodySize: -1,
        },
        response: {
          status: row.status, statusText: '', httpVersion: 'HTTP/1.1', cookies: [], headers: [], redirectURL: '', headersSize: -1,
          bodySize: -1, content: { size: 9, mimeType: 'text/plain', text: `said ${row.path.length}\n{}` },
        },
        cache: {},
        timings: { send: 0, wait: -1, receive: 0 },
      })),
    },
  }, undefined, 1),
  csv: (rows) => `time,method,url,status\r\n${rows.map((row) => `${row.time},${row.method},"${url(row)}",${row.status}\r\n`).join('')}`,
  access: (rows) => rows.map((row) => `192.0.2.1 - - [${apache(row.time)}] "${row.method} ${url(row)} HTTP/1.1" ${row.status} 12\n`).join(''),
};

const NAMES = { ndjson: 'a.ndjson', json: 'a.json', har: 'a.har', csv: 'a.csv', access: 'access.log' };

/** Members one after another, as appended to a file: borders fall anywhere. */
function members(bytes, compress) {
  const third = Math.ceil(bytes.length / 3);
  const parts = [bytes.subarray(0, third), bytes.subarray(third, 2 * third), bytes.subarray(2 * third)];
  return Buffer.concat(parts.map(compress));
}

const COMPRESSIONS = {
  plain: { end: '', compress: (bytes) => bytes },
  gzip: { end: '.gz', compress: (bytes) => gzipSync(bytes) },
  'gzip of three members': { end: '.gz', compress: (bytes) => members(bytes, (part) => gzipSync(part)) },
  zstd: { end: '.zst', compress: (bytes) => Buffer.from(zstd.compress(bytes, 3)) },
  'zstd of three frames': { end: '.zst', compress: (bytes) => members(bytes, (part) => Buffer.from(zstd.compress(part, 1))) },
  deflate: { end: '', compress: (bytes) => deflateSync(bytes) },
  brotli: { end: '.br', compress: (bytes) => brotliCompressSync(bytes) },
};

export const formats = Object.keys(FORMATS);

/** The bytes of `rows` in a format. */
export function written(format, rows) {
  return Buffer.from(FORMATS[format](rows));
}

/** Every format in every compression: `{format, compression, name, bytes}`. */
export function inputs(rows) {
  return formats.flatMap((format) => {
    const plain = written(format, rows);
    return Object.entries(COMPRESSIONS).map(([compression, { end, compress }]) => (
      { format, compression, name: NAMES[format] + end, bytes: compress(plain) }
    ));
  });
}
