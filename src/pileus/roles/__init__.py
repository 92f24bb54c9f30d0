"""The processes of a cloud: one supervisor, and the roles that it starts and starts again."""
