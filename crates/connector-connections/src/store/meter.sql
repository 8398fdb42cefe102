CREATE TABLE connector_meter (
    key TEXT NOT NULL PRIMARY KEY,
    permits BIGINT NOT NULL,
    is_told BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE TABLE connector_permit (
    key TEXT NOT NULL REFERENCES connector_meter (key) ON DELETE CASCADE,
    holder TEXT NOT NULL,
    held BIGINT NOT NULL,
    wanted BIGINT NOT NULL,
    told BIGINT,
    wanted_until BIGINT NOT NULL,
    held_until BIGINT NOT NULL,
    PRIMARY KEY (key, holder)
);
CREATE INDEX connector_meter_used ON connector_meter (used_at)
