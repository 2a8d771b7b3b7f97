// What a user does in the window of the UI, and sees there.
import { readFileSync } from 'node:fs';
import { drop } from './harness.mjs';

const grid = (page) => page.getByRole('grid');
const foot = (page) => page.getByRole('contentinfo');

/** Waits until nothing is read or asked any more: the index is whole and the table is of it. */
export async function settled(page) {
  await page.getByRole('progressbar', { name: 'Reading' }).waitFor({ state: 'detached', timeout: 60_000 });
  await page.waitForFunction(() => {
    const records = document.querySelector('section[aria-label=Records]');
    return records && !records.querySelector('[role=progressbar], .grid-awaited, [role=row][aria-busy=true]');
  });
}

/** Drops files on the page and waits until all of them are read. */
export async function openFiles(page, paths) {
  await page.getByRole('main').waitFor();
  await drop(page, paths);
  await foot(page).getByText(/record/).first().waitFor({ timeout: 60_000 });
  await settled(page);
}

/** How many records the table shows. */
export async function found(page) {
  const text = await foot(page).innerText();
  const [, shown] = text.match(/^\s*([\d,.\s]+?)(?: of [\d,.\s]+)? records?\b/) ?? [];
  if (shown === undefined) throw new Error(`the foot says: ${text}`);
  return Number(shown.replace(/\D/g, ''));
}

/** Asks a query and waits for its rows. */
export async function search(page, query) {
  const bar = page.getByRole('combobox', { name: /query|search/i });
  await bar.fill(query);
  await bar.press('Escape');
  await bar.press('Enter');
  await page.waitForFunction((query) => new URLSearchParams(location.hash.slice(1)).get('q') === (query || null), query);
  await settled(page);
}

/** The texts of the rows in view, cell by cell, by the columns' titles. */
export const rows = (page) =>
  grid(page).evaluate((grid) => {
    const titles = [...grid.querySelectorAll('[role=columnheader]')].map((cell) => cell.innerText.trim());
    const shown = [...grid.querySelectorAll('[role=row]')].filter((row) => row.querySelector('[role=gridcell]'));
    shown.sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')));
    return shown.map((row) => Object.fromEntries([...row.querySelectorAll('[role=gridcell]')].map((cell, at) => [titles[at], cell.innerText.trim()])));
  });

/** Exports what is found by the dialog, with secrets or without; the bytes that were downloaded. */
export async function exported(page, format, secrets = 'replaced') {
  await page.getByRole('button', { name: /^Export/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Export' });
  await dialog.getByRole('radio', { name: new RegExp(`^${format}`, 'i') }).check();
  const box = dialog.getByRole('checkbox', { name: /^Include secrets/ });
  if (secrets === 'included') await box.check();
  else if (await box.count() > 0 && await box.isChecked()) throw new Error('secrets would be included, and nobody has asked for it');
  const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Download' }).click()]);
  const bytes = readFileSync(await download.path());
  await dialog.getByText(secrets === 'included' ? 'Exported whole, secrets included' : /^Exported whole:/).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  return bytes;
}
