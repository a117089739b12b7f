CREATE TABLE alerts (
  source VARCHAR(64) NOT NULL,
  service VARCHAR(255) NOT NULL,
  key VARCHAR(255) NOT NULL,
  incident_id VARCHAR(64) NOT NULL,
  status VARCHAR(16) NOT NULL,
  starts_at TIMESTAMP WITH TIME ZONE,
  changed_at TIMESTAMP WITH TIME ZONE,
  turned_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  received INTEGER NOT NULL,
  journalled BOOLEAN NOT NULL,
  PRIMARY KEY (source, service, key)
);

CREATE INDEX ix_alerts_incident_id ON alerts (incident_id);

CREATE TABLE deliveries (
  source VARCHAR(64) NOT NULL,
  delivery VARCHAR(255) NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (source, delivery)
);

CREATE TABLE episodes (
  id SERIAL NOT NULL,
  source VARCHAR(64) NOT NULL,
  service VARCHAR(255) NOT NULL,
  key VARCHAR(255) NOT NULL,
  began_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX episodes_of_an_alert ON episodes (source, service, key, began_at);

CREATE TABLE events (
  incident_id VARCHAR(64) NOT NULL,
  seq INTEGER NOT NULL,
  key VARCHAR(255) NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (incident_id, seq)
);

CREATE UNIQUE INDEX append_once_per_key ON events (incident_id, key);

CREATE TABLE incidents (
  id VARCHAR(64) NOT NULL,
  service VARCHAR(255) NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX one_open_incident_per_service ON incidents (service) WHERE closed_at IS NULL;

CREATE TABLE leases (
  target VARCHAR(512) NOT NULL,
  holder VARCHAR(64) NOT NULL,
  token INTEGER NOT NULL,
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (target)
);

CREATE TABLE self_watch_rounds (
  id VARCHAR(255) NOT NULL,
  environment VARCHAR(255) NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  done_at TIMESTAMP WITH TIME ZONE,
  broken TEXT,
  PRIMARY KEY (id)
);

CREATE TABLE self_watch_calls (
  id SERIAL NOT NULL,
  environment VARCHAR(255) NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  because TEXT NOT NULL,
  told BOOLEAN NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX one_open_call_per_environment ON self_watch_calls (environment) WHERE ended_at IS NULL;

CREATE TABLE incident_store_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT incident_store_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO incident_store_version (version_num) VALUES ('0004');
