CREATE TABLE connector_ledger_entry (
    key TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    call TEXT NOT NULL,
    holder TEXT NOT NULL,
    about BYTEA,
    answer BYTEA,
    record TEXT,
    started_at BIGINT NOT NULL,
    running_until BIGINT NOT NULL,
    born BIGINT NOT NULL
);
INSERT INTO connector_ledger_entry SELECT key, '', call, '', NULL, answer, NULL, 0, 0, 0 FROM connector_ledger;
DROP TABLE connector_ledger;
ALTER TABLE connector_ledger_entry RENAME TO connector_ledger;
CREATE INDEX connector_ledger_owner ON connector_ledger (owner, started_at);
CREATE INDEX connector_ledger_call ON connector_ledger (call);
CREATE UNIQUE INDEX connector_ledger_record ON connector_ledger (owner, record) WHERE record IS NOT NULL;
CREATE INDEX connector_ledger_born ON connector_ledger (born);
CREATE TABLE connector_ledger_clock (
    name TEXT NOT NULL PRIMARY KEY,
    age BIGINT NOT NULL,
    seen BIGINT NOT NULL
);
INSERT INTO connector_ledger_clock (name, age, seen) VALUES ('ledger', 0, 0)
