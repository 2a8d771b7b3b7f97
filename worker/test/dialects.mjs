// How each dialect is walked: where a walk begins, what a page shows and where it leads, and which rows of an export, in
// which order and spelling, the walk is to show.

/** A name that every dialect can spell. */
export const PROJECT = 'abcdefghijklmnopqrstuvwx';
export const SESSION = 'walk';
// everything that is here, whenever it was
const EVER = 'startDate=2000-01-01&endDate=2027-01-01';

// as engines compare text: by the bytes of UTF-8, what is absent first
const text = (a, b) => Buffer.compare(Buffer.from(a ?? ''), Buffer.from(b ?? ''));
const number = (a, b) => (a ?? -Infinity) - (b ?? -Infinity) || 0;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

// RFC 3339 sorts as text once all have the same digits
const instant = ({ time }) => {
  const [, seconds, fraction = ''] = /^([^.Z]*)(?:\.(\d+))?Z$/.exec(time);
  return seconds + fraction.padEnd(9, '0');
};

function size({ request, response }) {
  const sizes = [request?.body?.size, response?.body?.size].filter((bytes) => bytes !== undefined);
  return sizes.length > 0 ? sizes.reduce((sum, bytes) => sum + bytes) : undefined;
}

/** The message as the dialects derive it. */
export function message({ message, kind, method, path, status, duration_ms }) {
  if (message !== undefined) return message;
  if (kind === 'event') return undefined;
  const took = duration_ms === undefined ? undefined : `in ${Math.floor(duration_ms + 0.5)} ms`;
  return [method, path, status, took].filter((word) => word !== undefined && word !== '').join(' ');
}

const ORDERS = {
  time: (a, b) => text(instant(a), instant(b)),
  arrival: () => 0,
  duration: (a, b) => number(a.duration_ms, b.duration_ms),
  status: (a, b) => number(a.status, b.status),
  size: (a, b) => number(size(a), size(b)),
  level: (a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level),
  trace: (a, b) => text(a.trace_id, b.trace_id),
  message: (a, b) => text(message(a), message(b)),
};

// an id is 48 bits of arrival and 48 of sequence, in 20 characters of Crockford's base 32
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
function halves(id) {
  const read = (part) => [...part].reduce((value, digit) => value * 32n + BigInt(CROCKFORD.indexOf(digit)), 0n);
  return [read(id.slice(0, 10)), read(id.slice(10))];
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit += 1) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});
const crc32 = (hex) => ~Buffer.from(hex, 'hex').reduce((crc, byte) => CRC[(crc ^ byte) & 255] ^ (crc >>> 8), -1) >>> 0;
// the first 24 bits of no use: what is kept are the low ones
const check = (number) => BigInt(crc32(number.toString(16).padStart(32, '0')) & 0xffffff);

