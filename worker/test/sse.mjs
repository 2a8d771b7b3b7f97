// A strict reader of live streams: Server-Sent Events (WHATWG HTML, 9.2) as reqlog writes them, and clients that come
// again with `Last-Event-ID` as browsers do, but at once.

import { EventEmitter, once } from 'node:events';
import { request } from 'node:http';
import { ADMIN } from './deployed.mjs';

/** Frames out of bytes; what the standard lets readers ignore is an error. */
export class Frames {
  #rest = Buffer.alloc(0);

  /** The frames that these bytes complete, as `{id, event, data, comment}` without what is not there. */
  push(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames = [];
    for (let end; (end = this.#rest.indexOf('\n\n')) >= 0; this.#rest = this.#rest.subarray(end + 2)) {
      frames.push(frame(new TextDecoder('utf-8', { fatal: true }).decode(this.#rest.subarray(0, end))));
    }
    return frames;
  }
}

function frame(text) {
  const frame = {};
  for (const line of text.split('\n')) {
    const [, name, value] = /^(id|event|data|):(?: ([^\r\0]+))?$/.exec(line) ?? [];
    const known = name === '' ? 'comment' : name;
    if (name === undefined || frame[known] !== undefined) throw new Error(`no frame of ours: ${text}`);
    frame[known] = value ?? '';
  }
  return frame;
}

/** One stream of one connection. Emits `change` with whatever comes, its end too. */
export class Stream extends EventEmitter {
  status;
  headers;
  /** What came that is no comment. */
  frames = [];
  /** How many comments came, the one that opens a stream too. */
  comments = 0;
  bytes = 0;
  hasEnded = false;
  #asked;
  #parser = new Frames();
  #more = Promise.resolve();
  #go;
  #room;

  /** Asks for a stream; of its bytes only so many are read where `cut` says so, then the client is gone. */
  constructor(deployed, path, { key = ADMIN, lastId, cut = Infinity } = {}) {
    super();
    this.setMaxListeners(0);
    this.#room = cut;
    const headers = { 'x-api-key': key, 'x-test-now': `${deployed.now}000000`, accept: 'text/event-stream' };
    if (lastId !== undefined) headers['last-event-id'] = lastId;
    this.#asked = request(new URL(path, deployed.url), { headers, agent: false });
    this.#read().catch((error) => {
      this.error = error;
      this.hasEnded = true;
      this.emit('change');
    });
  }

  async #read() {
    const answered = once(this.#asked, 'response');
    // what comes after the answer is met where it is read
    this.#asked.on('error', () => {});
    this.#asked.end();
    const [answer] = await answered;
    this.status = answer.statusCode;
    this.headers = answer.headers;
    this.emit('change');
    try {
      for await (const bytes of answer) {
        const taken = bytes.subarray(0, this.#room);
        this.#room -= taken.length;
        this.bytes += taken.length;
        if (this.status === 200) this.#take(this.#parser.push(taken));
        this.emit('change');
        if (this.#room === 0) this.close();
        await this.#more;
      }
    } catch (error) {
      if (error.code !== 'ECONNRESET') throw error;
    }
    this.hasEnded = true;
    this.emit('change');
  }

  #take(frames) {
    for (const { comment, ...frame } of frames) {
      if (comment !== undefined) this.comments += 1;
      if (Object.keys(frame).length > 0) this.frames.push(frame);
    }
  }

  /** Of its connection, at this end. */
  get port() {
    return this.#asked.socket?.localPort;
  }

  /** Does not read on until `resume`. */
  pause() {
    this.#more = new Promise((resolve) => (this.#go = resolve));
  }

  resume() {
    this.#go?.();
  }

  /** Leaves, and says so. */
  close() {
    this.#asked.socket?.resetAndDestroy();
  }

  /** Until this holds; that it cannot any more is an error. */
  async until(holds) {
    while (!holds(this)) {
      if (this.hasEnded) throw this.error ?? new Error('the stream has ended');
      await once(this, 'change');
    }
  }

  /** The next frames, so many of them, once they are there; then they are gone from `frames`. */
  async take(count) {
    await this.until(() => this.frames.length >= count);
    return this.frames.splice(0, count);
  }

  /** What came until the stream ended by itself. */
  async rest() {
    while (!this.hasEnded) await once(this, 'change');
    if (this.error) throw this.error;
    return this.frames;
  }
}

/** The head of a stream that was granted, and the stream. */
export async function open(deployed, path, options) {
  const stream = new Stream(deployed, path, options);
  await stream.until(() => stream.status !== undefined);
  if (stream.status !== 200) throw new Error(`${path}: ${stream.status}`);
  return stream;
}

/** Follows a stream over every break, until it is stopped; emits `change`. What no stream may do fails it. */
export class Subscriber extends EventEmitter {
  /** Ids of records' frames, in the order in which they came, and what they said. */
  ids = [];
  records = [];
  /** How often it was let in. */
  opened = 0;
  heartbeats = 0;
  /** Bytes that were read. */
  bytes = 0;
  lastId;
  #stream;
  #isPaused = false;
  #isStopped = false;
  #failure;
  #over;

  /**
   * - `lastId`: the place to begin after
   * - `ready`: asked before each connection for when there is a server
   * - `cut`: asked with each for after how many bytes the client leaves
   */
  constructor(deployed, path, { key, lastId, ready = () => {}, cut } = {}) {
    super();
    this.setMaxListeners(0);
    this.path = path;
    this.lastId = lastId;
    this.#over = this.#follow(deployed, { key, ready, cut }).catch((error) => {
      this.#failure = error;
      this.emit('change');
    });
  }

  async #follow(deployed, { key, ready, cut }) {
    let refused = 0;
    while (!this.#isStopped) {
      await ready();
      // it does not leave before it has a place to come back to
      const leaves = this.lastId === undefined ? undefined : cut?.();
      const stream = new Stream(deployed, this.path, { key, lastId: this.lastId, cut: leaves });
      this.#stream = stream;
      if (this.#isPaused) stream.pause();
      let isOpen = false;
      let [sent, counted] = [0, 0];
      for (;;) {
        if (stream.status === 200 && !isOpen) {
          isOpen = true;
          refused = 0;
          this.opened += 1;
        }
        this.bytes += stream.bytes - counted;
        counted = stream.bytes;
        for (const frame of stream.frames.splice(0)) sent += this.#take(frame, sent);
        this.emit('change');
        if (stream.hasEnded) break;
        await once(stream, 'change');
      }
      // a server that is not there, or is on its way
      const isAway = ['ECONNREFUSED', 'ECONNRESET'].includes(stream.error?.code) || stream.status >= 500;
      if (!isOpen && !this.#isStopped && (!isAway || (refused += 1) === 200)) {
        throw stream.error ?? new Error(`${this.path}: ${stream.status}`);
      }
      if (isOpen && stream.error) throw stream.error;
    }
  }

  #take({ id, event, data }, sent) {
    if (!/^\d+$/.test(id)) throw new Error(`${this.path}: ${event} with the id ${id}`);
    const isLater = this.lastId === undefined || Number(id) > Number(this.lastId);
    switch (event) {
      case undefined:
        if (data === undefined) {
          if (this.lastId !== undefined) throw new Error(`${this.path}: begins at ${id} again`);
        } else {
          if (!isLater) throw new Error(`${this.path}: ${id} after ${this.lastId}`);
          const said = JSON.parse(data);
          if (String(said.seq ?? said.id) !== id) throw new Error(`${this.path}: ${id} is said to be ${data}`);
          this.ids.push(Number(id));
          this.records.push(said);
        }
        break;
      case 'heartbeat':
        if (!isLater && id !== this.lastId) throw new Error(`${this.path}: heartbeat ${id} after ${this.lastId}`);
        if (JSON.parse(data).delivered !== sent) throw new Error(`${this.path}: ${data} after ${sent} records`);
        this.heartbeats += 1;
        break;
      default:
        throw new Error(`${this.path}: ${event}`);
    }
    this.lastId = id;
    return event === undefined && data !== undefined ? 1 : 0;
  }

  /** Of the present connection, at this end. */
  get port() {
    return this.#stream?.port;
  }

  /** Reads no more; connections that break meanwhile are noticed after `resume`. */
  pause() {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  resume() {
    this.#isPaused = false;
    this.#stream?.resume();
  }

  /** Leaves for good. */
  async stop() {
    this.#isStopped = true;
    this.#stream?.close();
    await this.#over;
  }

  /** Until this holds. */
  async until(holds) {
    while (!holds(this)) {
      if (this.#failure) throw this.#failure;
      await once(this, 'change');
    }
    if (this.#failure) throw this.#failure;
  }
}
