"""The ledger's partitions on PostgreSQL: one for each month in which entries were received, made when the first comes.

A function of the schema's owner makes them, because the server itself may not create a table. The rule that must not be
broken: it never fails; a month whose rows already stand in the default partition stays there.
"""

MONTH_FUNCTION = """
CREATE FUNCTION ledger_month(month integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE part text := 'ledger_' || month;
BEGIN
  IF month NOT BETWEEN 197001 AND 999912 OR to_regclass(part) IS NOT NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtext('ledger_month'));
  IF to_regclass(part) IS NOT NULL OR EXISTS (SELECT 1 FROM ledger_default d WHERE d.received_month = month) THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF ledger FOR VALUES FROM (%s) TO (%s)', part, month, month + 1);
END $$
"""
