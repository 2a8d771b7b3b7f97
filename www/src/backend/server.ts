// A running reqlog: fetch, with the key that was asked for and is kept for the session.
import { signal } from "@preact/signals";
import type { Asked, Backend, Growth } from "./backend";
import { counted } from "./pending";

const KEY = "reqlog.key";

/** The key of this session: given once in the fragment (`#key=…`, which no server sees), or typed. */
export const key = signal<string | null>(sessionStorage.getItem(KEY));
/** Whether the server has refused the key, or the lack of one. */
export const locked = signal(false);

export function unlock(given: string): void {
  sessionStorage.setItem(KEY, given);
  key.value = given;
  locked.value = false;
}

export function lock(): void {
  sessionStorage.removeItem(KEY);
  key.value = null;
  locked.value = true;
}

const whole: Growth = { records: 0, rejected: 0, bytes: 0, size: 0, done: true, files: [] };

export class Server implements Backend {
  readonly kind = "server";
  readonly name;
  readonly growth = signal(whole);
  readonly #base: URL;

  /** `base` is the URL under which the API is, with its base path. */
  constructor(base: URL) {
    this.#base = base;
    this.name = signal(base.host);
  }

  async request(path: string, asked: Asked = {}): Promise<Response> {
    const headers = new Headers(asked.headers);
    const given = key.peek();
    if (given) headers.set("authorization", `Bearer ${given}`);
    const url = this.#base.href.replace(/\/$/, "") + path;
    const { method = "GET", signal } = asked;
    const response = await counted(fetch(url, { method, headers, cache: "no-store", ...(signal ? { signal } : {}) }));
    if (response.status === 401) locked.value = true;
    return response;
  }
}
