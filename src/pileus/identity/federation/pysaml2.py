"""The SAML library: large, so imported only by clouds that speak SAML, and without its warnings about its own insides."""

import shutil
import warnings

from pileus.kernel.errors import NotImplementedHere

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import saml2
    import saml2.client
    import saml2.config
    import saml2.metadata
    import saml2.response
    import saml2.s_utils
    import saml2.saml
    import saml2.samlp
    import saml2.sigver
    import saml2.xmldsig

__all__ = ["saml2", "xmlsec1"]


def xmlsec1() -> str:
    """The program that makes and checks signatures. Raises NotImplementedHere."""
    found = shutil.which("xmlsec1")
    if found is None:
        raise NotImplementedHere("SAML needs the program xmlsec1 on the cloud's host: install the package xmlsec1.")
    return found
