"""Rules on metadata definitions, with upstream's names. The target is the namespace: its owner and its visibility."""

from pileus.kernel.policy import Rule

ADMIN = "rule:metadef_admin"
OWN = "rule:admin_required or (role:reader and project_id:%(project_id)s)"
SEEN = "rule:admin_required or (role:reader and (project_id:%(project_id)s or 'public':%(visibility)s))"

RULES = (
    Rule("metadef_admin", "rule:admin_required", "Those who write metadata definitions"),
    Rule("get_metadef_namespace", SEEN, "Show a namespace"),
    Rule("get_metadef_namespaces", OWN, "List namespaces"),
    Rule("add_metadef_namespace", ADMIN, "Create a namespace"),
    Rule("modify_metadef_namespace", ADMIN, "Change a namespace"),
    Rule("delete_metadef_namespace", ADMIN, "Delete a namespace and all that is in it"),
    Rule("get_metadef_object", SEEN, "Show an object's definition"),
    Rule("get_metadef_objects", SEEN, "List the objects of a namespace"),
    Rule("add_metadef_object", ADMIN, "Define an object"),
    Rule("modify_metadef_object", ADMIN, "Change an object's definition"),
    Rule("delete_metadef_object", ADMIN, "Delete objects of a namespace"),
    Rule("get_metadef_property", SEEN, "Show a property's definition"),
    Rule("get_metadef_properties", SEEN, "List the properties of a namespace"),
    Rule("add_metadef_property", ADMIN, "Define a property"),
    Rule("modify_metadef_property", ADMIN, "Change a property's definition"),
    Rule("remove_metadef_property", ADMIN, "Delete properties of a namespace"),
    Rule("list_metadef_resource_types", OWN, "List the types of resources that namespaces may be for"),
    Rule("get_metadef_resource_type", SEEN, "List the types of resources that a namespace is for"),
    Rule("add_metadef_resource_type_association", ADMIN, "Say that a namespace is for a type of resources"),
    Rule("remove_metadef_resource_type_association", ADMIN, "Take a type of resources from a namespace"),
    Rule("get_metadef_tag", SEEN, "Show a tag"),
    Rule("get_metadef_tags", SEEN, "List the tags of a namespace"),
    Rule("add_metadef_tag", ADMIN, "Create a tag"),
    Rule("add_metadef_tags", ADMIN, "Create tags, or replace all of a namespace"),
    Rule("modify_metadef_tag", ADMIN, "Rename a tag"),
    Rule("delete_metadef_tag", ADMIN, "Delete a tag"),
    Rule("delete_metadef_tags", ADMIN, "Delete all tags of a namespace"),
)
