// Scrolling the table of records as a user does: frames, what script takes of them, rows that were looked at before they came.
import { setTimeout as rest } from "node:timers/promises";
import { drop } from "../test/browser/harness.mjs";
import { found, settled } from "../test/browser/window.mjs";
import { inBrowser } from "./page.mjs";

/** A frame of the 60 Hz that headless Chromium draws at. */
const FRAME_MS = 1000 / 60;
/** A key that is held repeats some 30 times a second. */
const KEY_MS = 1000 / 30;
const PATIENCE_MS = 600_000;

/** Runs in the page: notes each frame's length and the rows that it shows, until `stop`. */
function watch() {
  const layer = document.querySelector("[role=grid] .grid-layer");
  const seen = { frames: [], rows: 0, awaited: 0, long: [] };
  const observer = new PerformanceObserver((list) => seen.long.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: "longtask" });
  let last = null;
  let isOver = false;
  const frame = (now) => {
    if (last !== null) seen.frames.push(now - last);
    last = now;
    seen.rows += layer.childElementCount;
    seen.awaited += layer.querySelectorAll('[role=row][aria-busy="true"]').length;
    if (!isOver) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  globalThis.stop = () => {
    isOver = true;
    observer.disconnect();
    return seen;
  };
}

const topRow = (page) => page.evaluate(() => Math.min(...[...document.querySelectorAll("[role=grid] [role=row][data-index]")].map((row) => Number(row.dataset.index))));

/** What one way of scrolling costs, as a row of the table. `act` must have moved the rows. */
async function measured(page, session, name, act) {
  await page.locator("[role=grid]").focus();
  await page.keyboard.press("Home");
  await settled(page);
  const script = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find((metric) => metric.name === "ScriptDuration").value * 1000;
  };
  const before = await script();
  await page.evaluate(watch);
  await act();
  const { frames, rows, awaited, long } = await page.evaluate(() => globalThis.stop());
  const used = (await script()) - before;
  const ended = Date.now();
  const reached = await topRow(page);
  if (reached === 0) throw new Error(`${name}: nothing was scrolled`);
  await settled(page);
  const settledIn = Date.now() - ended;
  const sorted = frames.toSorted((a, b) => a - b);
  const part = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1);
  const missed = frames.reduce((sum, delta) => sum + Math.max(0, Math.round(delta / FRAME_MS) - 1), 0);
  return [
    name, reached, frames.length, part(0.5), part(0.95), part(1), missed, long.length, (used / frames.length).toFixed(2),
    `${((100 * awaited) / rows).toFixed(1)} %`, settledIn,
  ];
}

export const TITLES = [
  "scrolling the table", "rows passed", "frames", "median ms", "p95 ms", "worst ms", "frames missed", "tasks over 50 ms", "script ms a frame",
  "rows not there yet", "all there after ms",
];

/** Rows for a table of `TITLES`: a file is dropped on the UI, read whole, and its table scrolled. */
export function scroll(url, executable, file, seconds) {
  return inBrowser(executable, `${url}/open.html`, async (page) => {
    await page.getByRole("main").waitFor();
    await drop(page, [file.path]);
    await page.getByRole("contentinfo").getByText(/record/).first().waitFor({ timeout: PATIENCE_MS });
    await page.getByRole("progressbar", { name: "Reading" }).waitFor({ state: "detached", timeout: PATIENCE_MS });
    await settled(page);
    if ((await found(page)) !== file.records) throw new Error(`the table has ${await found(page)} of ${file.records} records`);
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    const box = await page.locator("[role=grid]").evaluate((grid) => {
      const { left, right, top, bottom } = grid.getBoundingClientRect();
      return { left, right, top, bottom, bar: grid.offsetWidth - grid.clientWidth };
    });
    const middle = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    /** Input comes at its own pace, whether the page has answered what came before or not; `step(past)` is given 0 to 1. */
    const during = async (paceMs, step) => {
      const begun = performance.now();
      const sent = [];
      for (let due = 0; due < seconds * 1000; due += paceMs) {
        await rest(Math.max(0, due - (performance.now() - begun)));
        sent.push(step(due / seconds / 1000, sent.length));
      }
      await Promise.all(sent);
    };
    const rows = [];
    rows.push(await measured(page, session, "trackpad, slow (40 px a step)", async () => {
      await page.mouse.move(...middle);
      await during(FRAME_MS, () => page.mouse.wheel(0, 40));
    }));
    // a fling begins fast and dies away
    rows.push(await measured(page, session, "trackpad, flings (to 600 px a step)", async () => {
      await page.mouse.move(...middle);
      await during(FRAME_MS, (past, at) => page.mouse.wheel(0, Math.max(2, 600 * 0.93 ** (at % 60))));
    }));
    rows.push(await measured(page, session, "thumb through the whole table", async () => {
      if (box.bar === 0) throw new Error("there is no scroll bar to drag");
      const x = box.right - box.bar / 2;
      // on the thumb, which is small and below the arrow, if there is one
      await page.mouse.move(x, box.top + box.bar + 4);
      await page.mouse.down();
      await during(FRAME_MS, (past) => page.mouse.move(x, box.top + box.bar + 4 + past * (box.bottom - box.top)));
      await page.mouse.move(x, box.bottom);
      await page.mouse.up();
    }));
    rows.push(await measured(page, session, "PageDown held", () => during(KEY_MS, () => page.keyboard.down("PageDown")).finally(() => page.keyboard.up("PageDown"))));
    return rows;
  });
}
