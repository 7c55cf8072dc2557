"""The numbers of the plots: one file per kind, from a source on disk to the frame that is drawn; no matplotlib."""
