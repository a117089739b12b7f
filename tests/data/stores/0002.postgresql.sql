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
