"""Rules on images and their data, with upstream's names. `visibility` and `member_id` come from the target."""

from pileus.kernel.policy import Rule

OWNED = "project_id:%(project_id)s"
OPEN = f"({OWNED} or project_id:%(member_id)s or 'community':%(visibility)s or 'public':%(visibility)s or 'shared':%(visibility)s)"
READ = f"rule:admin_required or (role:reader and {OPEN})"
CHANGE = f"rule:admin_required or (role:member and {OWNED})"

RULES = (
    Rule("add_image", CHANGE, "Create an image, for the project that it names as its owner"),
    Rule("get_image", READ, "Show an image that one may see"),
    Rule("get_images", f"rule:admin_required or (role:reader and {OWNED})", "List images"),
    Rule("modify_image", CHANGE, "Change an image's attributes and tags"),
    Rule("delete_image", CHANGE, "Delete an image"),
    Rule("publicize_image", "rule:admin_required", "Make an image public"),
    Rule("communitize_image", CHANGE, "Make an image a community image"),
    Rule("upload_image", CHANGE, "Upload an image's data"),
    Rule("download_image", f"rule:admin_required or (role:member and {OPEN})", "Download an image's data"),
    Rule("get_image_location", CHANGE, "See where an image's data is, in clouds that show it"),
    Rule("set_image_location", CHANGE, "Point an image at data, in a patch"),
    Rule("delete_image_location", "rule:admin_required", "Remove a location of an image, or its copy in a store"),
    Rule("deactivate", CHANGE, "Keep an image's data from being downloaded"),
    Rule("reactivate", CHANGE, "Let an image's data be downloaded again"),
)
