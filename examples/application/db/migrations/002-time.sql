ALTER TABLE notes ADD COLUMN written timestamptz NOT NULL DEFAULT now();
