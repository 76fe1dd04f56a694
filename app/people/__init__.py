"""Staff, roles, permissions, devices and sessions: who may do what."""
