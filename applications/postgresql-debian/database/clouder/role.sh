#!/bin/sh
# Run by the image once, when it makes the database: the role of who ordered it, which owns it and is no superuser.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$CUSTOMER_PASSWORD" --username=postgres --dbname=customer <<'SQL'
CREATE ROLE customer LOGIN PASSWORD :'password';
ALTER DATABASE customer OWNER TO customer;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
SQL
