-- The catalog. Integers are exact up to 2^53, as far as they cross as JavaScript numbers; times in ns are text.

-- one row: what is asked with every request. `generation` grows with every change but a commit; `next` and `arrival` are
-- those of the newest batch that is no longer in `batches`; `replaced` is the number of the newest replacement ever made; batches
-- below `sealed` are in segments, but for what could not be read.
CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL, next INTEGER NOT NULL,
    arrival INTEGER NOT NULL, replaced INTEGER NOT NULL, sealed INTEGER NOT NULL, secret TEXT NOT NULL, redact_key TEXT NOT NULL, retained TEXT NOT NULL) STRICT;

-- a row a commit, nothing else: each row, and each entry of an index, is billed when it is written
CREATE TABLE batches (first INTEGER PRIMARY KEY, next INTEGER NOT NULL, arrival INTEGER NOT NULL, token INTEGER NOT NULL,
    summary TEXT NOT NULL, rows TEXT NOT NULL) STRICT;

CREATE TABLE segments (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, erased INTEGER NOT NULL, summary TEXT NOT NULL) STRICT;
-- what was replaced by which segments, as long as it can still be read
CREATE TABLE replacements (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, removed TEXT NOT NULL, added TEXT NOT NULL) STRICT;
-- segments whose values may be in KV, how many of each; those without a row in `segments` are nobody's
CREATE TABLE written (segment INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, volumes INTEGER NOT NULL) STRICT;

CREATE TABLE deletions (id INTEGER PRIMARY KEY AUTOINCREMENT, query TEXT NOT NULL, now_ns TEXT NOT NULL, project TEXT,
    head INTEGER NOT NULL) STRICT;
CREATE TABLE places (project TEXT NOT NULL, environment TEXT NOT NULL, PRIMARY KEY (project, environment)) STRICT, WITHOUT ROWID;
CREATE TABLE keys (id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
    project TEXT, created_ns TEXT NOT NULL, expires_ns TEXT) STRICT;

CREATE TABLE identities (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, hashes TEXT NOT NULL) STRICT;
CREATE TABLE imports (id INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, blocks TEXT NOT NULL, tail TEXT NOT NULL,
    rows TEXT NOT NULL, token INTEGER NOT NULL) STRICT;
CREATE INDEX imports_by_scope ON imports (scope);
