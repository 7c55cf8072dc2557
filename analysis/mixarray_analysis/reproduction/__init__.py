"""The reproduction page: published claims of MixA-Q beside what the shipped model shows."""
