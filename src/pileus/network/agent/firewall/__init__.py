"""The host firewall of the linux-bridge mechanism: anti-spoofing and security groups as one nftables transaction."""
