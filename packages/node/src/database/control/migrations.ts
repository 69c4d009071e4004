/** Forward migrations of the control file; the index is the version it leads from. Ids are 63-bit decimal text. */
export const controlMigrations: readonly string[] = [
  `
  CREATE TABLE account (
    account_id TEXT PRIMARY KEY, role TEXT NOT NULL, state TEXT NOT NULL, source TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE account_identity (
    type TEXT NOT NULL, identity_id TEXT NOT NULL, account_id TEXT NOT NULL REFERENCES account ON DELETE CASCADE,
    PRIMARY KEY (type, identity_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX account_identity_account ON account_identity (account_id);
  CREATE TABLE account_password (
    account_id TEXT PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    hash TEXT NOT NULL, updated_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE access_key (
    account_id TEXT NOT NULL REFERENCES account ON DELETE CASCADE, name TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE, privileges TEXT NOT NULL, description TEXT NOT NULL,
    expires_ms INTEGER, last_used_ms INTEGER, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    PRIMARY KEY (account_id, name)
  ) STRICT;
  CREATE TABLE login_nonce (nonce TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX login_nonce_expiry ON login_nonce (expires_ms);
  CREATE TABLE project (
    key TEXT PRIMARY KEY, project_id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL REFERENCES account,
    name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, worked INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX project_account ON project (account_id);
  CREATE TABLE publisher_token (
    token_hash BLOB PRIMARY KEY, project TEXT NOT NULL REFERENCES project ON DELETE CASCADE, publisher_id TEXT NOT NULL,
    publisher_key TEXT NOT NULL, version INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX publisher_token_publisher ON publisher_token (project, publisher_id);
  CREATE TABLE project_object (
    kind TEXT NOT NULL, id TEXT NOT NULL, project TEXT NOT NULL REFERENCES project ON DELETE CASCADE, PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE resource (
    resource_id TEXT PRIMARY KEY, code_hash TEXT NOT NULL UNIQUE, md5 TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE resource_ownership (
    resource_id TEXT NOT NULL REFERENCES resource ON DELETE CASCADE, account_id TEXT NOT NULL REFERENCES account ON DELETE CASCADE,
    uploaded_ms INTEGER NOT NULL, expires_ms INTEGER, file_name TEXT NOT NULL, comment TEXT NOT NULL,
    PRIMARY KEY (resource_id, account_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE operator (
    operator_id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES account ON DELETE CASCADE, name TEXT NOT NULL,
    type TEXT NOT NULL, address TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    UNIQUE (account_id, name)
  ) STRICT;
  CREATE TABLE project_operator (
    project_id TEXT PRIMARY KEY, operator_id TEXT NOT NULL REFERENCES operator, created_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE chain_nonce (
    chain_id TEXT NOT NULL, address TEXT NOT NULL, next INTEGER NOT NULL, free TEXT NOT NULL, PRIMARY KEY (chain_id, address)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID
  `,
  `
  CREATE TABLE timer (
    project TEXT NOT NULL REFERENCES project ON DELETE CASCADE, kind TEXT NOT NULL, id TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (project, kind, id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE uploaded_file (
    account_id TEXT NOT NULL REFERENCES account ON DELETE CASCADE, hash TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    file_name TEXT NOT NULL, uploaded_ms INTEGER NOT NULL, PRIMARY KEY (account_id, hash)
  ) STRICT, WITHOUT ROWID;
  `,
]
