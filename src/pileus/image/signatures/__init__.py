"""Images that come with a signature: their data are what somebody with a certificate signed."""
