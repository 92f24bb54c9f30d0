"""Who may set, see, change and remove which custom properties: the operator's file."""
