-- The functions of Citus that steward calls, and the view that it reads. They distribute nothing: they write down that
-- they were called, and refuse what Citus refuses (src/backend/distributed/commands/create_distributed_table.c and
-- foreign_constraint.c of its sources).

CREATE TABLE citus_call (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, call text NOT NULL);

CREATE TABLE citus_table (
  table_name regclass PRIMARY KEY,
  citus_table_type text NOT NULL,
  distribution_column text NOT NULL,
  colocation_id int NOT NULL
);

CREATE VIEW citus_tables AS SELECT * FROM citus_table;

CREATE FUNCTION citus_refuse(asked regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  other regclass;
BEGIN
  IF EXISTS (SELECT FROM citus_table WHERE table_name = asked) THEN
    RAISE EXCEPTION 'table % is already distributed', asked;
  END IF;
  IF current_setting('citus.enable_local_reference_table_foreign_keys', true) IS DISTINCT FROM 'off' THEN
    RAISE EXCEPTION 'tables that refer to % would become tables of Citus', asked;
  END IF;
  SELECT confrelid INTO other FROM pg_constraint
   WHERE contype = 'f' AND conrelid = asked AND confrelid <> asked
     AND confrelid NOT IN (SELECT table_name FROM citus_table) LIMIT 1;
  IF other IS NOT NULL THEN
    RAISE EXCEPTION 'referenced table % must be a distributed table or a reference table', other;
  END IF;
END $$;

CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  asked ALIAS FOR $1;
BEGIN
  PERFORM citus_refuse(asked);
  IF EXISTS (SELECT FROM pg_constraint k JOIN citus_table t ON t.table_name = k.confrelid
              WHERE contype = 'f' AND conrelid = asked AND citus_table_type = 'distributed') THEN
    RAISE EXCEPTION 'foreign keys from reference tables to distributed tables are not supported';
  END IF;
  INSERT INTO citus_table VALUES (asked, 'reference', '<none>', 1);
  INSERT INTO citus_call (call) VALUES (format('reference %s', asked));
END $$;

CREATE FUNCTION create_distributed_table(
  table_name regclass,
  distribution_column text,
  distribution_type text DEFAULT 'hash',
  colocate_with text DEFAULT 'default',
  shard_count int DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  asked ALIAS FOR $1;
  place int;
BEGIN
  PERFORM citus_refuse(asked);
  IF EXISTS (SELECT FROM pg_index i WHERE indrelid = asked AND indisunique AND NOT EXISTS (
               SELECT FROM pg_attribute a
                WHERE a.attrelid = asked AND a.attname = distribution_column AND a.attnum = ANY (i.indkey))) THEN
    RAISE EXCEPTION 'distributed relations cannot have UNIQUE constraints that do not include the partition column';
  END IF;
  IF colocate_with = 'none' THEN
    SELECT coalesce(max(colocation_id), 1) + 1 INTO place FROM citus_table;
  ELSE
    SELECT colocation_id INTO STRICT place FROM citus_table t WHERE t.table_name = CAST(colocate_with AS regclass);
  END IF;
  IF EXISTS (SELECT FROM pg_constraint k JOIN citus_table t ON t.table_name = k.confrelid
              WHERE contype = 'f' AND conrelid = asked AND confrelid <> asked
                AND citus_table_type = 'distributed' AND colocation_id <> place) THEN
    RAISE EXCEPTION 'relations are not colocated or not referencing a reference table';
  END IF;
  INSERT INTO citus_table VALUES (asked, 'distributed', distribution_column, place);
  INSERT INTO citus_call (call) VALUES (format('distributed %s by %s with %s', asked, distribution_column, colocate_with));
END $$;

CREATE FUNCTION truncate_local_data_after_distributing_table(function_name regclass)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  asked ALIAS FOR $1;
BEGIN
  IF NOT EXISTS (SELECT FROM citus_table WHERE table_name = asked) THEN
    RAISE EXCEPTION 'supplied parameter is not a distributed relation';
  END IF;
  IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND confrelid = asked
               AND conrelid NOT IN (SELECT table_name FROM citus_table)) THEN
    RAISE EXCEPTION 'cannot truncate a table referenced in a foreign key constraint by a local table';
  END IF;
  EXECUTE format('TRUNCATE %s CASCADE', asked);
  INSERT INTO citus_call (call) VALUES (format('truncated %s', asked));
END $$;
