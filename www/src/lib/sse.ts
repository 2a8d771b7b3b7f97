// Server-Sent Events (WHATWG HTML, 9.2.6) read from text as it comes: EventSource cannot send an Authorization field.

export interface SseEvent {
  /** Its type: `message` unless the stream says another. */
  type: string;
  data: string;
  /** The last id of the stream when it was dispatched: what `Last-Event-ID` would be. */
  id: string;
}

/** Characters of one event; more is no stream of ours. */
const LONGEST = 64 << 20;

export class SseReader {
  /** What `Last-Event-ID` would be now; also an id without data counts. */
  id: string;
  /** The pause before connecting again that the stream asks for, in ms. */
  retry: number | null = null;
  #rest = "";
  #begun = false;
  #type = "";
  #data: string[] = [];
  #size = 0;
  #pendingId: string;

  constructor(id = "") {
    this.id = id;
    this.#pendingId = id;
  }

  /** Takes more of the stream and returns the events that are whole with it. */
  push(text: string): SseEvent[] {
    const events: SseEvent[] = [];
    let from = 0;
    const all = this.#rest + text;
    if (!this.#begun && all.length > 0) {
      this.#begun = true;
      if (all.charCodeAt(0) === 0xfeff) from = 1;
    }
    for (;;) {
      const end = lineEnd(all, from);
      if (end < 0) break;
      // a carriage return that ends the text may be half of a line end
      if (all[end] === "\r" && end + 1 === all.length) break;
      this.#line(all.slice(from, end), events);
      from = end + (all[end] === "\r" && all[end + 1] === "\n" ? 2 : 1);
    }
    this.#rest = all.slice(from);
    if (this.#rest.length + this.#size > LONGEST) throw new RangeError("an event of the stream is longer than 64 MiB");
    return events;
  }

  #line(line: string, events: SseEvent[]): void {
    if (line === "") return this.#dispatch(events);
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (name === "data") {
      this.#data.push(value);
      this.#size += value.length;
    } else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#pendingId = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
  }

  #dispatch(events: SseEvent[]): void {
    this.id = this.#pendingId;
    if (this.#data.length > 0) events.push({ type: this.#type || "message", data: this.#data.join("\n"), id: this.id });
    this.#type = "";
    this.#data = [];
    this.#size = 0;
  }
}

function lineEnd(text: string, from: number): number {
  const feed = text.indexOf("\n", from);
  const before = feed < 0 ? text.slice(from) : text.slice(from, feed);
  const carriage = before.indexOf("\r");
  return carriage < 0 ? feed : from + carriage;
}
