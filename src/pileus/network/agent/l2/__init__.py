"""Layer 2 of the linux-bridge mechanism: bridges, taps, VXLAN and physical networks."""
