GRANT EXECUTE ON FUNCTION {schema}.append TO {role};
