// One renderer process with a page, what it takes of memory, and files given to it by path.
import { readFileSync, readdirSync } from "node:fs";
import { chromium } from "playwright-core";

/** Private memory of a process and all below it, in bytes. */
function memory(pid) {
  const read = (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  const own = read(`/proc/${pid}/smaps_rollup`).matchAll(/^(?:Private_Clean|Private_Dirty):\s+(\d+) kB/gm);
  let sum = [...own].reduce((sum, [, kb]) => sum + Number(kb) * 1024, 0);
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    for (const child of read(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean)) sum += memory(child);
  }
  return sum;
}

/** A browser of its own with one page at `url`; `use(page, memory)` is what is measured in it. */
export async function inBrowser(executablePath, url, use) {
  const server = await chromium.launchServer({ executablePath, args: ["--js-flags=--expose-gc", "--disable-background-networking"] });
  try {
    const browser = await chromium.connect(server.wsEndpoint());
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.on("pageerror", (error) => console.error(String(error)));
    await page.goto(url);
    return await use(page, () => memory(server.process().pid));
  } finally {
    await server.close();
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
