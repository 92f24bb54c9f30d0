"""Rules on tasks, with upstream's names."""

from pileus.image.images.policy import CHANGE, OWNED
from pileus.kernel.policy import Rule

RULES = (
    Rule("tasks_api_access", "rule:admin_required", "Use the tasks API"),
    Rule("get_task", f"rule:admin_required or (role:reader and {OWNED})", "See the tasks that work on an image"),
    Rule("copy_image", "rule:admin_required", "Copy an image's data to more stores"),
    Rule("stores_info_detail", "rule:admin_required", "See how the stores are set up"),
    Rule("add_image_location", CHANGE, "Point an image at data, to be looked at by a task"),
    Rule("fetch_image_location", "rule:admin_required or role:service", "Read where an image's data is"),
)
