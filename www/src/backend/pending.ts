// How many questions are waiting for the beginning of their answers: nobody asks again before they have come.
import { signal } from "@preact/signals";

export const pending = signal(0);

export async function counted<T>(work: Promise<T>): Promise<T> {
  // called from within effects, which are not to hang on it
  pending.value = pending.peek() + 1;
  try {
    return await work;
  } finally {
    pending.value = pending.peek() - 1;
  }
}
