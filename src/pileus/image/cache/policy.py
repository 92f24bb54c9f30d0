"""Rules on the cache, with upstream's names."""

from pileus.kernel.policy import Rule

RULES = (
    Rule("cache_image", "rule:admin_required", "Have an image copied to an API host"),
    Rule("cache_list", "rule:admin_required", "List an API host's copies of images"),
    Rule("cache_delete", "rule:admin_required", "Remove an API host's copies of images, or clear up among them"),
)
