"""Placement is for the cloud's own services and its administrators."""

ADMIN_OR_SERVICE = "rule:admin_required or rule:service_role"
ADMIN_SERVICE_OR_READER = f"{ADMIN_OR_SERVICE} or rule:project_reader"
