// Answers under way: each is stepped, its reads are done, and its body is sent as fast as it is taken.

import { faultOf, isTrap } from "./fault.js";
import type { OpenedFile } from "./file.js";
import type { bindings } from "./module.js";
import type { Command, Event, Port } from "./protocol.js";
import { type Read, Reads } from "./reads.js";

interface Running {
  /** Called when the next part is wanted. */
  pull: (() => void) | undefined;
  pulls: number;
  isCancelled: boolean;
  reads: Reads;
}

export class Answers {
  #port: Port<Command, Event>;
  #store: bindings.Store;
  #file: (place: number) => OpenedFile | undefined;
  #running = new Map<number, Running>();

  constructor(port: Port<Command, Event>, store: bindings.Store, file: (place: number) => OpenedFile | undefined) {
    this.#port = port;
    this.#store = store;
    this.#file = file;
  }

  begin(command: Extract<Command, { op: "answer" }>): void {
    void this.#run(command);
  }

  pull(id: number): void {
    const running = this.#running.get(id);
    if (!running) return;
    running.pulls += 1;
    running.pull?.();
  }

  close(): void {
    for (const id of [...this.#running.keys()]) this.cancel(id);
  }

  cancel(id: number): void {
    const running = this.#running.get(id);
    if (!running) return;
    running.isCancelled = true;
    running.pull?.();
  }

  async #run({ id, method, url, headers, body }: Extract<Command, { op: "answer" }>): Promise<void> {
    const running: Running = { pull: undefined, pulls: 0, isCancelled: false, reads: new Reads(this.#file) };
    this.#running.set(id, running);
    let answer: bindings.Answer | undefined;
    try {
      answer = this.#store.answer(method, url, headers, body, now());
      await this.#step(id, answer, running);
      answer.free();
    } catch (error) {
      const fault = faultOf(error);
      this.#port.post(isTrap(error) ? { op: "crashed", fault } : { op: "failed", id, fault });
    } finally {
      this.#running.delete(id);
    }
  }

  async #step(id: number, answer: bindings.Answer, running: Running): Promise<void> {
    while (!running.isCancelled) {
      const step = answer.step(this.#store, now());
      switch (step[0]) {
        case "read":
          await this.#read(answer, running.reads, step.slice(1) as Read[]);
          break;
        case "whole":
          this.#port.post({ op: "head", id, status: step[1], headers: step[2], body: step[3] }, [step[3].buffer as ArrayBuffer]);
          return;
        case "head":
          this.#port.post({ op: "head", id, status: step[1], headers: step[2], body: undefined });
          break;
        case "chunk":
          if (await this.#wanted(running)) this.#port.post({ op: "part", id, bytes: step[1] }, [step[1].buffer as ArrayBuffer]);
          break;
        case "end":
          if (await this.#wanted(running)) this.#port.post({ op: "end", id });
          return;
        case "broken": {
          const fault = { code: "read", message: `the answer breaks off: ${step[1]}` };
          if (await this.#wanted(running)) this.#port.post({ op: "failed", id, fault });
          return;
        }
      }
    }
  }

  async #read(answer: bindings.Answer, reads: Reads, wanted: Read[]): Promise<void> {
    for (const finish of wanted.map((read) => reads.begin(read))) {
      let bytes;
      try {
        bytes = await finish();
      } catch {
        // the file has changed, or is not there any longer
        return answer.fail();
      }
      answer.supply(bytes);
    }
  }

  /** Waits until the page takes the next part; whether it ever will. */
  async #wanted(running: Running): Promise<boolean> {
    if (running.pulls === 0 && !running.isCancelled) {
      await new Promise<void>((resolve) => (running.pull = resolve));
      running.pull = undefined;
    }
    running.pulls -= 1;
    return !running.isCancelled;
  }
}

/** The time in ns. */
function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
