"""Cases: received at any window, decided by the owning departments, handed out at one window, against two clocks."""
