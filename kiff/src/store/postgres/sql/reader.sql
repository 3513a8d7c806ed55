-- A dump may have lost who may run what, and everybody may run a function that nobody has taken from them.
REVOKE ALL ON FUNCTION {schema}.refuse, {schema}.append, {schema}.sequence FROM PUBLIC;
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT EXECUTE ON FUNCTION {schema}.sequence TO {role};
