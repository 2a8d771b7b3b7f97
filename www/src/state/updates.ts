// The service worker: makes both documents work without a network, and tells when there is a newer build.
import { signal } from "@preact/signals";

/** By the build. */
declare const process: { env: { NODE_ENV: string } };

/** Pages stay open for days: how often the server is asked at most. */
const HOUR = 3_600_000;
/** A newer build that waits to take over. */
const next = signal<ServiceWorker | null>(null);
export const isOutdated = signal(false);

export function bindUpdates(): void {
  if (process.env.NODE_ENV !== "production" || !("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  let reloads = false;
  serviceWorker.addEventListener("controllerchange", () => {
    // the first one takes over a page that is as new as itself
    if (reloads) location.reload();
  });
  const found = (worker: ServiceWorker | null) => {
    if (!worker || !serviceWorker.controller) return;
    reloads = true;
    next.value = worker;
    isOutdated.value = true;
  };
  serviceWorker
    .register(new URL("sw.js", document.baseURI))
    .then((registration) => {
      found(registration.waiting);
      let asked = performance.now();
      document.addEventListener("visibilitychange", () => {
        if (document.hidden || performance.now() - asked < HOUR) return;
        asked = performance.now();
        // without a network there is nothing newer
        registration.update().catch(() => {});
      });
      registration.addEventListener("updatefound", () => {
        const coming = registration.installing;
        coming?.addEventListener("statechange", () => coming.state === "installed" && found(coming));
      });
    })
    // without one (no secure context, storage refused) the page works while there is a network
    .catch((error: unknown) => console.info("no service worker:", error));
}

/** The newer build takes over, in every tab, and the page is loaded again. */
export function update(): void {
  next.peek()?.postMessage("take over");
}
