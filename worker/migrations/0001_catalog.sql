-- The catalog. A number of nanoseconds is TEXT: integers cross the binding as doubles, exact only to 2^53. What is not plain text is base64.

-- Single values by name.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- One row a commit. `first` is its first sequence, `next` the one after its last, `token` tells the writer its own row from another's.
-- No index: a commit writes one row, and is billed for one.
CREATE TABLE batches (
  first INTEGER PRIMARY KEY,
  next INTEGER NOT NULL,
  arrival INTEGER NOT NULL,
  token TEXT NOT NULL,
  summary TEXT NOT NULL,
  rows TEXT NOT NULL
);

-- Sealed segments, whose volumes are in KV.
CREATE TABLE segments (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, erased INTEGER NOT NULL, summary TEXT NOT NULL);

-- What compaction replaced by what, readable for a grace period.
CREATE TABLE replacements (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, removed TEXT NOT NULL, added TEXT NOT NULL);

-- Segments whose volumes are, or may be, in KV without being in the catalog; `segment` numbers are never used twice.
CREATE TABLE leftovers (segment INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, volumes INTEGER NOT NULL);

-- Deletions by filter, of everything up to `head`.
CREATE TABLE deletions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  query TEXT NOT NULL,
  now_ns TEXT NOT NULL,
  project TEXT,
  head INTEGER NOT NULL
);

CREATE TABLE projects (name TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE environments (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (project, name)
) WITHOUT ROWID;

CREATE TABLE keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  project TEXT,
  created_ns TEXT NOT NULL,
  expires_ns TEXT
);

-- Identities of records, so that none is stored twice.
CREATE TABLE identities (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, hashes TEXT NOT NULL);

-- How far imports have come.
CREATE TABLE imports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL,
  chain TEXT NOT NULL,
  rows TEXT NOT NULL
);
CREATE INDEX imports_by_scope ON imports (scope);
