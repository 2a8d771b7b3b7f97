// Exchanges on their way through the Worker to an origin: bodies pass chunk by chunk, as they come and no faster than they are taken, and what
// is kept of them is a copy of their beginning.
//
// Needs the compatibility flag `enable_request_signal`: without it the runtime does not tell that a client has gone before it was answered.

/** Statuses of responses without a body (Fetch, 2.2.3). */
const BODILESS = new Set([101, 204, 205, 304]);

const LOST = "The upstream did not answer.\n";

/**
 * Watches a body pass, whose sender said that it has `length` bytes where that is known.
 *
 * `captured` is settled when the body has ended: its first `cap` bytes, how many there were, and whether it was `whole`, `aborted` by its
 * sender or `cancelled` by its receiver. `stop` says that nobody will read on, for a receiver that cannot say so itself.
 */
export function observe(body, cap, length) {
  const reader = body.getReader();
  const kept = [];
  let room = cap;
  let size = 0;
  let settle;
  const captured = new Promise((resolve) => (settle = resolve));
  let end = (ended) => {
    end = () => {};
    settle({ bytes: joined(kept, cap - room), size, ended });
  };
  const source = {
    type: "bytes",
    async pull(controller) {
      let part;
      try {
        part = await reader.read();
      } catch (error) {
        end("aborted");
        throw error;
      }
      if (part.done) {
        end("whole");
        controller.close();
        // a reader with a buffer of its own waits for its answer
        controller.byobRequest?.respond(0);
        return;
      }
      size += part.value.byteLength;
      if (room > 0) {
        // a copy: what is passed on belongs to its receiver
        const copy = part.value.slice(0, room);
        kept.push(copy);
        room -= copy.byteLength;
      }
      if (part.value.byteLength > 0) controller.enqueue(part.value);
    },
    cancel(reason) {
      end("cancelled");
      return reader.cancel(reason);
    },
  };
  // the runtime's own way to send Content-Length for a stream
  if (length !== undefined) source.expectedLength = length;
  return { body: new ReadableStream(source, { highWaterMark: 0 }), captured, stop: () => end("cancelled") };
}

function joined(parts, size) {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function announced(headers) {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

const nothing = (ended = "whole") => ({ bytes: new Uint8Array(0), size: 0, ended });

/** One exchange under way; see `proxy`. */
class Passage {
  #request;
  #upload;
  #upstream;
  #body;
  #cap;
  #seen;
  // the runtime does not let a request's own signal end what is fetched for it
  #gone = new AbortController();

  constructor(request, target, headers, cap) {
    this.#request = request;
    this.#cap = cap;
    this.#upload = request.body ? observe(request.body, cap, announced(request.headers)) : undefined;
    this.#seen = new Promise((resolve) => (this.#body = resolve));
    this.started = Date.now();
    request.signal?.addEventListener("abort", () => this.#gone.abort());
    /** Whether it is known what the client is answered; then `status`, `headers` (those of the origin) and `failure` are there. */
    this.answered = this.#send(target, headers);
    /** What was seen of both bodies once the last one has ended: `{ request, response, ended }`. */
    this.finished = this.#finish();
  }

  async #send(target, headers) {
    const { method } = this.#request;
    const { signal } = this.#gone;
    try {
      this.#upstream = await fetch(target, {
        method,
        headers,
        body: this.#upload?.body,
        // a redirect is the client's to follow
        redirect: "manual",
        // bytes pass as they are: neither unpacked here nor packed again
        encodeResponseBody: "manual",
        signal,
      });
      const { status, webSocket } = this.#upstream;
      // no Response can be made of others
      if (!webSocket && (status < 200 || status > 599)) throw new Error(`The upstream answered with status ${status}.`);
      this.status = status;
      this.headers = [...this.#upstream.headers];
    } catch (error) {
      this.#upstream = undefined;
      this.headers = [["content-type", "text/plain; charset=utf-8"]];
      if (signal.aborted) {
        // there is nobody left to answer
        this.#body(nothing("cancelled"));
      } else {
        this.status = 502;
        this.failure = String(error?.message ?? error);
      }
    }
  }

  /** The response for the client, with these header fields. */
  respond(headers) {
    const upstream = this.#upstream;
    if (!upstream) {
      const bytes = new TextEncoder().encode(LOST);
      const body = this.#request.method === "HEAD" ? null : bytes;
      this.#body(body ? { bytes: bytes.slice(0, this.#cap), size: bytes.byteLength, ended: "whole" } : nothing());
      return new Response(body, { status: 502, headers });
    }
    const { status, statusText, webSocket } = upstream;
    if (this.#request.method === "HEAD" || BODILESS.has(status) || !upstream.body) {
      this.#body(nothing());
      return new Response(null, { status, statusText, headers, webSocket });
    }
    const { body, captured, stop } = observe(upstream.body, this.#cap, announced(upstream.headers));
    this.#gone.signal.addEventListener("abort", stop);
    captured.then(this.#body);
    // the fields say how the bytes are packed, and they are
    return new Response(body, { status, statusText, headers, encodeBody: "manual" });
  }

  async #finish() {
    const response = await this.#seen;
    // an origin may answer before it has read everything
    this.#upload?.stop();
    const request = this.#upload ? await this.#upload.captured : nothing();
    return { request, response, ended: Date.now() };
  }
}

/**
 * Sends `request` to the URL `target` with `headers`, both bodies streamed, and keeps at most `cap` bytes of each.
 *
 * Never throws: an origin that cannot be reached is a `failure` and a 502. A switch to WebSocket is passed through and what follows it is not
 * captured. Await `answered`, answer with `respond`, and keep `finished` in `waitUntil` from the start.
 */
export function proxy(request, target, headers, cap) {
  return new Passage(request, target, headers, cap);
}
