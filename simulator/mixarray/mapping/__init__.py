"""How the work lies on the machine: operators become a Schedule."""
