"""OpenStack Swift with its S3 API, whole, in one process: `python swift_process.py FOLDER PORT ACCESS_KEY SECRET`.

Data is in FOLDER: one device, one replica. Port 0 is any that is free. Prints the port when it answers; ends when its standard
input does.
"""

import array
import os
import pwd
import sys
from pathlib import Path
from typing import Any

PROXY = """\
[DEFAULT]
{common}
[pipeline:main]
pipeline = catch_errors s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:s3api]
use = egg:swift#s3api
max_bucket_listing = 10
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
allow_async_delete = false
"""
BACKEND = """\
[DEFAULT]
{common}
[app:{name}-server]
use = egg:swift#{name}
[pipeline:main]
pipeline = {name}-server
"""
COMMON = """\
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
log_level = ERROR
fallocate_reserve = 0
"""


def main(folder: Path, port: int, access_key: str, secret: str) -> None:
    from swift.common import utils

    utils.monkey_patch()  # before anything is imported that would not be patched then
    utils.fsync = utils.fdatasync = utils.fsync_dir = lambda *_: None  # what it keeps need not outlive the machine
    import eventlet

    (folder / "devices" / "disk").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = tests\n")
    utils.set_swift_dir(str(folder))
    from swift.common.ring import RingData

    common = COMMON.format(user=pwd.getpwuid(os.getuid()).pw_name, folder=folder)
    backends = {name: eventlet.listen(("127.0.0.1", 0)) for name in ("account", "container", "object")}
    for name, listener in backends.items():
        at = listener.getsockname()[1]
        device = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": at, "device": "disk", "weight": 1.0}
        RingData([array.array("H", [0] * 4)], [device], 30).save(str(folder / f"{name}.ring.gz"))
    for name, listener in backends.items():
        _serve(folder / f"{name}.conf", BACKEND.format(common=common, name=name), listener)
    proxy = eventlet.listen(("127.0.0.1", port))
    user = access_key.replace(":", "_")
    _serve(folder / "proxy.conf", PROXY.format(common=common, user=user, secret=secret), proxy)
    print(proxy.getsockname()[1], flush=True)
    eventlet.greenio.GreenPipe(0).read()


def _serve(file: Path, config: str, listener: Any) -> None:
    import eventlet.wsgi
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.utils import NullLogger
    from swift.common.wsgi import loadapp

    file.write_text(config)
    app = loadapp(str(file), {"log_name": file.stem})
    options = {"protocol": SwiftHttpProtocol, "capitalize_response_headers": False}
    eventlet.spawn(eventlet.wsgi.server, listener, app, NullLogger(), **options)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
