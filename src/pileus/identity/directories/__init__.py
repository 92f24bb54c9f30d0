"""Where a domain's users and groups are: in the tables, or in a directory that the tables mirror."""
