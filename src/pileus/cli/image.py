"""`pileus image build`: the small guest image, from Debian's packages."""

import argparse

from pileus.setup import guest_image, places


def build(options: argparse.Namespace) -> int:
    here = places.find()
    out = options.out.absolute()
    guest_image.recipe().build(out, cache=here.cache, say=print)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return 0
