import { catalogTable } from '../sql/catalog.ts'

/**
 * Forward migrations of a project's file; the index is the version it leads from. Later versions append, never edit.
 *
 * Rows of a batch are numbered `height · 2^20 + index` (`row.ts`), so that every insert goes to the end of its table. What
 * keeps a batch cheap is that nothing is scattered: an index over keys in random order rewrites about one page per row,
 * which more than doubles the cost of a message (measured with 1000 publishers: 14 against 32 µs). Therefore the only index
 * over messages is by id, which begins with the time and so is appended to as well; other filters scan `message` from its
 * end, which holds no payloads for that reason. Payloads and receipts are tables of their own so that either can be dropped
 * for old batches without rewriting the rest.
 *
 * Tables of applets are named `schema.table`; none of the names here has a dot.
 */
export const projectMigrations: readonly string[] = [
  `
  CREATE TABLE batch (
    height INTEGER PRIMARY KEY, header BLOB NOT NULL, hash BLOB NOT NULL, time_ms INTEGER NOT NULL,
    receipts_root BLOB NOT NULL, effects_root BLOB NOT NULL, state_digest BLOB NOT NULL, witness BLOB NOT NULL,
    messages_before INTEGER NOT NULL, message_count INTEGER NOT NULL,
    logs_before INTEGER NOT NULL, log_count INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE certificate (height INTEGER PRIMARY KEY, certificate BLOB NOT NULL) STRICT;
  CREATE TABLE message (
    row INTEGER PRIMARY KEY, id BLOB NOT NULL, received_ms INTEGER NOT NULL, kind TEXT NOT NULL,
    publisher_id TEXT NOT NULL, event_type TEXT NOT NULL, event_id TEXT NOT NULL, status TEXT NOT NULL
  ) STRICT;
  CREATE INDEX message_id ON message (id);
  CREATE TABLE message_body (row INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
  CREATE TABLE receipt (row INTEGER PRIMARY KEY, receipt BLOB NOT NULL) STRICT;
  CREATE TABLE idempotency (key BLOB PRIMARY KEY, row INTEGER NOT NULL, time_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_time ON idempotency (time_ms);
  CREATE TABLE log (
    row INTEGER PRIMARY KEY, applet_id TEXT NOT NULL, instance_id TEXT NOT NULL, source TEXT NOT NULL,
    level INTEGER NOT NULL, message TEXT NOT NULL, time_ms INTEGER NOT NULL, event_id TEXT NOT NULL
  ) STRICT;
  CREATE TABLE log_removal (instance_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (
    row INTEGER PRIMARY KEY, message_index INTEGER NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
    local TEXT NOT NULL, state TEXT NOT NULL, settled INTEGER NOT NULL, attempts INTEGER NOT NULL, detail TEXT NOT NULL,
    updated_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX outbox_open ON outbox (id) WHERE settled = 0;
  CREATE TABLE kv (
    namespace TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (namespace, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE definition (
    row INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, id)
  ) STRICT;
  ${catalogTable}
  `,
]
