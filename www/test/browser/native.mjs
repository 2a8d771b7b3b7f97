// What the native program makes of the same files: nothing of the browser is in it.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = process.env.REQLOG_BINARY ?? fileURLToPath(new URL('../../../target/debug/reqlog', import.meta.url));
export const isBuilt = existsSync(program);

/** All records of a file that match, as `reqlog query` prints them. */
export const query = (path, filter, format = 'ndjson') =>
  execFileSync(program, ['query', ...(filter ? [filter] : []), '--all', '--format', format, path], { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] }).toString();

/**
 * Records of a file without what tells where and when they were read: their ids, the keyed hashes of their secrets, and
 * the time of a record that has none: here when the file was last modified, there when it was read.
 */
export const comparable = (ndjson, path) => {
  const [modified, now] = [Math.floor(statSync(path).mtimeMs), Date.now()];
  const isArrival = (time) => Math.floor(Date.parse(time)) === modified || (Date.parse(time) <= now && Date.parse(time) > now - 3_600_000);
  return ndjson
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const { id, seq, ...record } = JSON.parse(line);
      if (isArrival(record.time)) record.time = 'arrival';
      return JSON.stringify(record).replace(/\[redacted:[0-9a-f]{8}\]/g, '[redacted:hash]');
    })
    .sort();
};