// Scrip's: a UUID of version 8 with a check
function uuid({ id }) {
  const [arrival, seq] = halves(id);
  const mark = (0x8n << 76n) | (0x2n << 62n) | check((arrival << 64n) | seq);
  const bits = (arrival << 80n) | ((seq >> 36n) << 64n) | ((seq & 0xfffffffffn) << 24n) | mark;
  return bits.toString(16).padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

// Cognigy's: 24 characters of base 36 with a check
function short({ id }) {
  const [arrival, seq] = halves(id);
  const bits = (arrival << 48n) | seq;
  return ((bits << 24n) | check(bits)).toString(36).padStart(24, '0');
}

// Hoody's: the numbers of the halves that it shows
const rows = ({ kind, seq }) => (kind === 'event' ? [2 * seq - 1] : [2 * seq - 1, 2 * seq]);

const all = () => true;
// what has a method: events are not listed
const calls = ({ kind }) => kind !== 'event';
const and = (path, name, value) => (value == null ? null : `${path}&${name}=${encodeURIComponent(value)}`);

/**
 * A dialect, or one of its ways to page.
 *
 * - `sorts`: the orders that it has, by the name it calls each
 * - `most`: rows of a page at most
 * - `first(walk, rows)`: where a walk begins, of `{sort, direction, limit}`, when these rows are there
 * - `read(answer, path, walk)`: `{rows, next, prev}` of a page that was got from `path`
 * - `lists(row)`, `shown(row)`: whether a row of an export is walked, and as what
 * - `follows`: it shows what comes while it walks
 * - `stands`: it goes on after a row, and so is not shifted by what is destroyed; `needs`: as long as that row is there
 * - `key`: whose walks they are
 * - `views`: how often a page looks whether something has changed
 * - `whole`: it is always walked to its end, and not only when there is time
 */
const dialect = (given) => ({
  lists: all,
  directions: ['desc', 'asc'],
  follows: false,
  stands: false,
  needs: false,
  key: 'reader',
  views: 1,
  whole: true,
  ...given,
});

const flowmock = (limit) => `/sessions/${SESSION}/logs?limit=${limit}`;
const hoody = (limit) => `/api/proxy-logs/_logs?limit=${limit}`;
const scrip = ({ sort, direction, limit }) => `/v1/logs?limit=${limit}&sort_by=${sort}&sort_dir=${direction}`;
const cognigy = ({ sort, direction, limit }) =>
  `/v2.1/projects/${PROJECT}/logs?${EVER}&limit=${limit}&sort=${sort}:${direction}`;
const own = ({ sort, direction, limit }) => `/api/v1/logs?fields=seq&limit=${limit}&sort=${sort}&dir=${direction}`;
const COGNIGY = { timestamp: 'time', _id: 'arrival', type: 'level', traceId: 'trace', msg: 'message' };

const linked = (answer, rows) => ({ rows, next: answer.link('next'), prev: answer.link('prev') });

export const DIALECTS = {
  'FlowMock, before': dialect({
    stands: true,
    sorts: { newest: 'arrival' },
    directions: ['desc'],
    most: 100,
    lists: calls,
    shown: ({ id }) => [`log_${id}`],
    first: ({ limit }) => flowmock(limit),
    read({ json: { logs, nextCursor } }, _, { limit }) {
      return { rows: logs.map(({ id }) => id), next: and(flowmock(limit), 'before', nextCursor), prev: null };
    },
  }),
  'FlowMock, since': dialect({
    whole: false,
    sorts: { oldest: 'arrival' },
    directions: ['asc'],
    most: 100,
    follows: true,
    lists: calls,
    shown: ({ id }) => [`log_${id}`],
    // the oldest is where it begins, and not in it
    first: ({ limit }, [oldest]) => and(flowmock(limit), 'since', `log_${oldest.id}`),
    read({ json: { logs, nextCursor } }, _, { limit }) {
      if (nextCursor !== null) throw new Error('since has no nextCursor');
      const ids = logs.map(({ id }) => id);
      return { rows: ids, next: and(flowmock(limit), 'since', ids.at(-1)), prev: null };
    },
  }),
  Scrip: dialect({
    stands: true,
    sorts: { created_at: 'time', duration_ms: 'duration', status_code: 'status' },
    most: 100,
    lists: calls,
    shown: (row) => [uuid(row)],
    first: scrip,
    read({ json: { data, pagination } }, _, walk) {
      const next = and(scrip(walk), 'cursor', pagination.next_cursor);
      if (pagination.has_more !== (next !== null)) throw new Error('has_more is not what next_cursor says');
      return { rows: data.map(({ id }) => id), next, prev: null };
    },
  }),
  'Hoody, offset': dialect({
    sorts: { id: 'arrival' },
    directions: ['asc'],
    most: 1000,
    shown: rows,
    first: ({ limit }) => hoody(limit),
    read: (answer) => linked(answer, answer.json.entries.map(({ id }) => id)),
  }),
  'Hoody, afterId': dialect({
    sorts: { id: 'arrival' },
    directions: ['asc'],
    most: 1000,
    follows: true,
    shown: rows,
    first: ({ limit }) => `${hoody(limit)}&afterId=0`,
    read({ json: { entries } }, _, { limit }) {
      const ids = entries.map(({ id }) => id);
      return { rows: ids, next: and(hoody(limit), 'afterId', ids.at(-1)), prev: null };
    },
  }),
  'Hoody, fan-out': dialect({
    stands: true,
    sorts: { id: 'arrival' },
    directions: ['asc'],
    most: 1000,
    key: 'admin',
    // to plan, for the first 256 records and for the rest
    views: 3,
    shown: rows,
    first: ({ limit }) => hoody(limit),
    read({ lines }, _, { limit }) {
      const { cursor, stoppedReason } = lines.pop();
      if ((stoppedReason === 'end') !== (cursor === null)) throw new Error(`${stoppedReason} with the cursor ${cursor}`);
      return { rows: lines.map(({ id }) => id), next: and(hoody(limit), 'cursor', cursor), prev: null };
    },
  }),
  Generic: dialect({
    sorts: { timestamp: 'time' },
    directions: ['desc'],
    most: 1000,
    // it has no ids
    shown: (row) => [`${row.time} ${message(row)}`],
    first: ({ limit }) => `/logs?limit=${limit}`,
    read(answer) {
      const { logs, pagination } = answer.json.data;
      const page = linked(answer, logs.map(({ timestamp, message }) => `${timestamp} ${message}`));
      if ((pagination.nextOffset === null) !== (page.next === null)) throw new Error('nextOffset is not what Link says');
      return page;
    },
  }),
  'Cognigy, next': dialect({
    stands: true,
    needs: true,
    sorts: COGNIGY,
    most: 100,
    shown: (row) => [short(row)],
    first: cognigy,
    read({ json: { items, nextCursor, previousCursor } }, _, walk) {
      const on = (name, cursor) => and(cognigy(walk), name, cursor);
      return { rows: items.map(({ _id }) => _id), next: on('next', nextCursor), prev: on('previous', previousCursor) };
    },
  }),
  'Cognigy, skip': dialect({
    whole: false,
    sorts: COGNIGY,
    most: 100,
    shown: (row) => [short(row)],
    first: (walk) => `${cognigy(walk)}&skip=0`,
    read: (answer) => linked(answer, answer.json.items.map(({ _id }) => _id)),
  }),
  'own API': dialect({
    stands: true,
    sorts: { time: 'time', arrival: 'arrival', duration: 'duration', status: 'status', size: 'size' },
    most: 1000,
    shown: ({ seq }) => [seq],
    first: own,
    read(answer, _, walk) {
      const { items, next, prev } = answer.json;
      const page = linked(answer, items.map(({ seq }) => seq));
      const cursors = [next, prev].map((cursor) => and(own(walk), 'cursor', cursor));
      if ((cursors[0] === null) !== (page.next === null) || (cursors[1] === null) !== (page.prev === null)) {
        throw new Error('next and prev are not what Link says');
      }
      return page;
    },
  }),
};

/** What a walk shows of rows, sorted naively: `[row, shown]` of each. */
export function expected({ dialect, sort, direction }, rows) {
  const { lists, shown, sorts } = DIALECTS[dialect];
  const compare = ORDERS[sorts[sort]];
  const sorted = rows.filter(lists).sort((a, b) => compare(a, b) || a.seq - b.seq);
  if (direction === 'desc') sorted.reverse();
  return sorted.flatMap((row) => shown(row).map((spelled) => [row, spelled]));
}
