SELECT current_setting('server_encoding') AS server_encoding,
       current_setting('default_transaction_isolation') AS default_transaction_isolation,
       current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS synchronous_commit,
       NOT EXISTS (
           SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = '{name}' AND c.relname = 'migrations'
       ) AS is_missing
