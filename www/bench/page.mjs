// One browser with a page, what its renderer takes of memory, and files given to it by path.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

/** Private memory of a process in bytes, what was swapped out with it. */
function memory(pid) {
  const parts = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").matchAll(/^(?:Private_Clean|Private_Dirty|Swap):\s+(\d+) kB/gm);
  return [...parts].reduce((sum, [, kb]) => sum + Number(kb) * 1024, 0);
}

/** The process of a page: the renderer that works when the page does. Others are spare, and come and go. */
async function rendererOf(page, session) {
  const renderers = async () => (await session.send("SystemInfo.getProcessInfo")).processInfo.filter(({ type }) => type === "renderer");
  const before = new Map((await renderers()).map(({ id, cpuTime }) => [id, cpuTime]));
  await page.evaluate(() => {
    for (const until = performance.now() + 300; performance.now() < until; );
  });
  const worked = ({ id, cpuTime }) => cpuTime - (before.get(id) ?? 0);
  return (await renderers()).reduce((most, other) => (worked(other) > worked(most) ? other : most)).id;
}

/**
 * A browser of its own with one page at `url`; `use(page, memory)` is what is measured in it. `memory` collects garbage in the page and
 * its workers, then gives the private bytes of the renderer: all of the page and its workers is in there, the browser's own is not.
 */
export async function inBrowser(executablePath, url, use) {
  const browser = await chromium.launch({
    executablePath,
    args: ["--js-flags=--expose-gc", "--disable-background-networking"],
    // the thumb of the scroll bar is dragged
    ignoreDefaultArgs: ["--hide-scrollbars"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.on("pageerror", (error) => console.error(String(error)));
    await page.goto(url);
    const renderer = await rendererOf(page, await browser.newBrowserCDPSession());
    const used = async () => {
      for (const side of [page, ...page.workers()]) {
        // a worker that parses may have ended meanwhile
        await side.evaluate(() => (globalThis.gc(), globalThis.gc())).catch((error) => {
          if (side === page || page.workers().includes(side)) throw error;
        });
      }
      return memory(renderer);
    };
    return await use(page, used, browser.version());
  } finally {
    await browser.close();
  }
}

/** Puts files of this machine into a page, as `globalThis.files`. */
export async function give(page, paths) {
  await page.evaluate(() => {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", id: "given", multiple: true });
    document.body.append(input);
  });
  await page.setInputFiles("#given", paths);
  await page.evaluate(() => (globalThis.files = [...document.getElementById("given").files]));
}
