GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT EXECUTE ON FUNCTION {schema}.sequence TO {role};
