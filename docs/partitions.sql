-- The counts by day, partitioned by month: psql "$DATABASE_URL" -1 -f docs/partitions.sql, while no worker runs.
-- It makes the months of the next five years; later days lie in the rest until somebody makes theirs. A new table has no
-- grants: where there are roles, run bin/manage database_roles next, before a worker or a page reads it.
LOCK TABLE reports_daycount;
ALTER TABLE reports_daycount RENAME TO reports_daycount_before;
CREATE TABLE reports_daycount (LIKE reports_daycount_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING IDENTITY)
  PARTITION BY RANGE (day);
CREATE TABLE reports_daycount_rest PARTITION OF reports_daycount DEFAULT;
DO $$
DECLARE
  month date;
BEGIN
  FOR month IN SELECT generate_series('2015-01-01', date_trunc('year', now()) + interval '59 months', interval '1 month') LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF reports_daycount FOR VALUES FROM (%L) TO (%L)',
                   'reports_daycount_' || to_char(month, 'YYYY_MM'), month, month + interval '1 month');
  END LOOP;
END $$;
INSERT INTO reports_daycount SELECT * FROM reports_daycount_before;
DROP TABLE reports_daycount_before CASCADE;
SELECT setval(pg_get_serial_sequence('reports_daycount', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM reports_daycount), false);
ALTER TABLE reports_daycount ADD PRIMARY KEY (id, day);
ALTER TABLE reports_daycount ADD CONSTRAINT day_count_once UNIQUE (day, variable, code, is_sealed);
CREATE INDEX day_count_of_variable ON reports_daycount (variable, day);
