"""Who may make and end EC2 key pairs, and which services may turn a signature into a token."""

from pileus.identity.credentials.policy import OWNER
from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_SEE = f"{ADMIN_OR_SYSTEM_READER} or {OWNER}"
_RUN = f"{ADMIN} or {OWNER}"
_SERVICE = f"{ADMIN} or rule:service_role"

RULES = (
    Rule("identity:ec2_get_credential", _SEE, "See an EC2 key pair, its secret included", ANY_SCOPE),
    Rule("identity:ec2_list_credentials", _SEE, "List a user's EC2 key pairs", ANY_SCOPE),
    Rule("identity:ec2_create_credential", _RUN, "Make an EC2 key pair", ANY_SCOPE),
    Rule("identity:ec2_delete_credential", _RUN, "Delete an EC2 key pair", ANY_SCOPE),
    Rule("identity:ec2tokens_validate", _SERVICE, "Turn a signed EC2 request into a token of its signer", ANY_SCOPE),
    Rule("identity:s3tokens_validate", _SERVICE, "Turn a signed S3 request into a token of its signer", ANY_SCOPE),
)
