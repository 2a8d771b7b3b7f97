// Why a file could not be read, and what would be right, by the engine's code.

const SAID: Record<string, { why?: string; advice: string }> = {
  format: {
    // the engine's own words ask for a format to be named, which nobody can do here
    why: "Its format is not recognised.",
    advice: "Read are HAR, NDJSON, JSON, CSV with a header line and access logs, also compressed by gzip, zstd, deflate or brotli.",
  },
  corrupt: { advice: "Fetch or compress the file again." },
  read: { advice: "The file has changed or cannot be reached any more: open it again." },
  storage: { advice: "There is no room for its inflated bytes: inflate it yourself and open the result, or free some space." },
  crashed: { advice: "Open the files again; if it comes back, the file that does it makes a good report." },
};

/** `records`: how many were read nevertheless. */
export function unread({ code, message }: { code: string; message: string }, records = 0): { why: string; advice: string | null } {
  const said = SAID[code];
  const advice = [records > 0 && "What was read before stays.", said?.advice].filter(Boolean).join(" ");
  return { why: said?.why ?? message, advice: advice || null };
}
